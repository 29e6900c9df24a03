//! Following the store's revocations.

mod anew;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use store::{Changes, Head, Store, StoreLocation};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep_until},
};
use verdict::revocation::{Full, HashKey};

use super::{
    Change, Revision, Revoked, TailFault, Tick, counts::Counts, fault::WentBack, hints, names::Names,
};
use crate::{
    clock::{Moment, Steady},
    feed::{Publications, Registry},
    listen::Shutdown,
    reload::StoreStatus,
    scope::Scope,
    state::Current,
    telemetry::revocations as metrics,
};

/// The least time between two ticks: what happens meanwhile is told together.
const TICK: Duration = Duration::from_millis(5);
/// Most changes that are read, and told, at once: as many as fit a message of the feed.
const AT_ONCE: u32 = 8_192;
/// Between looks for what has expired, each of which may touch everything; and between attempts to read everything.
const TIDY: Duration = Duration::from_secs(20);
/// Who waits for a read that has not begun. More than these wait for a place.
const WAITING: usize = 64;

/// Follows what is revoked, over a connection of its own.
#[derive(Debug)]
pub struct Tail {
    store: Store,
    names: Names,
    scopes: BTreeSet<Scope>,
    /// What counts.
    revoked: Arc<Revoked>,
    /// When the last complete read began.
    as_of: Moment,
    /// How long the store keeps what was lifted.
    lifted_kept: Duration,
    clock: Steady,
    /// There was no room for what was read first: nothing of it counts, and nothing is fresh.
    unread: Option<Full>,
    counts: Counts,
    /// What counts cannot be continued: everything is to be read anew, and not before this instant.
    broken: Option<Instant>,
    /// Epoch and sequence to which the store has come, as far as this server knows.
    known: (u64, u64),
    /// Since then nothing of that epoch is believed.
    went_back: Option<WentBack>,
    asked: mpsc::Receiver<oneshot::Sender<()>>,
}

/// Those who are told of what was read.
#[derive(Clone, Debug)]
pub struct Told {
    /// All verdicts.
    pub current: Current,
    /// Data planes.
    pub publications: Arc<Publications>,
    /// Who measures how long they take.
    pub registry: Registry,
    /// Operators.
    pub status: StoreStatus,
}

/// Has the store read at once.
#[derive(Clone, Debug)]
pub struct AskTail(mpsc::Sender<oneshot::Sender<()>>);

impl AskTail {
    /// Returns when everything that was revoked before this call counts and is published, or could not be read.
    pub async fn read_now(&self) {
        let (done, is_done) = oneshot::channel();
        // Where nobody reads any more the server is stopping.
        if self.0.send(done).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

impl Tail {
    /// Reads all that is revoked, for data planes of these scopes. Where that is more than fits, it begins with nothing and
    /// vouches for nothing, so that operators can make room. `lifted_kept`: how long the store keeps what was lifted.
    ///
    /// # Errors
    /// See [`TailFault`].
    pub async fn open(
        location: StoreLocation,
        key: HashKey,
        scopes: BTreeSet<Scope>,
        lifted_kept: Duration,
    ) -> Result<(Self, AskTail), TailFault> {
        let (ask, asked) = mpsc::channel(WAITING);
        let mut tail = Self {
            store: Store::existing(location),
            names: Names::new(key),
            scopes,
            revoked: Arc::default(),
            as_of: Moment::never(),
            lifted_kept,
            clock: Steady::begin(),
            unread: None,
            counts: Counts::default(),
            broken: None,
            known: (0, 0),
            went_back: None,
            asked,
        };
        match tail.read_all().await {
            Err(TailFault::Full(full)) => {
                tail.unread = Some(full);
                tail.broken = Some(Instant::now() + TIDY);
            }
            read => read?,
        }
        Ok((tail, AskTail(ask)))
    }

    /// Makes what was read from the beginning count.
    pub fn begin(&self, current: &Current, status: &StoreStatus) {
        current.revise(Arc::clone(&self.revoked));
        current.set_revocations_as_of(self.as_of);
        if let Some(full) = self.unread {
            status.revocations_failed(&full.into());
        }
    }

    /// Follows until it is time to stop: whenever `committed` tells of a revocation, whenever the database does, and at
    /// least every `period`.
    pub async fn run(
        mut self,
        told: Told,
        mut committed: watch::Receiver<Head>,
        period: Duration,
        mut shutdown: Shutdown,
    ) {
        let wake = Arc::new(Notify::new());
        let hints = hints::follow(self.store.location().clone(), Arc::clone(&wake));
        let following = self.follow(&told, &mut committed, &wake, period);
        tokio::select! {
            biased;
            () = shutdown.requested() => {}
            () = following => {}
            () = async { tokio::join!(hints, std::future::pending::<()>()); } => {}
        }
    }

    async fn follow(
        &mut self,
        told: &Told,
        committed: &mut watch::Receiver<Head>,
        wake: &Notify,
        period: Duration,
    ) {
        let mut reads = interval_at(Instant::now() + period, period);
        reads.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut next_tick, mut next_tidying) = (Instant::now(), Instant::now());
        loop {
            let mut waiting = Vec::new();
            let mut may_begin_anew = false;
            tokio::select! {
                biased;
                Some(asker) = self.asked.recv() => waiting.push(asker),
                _ = reads.tick() => may_begin_anew = true,
                () = next_of(committed, &self.revoked) => {}
                () = wake.notified() => {}
            }
            let known_at = Instant::now();
            sleep_until(next_tick).await;
            while let Ok(another) = self.asked.try_recv() {
                waiting.push(another);
            }
            // What is told of from here on may not be in what is read.
            let Head { epoch, revocation, .. } = *committed.borrow_and_update();
            self.known = self.known.max((epoch, revocation));
            if self.read(told, known_at, may_begin_anew).await {
                next_tick = Instant::now() + TICK;
            }
            for asker in waiting {
                // It may have gone.
                let _ = asker.send(());
            }
            if next_tidying <= Instant::now() {
                next_tidying = Instant::now() + TIDY;
                self.tidy(told).await;
            }
        }
    }

    /// Reads what is new, and tells of it. Whether there was anything.
    async fn read(&mut self, told: &Told, known_at: Instant, may_begin_anew: bool) -> bool {
        let before = self.revoked.sequence();
        let done = match self.broken {
            None => self.read_on(told, known_at).await,
            Some(instant) if may_begin_anew && instant <= known_at => {
                self.broken = Some(known_at + TIDY);
                self.begin_anew(told).await
            }
            Some(_) => return false,
        };
        match done {
            Ok(()) => told.status.revocations_read(),
            Err(fault) => told.status.revocations_failed(&fault),
        }
        self.revoked.sequence() != before
    }

    /// Until there is no more.
    async fn read_on(&mut self, told: &Told, known_at: Instant) -> Result<(), TailFault> {
        loop {
            let (as_of, begun) = (Moment::now(), Instant::now());
            let Changes { head, changes } = self.store.changes(self.revoked.sequence(), AT_ONCE).await?;
            metrics::store_read(begun.elapsed());
            if head.keys != told.current.load().keys() {
                // Whoever reads them may not look for a while.
                told.status.wake();
            }
            self.check(&head)?;
            if Some(head.epoch) != self.revoked.epoch() || self.may_have_missed_a_lifting() {
                return self.begin_anew(told).await;
            }
            let last = changes.last().map(|change| change.seq);
            let is_all = changes.len() < AT_ONCE as usize;
            let sequence = if is_all { head.revocation } else { last.unwrap_or(head.revocation) };
            if sequence > self.revoked.sequence() {
                let tick = self.tick(sequence, known_at, changes);
                let mut next = Revoked::clone(&self.revoked);
                next.follow(&tick).inspect_err(|_| self.broken = Some(known_at + TIDY))?;
                self.revoked = Arc::new(next);
                told.current.revise(Arc::clone(&self.revoked));
                if is_all {
                    self.is_complete(told, as_of);
                }
                told.registry.expect(head.epoch, sequence, known_at);
                told.publications.advance(&Arc::new(tick));
            } else {
                self.is_complete(told, as_of);
            }
            if is_all {
                return Ok(());
            }
        }
    }

    fn is_complete(&mut self, told: &Told, as_of: Moment) {
        self.as_of = as_of;
        told.current.set_revocations_as_of(as_of);
    }

    fn tick(&mut self, sequence: u64, known_at: Instant, rows: Vec<store::Change>) -> Tick {
        let (reading, previous) = (self.revoked.reading(), self.revoked.sequence());
        let changes = rows.into_iter().map(|row| self.change(row)).collect();
        Tick { reading, previous, sequence, known_at, changes }
    }

    /// Hashes it, and counts it.
    fn change(&mut self, row: store::Change) -> Change {
        let (level, expires_at) = (row.level, row.expires_at);
        let change = self.names.change(row);
        let is_known = self.revoked.all().contains(change.what.hash());
        match change.what {
            Revision::Revoke(_) if !is_known => self.counts.add(level, expires_at),
            Revision::Lift(_) if is_known => self.counts.remove(level, expires_at),
            _ => {}
        }
        change
    }

    /// Refuses a store that is older than it was, and one that has been, until its next epoch.
    fn check(&mut self, head: &Head) -> Result<(), WentBack> {
        let (known, found) = (self.known, (head.epoch, head.revocation));
        // What this server commits there may have been first to tell of the next epoch.
        self.went_back.take_if(|went_back| found.0 > went_back.known.0);
        if found < known && self.went_back.is_none() {
            let went_back = WentBack { known, found };
            tracing::error!(error = %went_back, "nothing is read of the store any more");
            self.went_back = Some(went_back);
        }
        self.went_back.map_or(Ok(()), Err)?;
        self.known = found;
        Ok(())
    }

    /// Forgets what has expired, and shows what is left.
    async fn tidy(&mut self, told: &Told) {
        // While the store does not answer nothing comes that takes room.
        let Ok(now) = self.now().await else { return };
        let mut revoked = Revoked::clone(&self.revoked);
        if revoked.expire(now) {
            self.revoked = Arc::new(revoked);
            told.current.revise(Arc::clone(&self.revoked));
            told.publications.forget_expired();
        }
        self.counts.show(now);
    }
}

/// Returns when something was committed that is not in `revoked`.
async fn next_of(committed: &mut watch::Receiver<Head>, revoked: &Revoked) {
    let is_news = |head: &Head| {
        head.revocation > revoked.sequence() || revoked.epoch().is_some_and(|epoch| head.epoch != epoch)
    };
    loop {
        if committed.changed().await.is_err() {
            // Nobody writes here any more.
            return std::future::pending().await;
        }
        if is_news(&committed.borrow_and_update()) {
            return;
        }
    }
}
