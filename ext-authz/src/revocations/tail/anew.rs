//! Reading everything: at the start, and where what was read before cannot be continued.

use std::sync::Arc;

use store::{Changes, StoreError};
use tokio::time::Instant;
use verdict::{
    UnixTime,
    revocation::{Full, MAX},
};

use super::{Counts, TIDY, Tail, Told};
use crate::{
    clock::{self, Moment},
    revocations::{Change, Revoked, TailFault},
    telemetry::revocations as metrics,
};

impl Tail {
    /// Reads everything, and tells all to begin with it.
    pub(super) async fn begin_anew(&mut self, told: &Told) -> Result<(), TailFault> {
        self.read_all().await.inspect_err(|fault| {
            if matches!(fault, TailFault::Full(_)) {
                self.broken = Some(Instant::now() + TIDY);
            }
        })?;
        (self.broken, self.unread) = (None, None);
        let (epoch, sequence) = (self.revoked.epoch(), self.revoked.sequence());
        tracing::info!(epoch, sequence, revoked = self.revoked.all().len(), "read all revocations");
        self.begin(&told.current, &told.status);
        Ok(())
    }

    pub(super) async fn read_all(&mut self) -> Result<(), TailFault> {
        let (as_of, begun) = (Moment::now(), Instant::now());
        let now = self.now().await?.0;
        // Counted first: what does not fit is not worth being sent again and again.
        if self.store.count_live_revocations(now).await? > MAX as u64 {
            return Err(Full.into());
        }
        let Changes { head, changes } = self.store.live_revocations(now).await?;
        metrics::store_read(begun.elapsed());
        self.check(&head)?;
        self.counts = Counts::default();
        for row in &changes {
            self.counts.add(row.level, row.expires_at);
        }
        let changes: Vec<Change> = changes.into_iter().map(|row| self.names.change(row)).collect();
        let reading = self.revoked.reading() + 1;
        let mut revoked = Revoked::nothing(head.epoch, reading, self.scopes.iter().cloned());
        revoked.begin(head.revocation, &changes)?;
        self.revoked = Arc::new(revoked);
        self.as_of = as_of;
        Ok(())
    }

    /// Whether the last complete read is so long ago that rows of what was lifted since may be gone: whoever reads on would
    /// refuse for ever what nobody refuses any more. Half of the time that they are kept, because clocks differ.
    pub(super) fn may_have_missed_a_lifting(&self) -> bool {
        let away = clock::now_millis().0.saturating_sub(self.as_of.at_latest().0);
        u128::from(away) >= self.lifted_kept.as_millis() / 2
    }

    /// The time by which revocations are forgotten: a clock that is ahead for a while must not lose any.
    pub(super) async fn now(&mut self) -> Result<UnixTime, StoreError> {
        self.store.earliest(self.clock.now().0).await.map(UnixTime)
    }
}
