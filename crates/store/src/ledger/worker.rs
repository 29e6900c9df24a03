//! The task that writes.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use audit::{Batch, Chain, Lines};
use sqlx::Executor as _;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    Write, WriteError, Written,
    apply::{Done, apply},
    load::{begin, catch_up, load},
    memory::Memory,
    queue::{Answer, Order, Queue, Shared, Timing},
    save::{self, is_kept, save},
    view::View,
};
use crate::{
    Head,
    error::Fault,
    link::{Link, on_link},
    store::{Store, bounded},
};

/// Between attempts to learn what became of a commit.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Worker {
    store: Store,
    /// `None` after a failure: the next turn connects.
    link: Option<Link>,
    /// Empty after a failure.
    memory: Memory,
    chain: Chain,
    /// The name that the chain began with.
    writer: String,
    /// The epoch of the chain.
    epoch: u64,
    shared: Arc<Shared>,
    committed: watch::Sender<Head>,
    /// A commit of which nobody knows whether it was made.
    unsettled: Option<Unsettled>,
}

struct Unsettled {
    batch: Batch,
    head: Head,
    answers: Answers,
    fault: Fault,
}

/// Who waits for a commit, and for what.
type Answers = Vec<(Answer, Outcome)>;
type Outcome = Result<Written, WriteError>;

impl Worker {
    pub(super) fn new(
        store: Store,
        link: Link,
        chain: Chain,
        epoch: u64,
        shared: Arc<Shared>,
        committed: watch::Sender<Head>,
    ) -> Self {
        let writer = chain.head().writer.clone();
        Self {
            store,
            link: Some(link),
            memory: Memory::default(),
            chain,
            writer,
            epoch,
            shared,
            committed,
            unsettled: None,
        }
    }

    pub(super) async fn run(mut self, mut queue: Queue) {
        loop {
            let orders = if self.unsettled.is_some() {
                timeout(PAUSE, queue.take()).await.unwrap_or(Some(Vec::new()))
            } else {
                queue.take().await
            };
            let Some(orders) = orders else { break };
            self.turn(orders).await;
            if self.unsettled.is_some() {
                // At once: most often the connection alone broke, and the callers wait.
                self.turn(Vec::new()).await;
            }
        }
        if self.unsettled.is_some() {
            self.turn(Vec::new()).await;
        }
    }

    /// Writes `orders`, or answers all of them with what is in the way.
    async fn turn(&mut self, orders: Vec<Order>) {
        let began = Instant::now();
        for order in &orders {
            self.shared.observe(Timing::Waited(began.duration_since(order.since)));
        }
        let (mut link, mut view) = match bounded(self.begin()).await {
            Ok(begun) => begun,
            Err(fault) => return self.fail(orders.into_iter().map(|order| order.answer), &fault),
        };
        let mut writes = Vec::with_capacity(orders.len());
        let (mut answers, mut places) = (Vec::with_capacity(orders.len()), Vec::with_capacity(orders.len()));
        // It may have taken long to get here: who was told that it failed should be told the truth.
        for Order { write, events, answer, since: _, place } in orders.into_iter().filter(Order::is_awaited) {
            writes.push((write, events));
            answers.push(answer);
            places.push(place);
        }
        let (outcomes, batch) = match bounded(prepare(&mut link, &mut view, writes, &self.chain)).await {
            Ok(prepared) => prepared,
            // The connection is closed, and what it had begun is rolled back.
            Err(fault) => return self.fail(answers, &fault),
        };
        let answers: Answers = answers.into_iter().zip(outcomes).collect();
        match batch {
            Some(batch) => {
                self.commit(link, batch, view, answers).await;
                self.shared.observe(Timing::Committed(began.elapsed()));
            }
            None => {
                self.memory = view.into_memory();
                if bounded(roll_back(&mut link)).await.is_ok() {
                    self.link = Some(link);
                }
                self.answer(answers);
            }
        }
    }

    /// Locks the store, and finds out what became of the commit before, if nobody knows.
    async fn begin(&mut self) -> Result<(Link, View), Fault> {
        let (mut link, head) = self.lock().await?;
        if let Some(Unsettled { batch, .. }) = &self.unsettled {
            // Whoever was committing held the lock until it was done: what is not there now never will be.
            let is_kept = is_kept(&mut link, batch).await?;
            if let Some(Unsettled { batch, head, answers, fault }) = self.unsettled.take() {
                if is_kept {
                    self.committed(&batch, head, answers);
                } else {
                    self.fail(answers.into_iter().map(|(answer, _)| answer), &fault);
                }
            }
        }
        if head.epoch != self.epoch {
            // The store is another than the one that the chain was written to: its end may be missing there.
            self.epoch = head.epoch;
            let writer = format!("{}.{}", self.writer, self.epoch);
            self.chain = Chain::begin(writer, self.chain.key().clone());
        }
        let mut memory = std::mem::take(&mut self.memory);
        catch_up(&mut link, &mut memory, &head).await?;
        Ok((link, View::new(head, memory)))
    }

    async fn lock(&mut self) -> Result<(Link, Head), Fault> {
        let location = self.store.location();
        if let Some(mut link) = self.link.take().filter(|link| link.leads_to(location))
            // One that broke while nobody used it is no reason to fail.
            && let Ok(head) = begin(&mut link).await
        {
            return Ok((link, head));
        }
        // Another file, or another server, may be there now.
        self.memory.clear();
        let mut link = self.store.connect().await?;
        let head = begin(&mut link).await?;
        Ok((link, head))
    }

    async fn commit(&mut self, mut link: Link, batch: Batch, view: View, answers: Answers) {
        let head = view.head;
        match bounded(save::commit(&mut link, &batch)).await {
            Ok(()) => {
                self.link = Some(link);
                self.memory = view.into_memory();
                self.committed(&batch, head, answers);
            }
            // What can be rolled back was not committed.
            Err(fault)
                if !matches!(fault, Fault::TimedOut(_)) && bounded(roll_back(&mut link)).await.is_ok() =>
            {
                self.fail(answers.into_iter().map(|(answer, _)| answer), &fault);
            }
            Err(fault) => self.unsettled = Some(Unsettled { batch, head, answers, fault }),
        }
    }

    fn committed(&mut self, batch: &Batch, head: Head, answers: Answers) {
        self.chain.advance(batch);
        self.shared.batches.fetch_add(1, Ordering::Relaxed);
        self.shared.events.fetch_add(batch.events, Ordering::Relaxed);
        self.shared.committed_at.store(batch.sealed_at, Ordering::Relaxed);
        self.committed.send_replace(head);
        self.answer(answers);
    }

    fn answer(&self, answers: Answers) {
        self.shared.operations.fetch_add(answers.len() as u64, Ordering::Relaxed);
        for (answer, outcome) in answers {
            // Whoever asked may have gone.
            let _ = answer.send(outcome);
        }
    }

    fn fail(&self, answers: impl IntoIterator<Item = Answer>, fault: &Fault) {
        self.shared.failed.fetch_add(1, Ordering::Relaxed);
        let error = self.store.error(fault.clone());
        for answer in answers {
            let _ = answer.send(Err(WriteError::Store(error.clone())));
        }
    }
}

/// Does everything but keeping the events, with which it is committed. There is no batch if there is nothing to commit.
async fn prepare(
    link: &mut Link,
    view: &mut View,
    writes: Vec<(Write, Lines)>,
    chain: &Chain,
) -> Result<(Vec<Outcome>, Option<Batch>), Fault> {
    let before = view.head;
    load(link, view, writes.iter().map(|(write, _)| write)).await?;
    let at = now_millis();
    let mut lines = Lines::new();
    let mut outcomes = Vec::with_capacity(writes.len());
    for (write, events) in writes {
        outcomes.push(apply(view, write, at).map(|Done { written, is_news, beside }| {
            if is_news {
                lines.append(&events);
                lines.append(&beside);
            }
            written
        }));
    }
    if lines.is_empty() && !view.changes().any && !view.limits.is_changed() && view.head == before {
        return Ok((outcomes, None));
    }
    save(link, view, before).await?;
    Ok((outcomes, Some(chain.seal(lines, at))))
}

async fn roll_back(link: &mut Link) -> Result<(), Fault> {
    on_link!(link, connection => connection.execute("ROLLBACK").await.map(|_| ()))?;
    Ok(())
}

fn now_millis() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    u64::try_from(elapsed).unwrap_or(u64::MAX)
}
