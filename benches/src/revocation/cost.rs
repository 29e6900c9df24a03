//! What the feed sends and computes for each revocation.
//!
//! The revocations are another replica's, so that the server does nothing else: it reads them and tells its watchers, which
//! are in this process, on the same machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use audit::{Chain, ChainKey, Event, EventKind, Lines};
use harness::{Result, error::unexpected};
use store::{Ledger, Level, NewRevocation, Write, Written};
use test_databases::Database;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    Options,
    streams::Streams,
    world::{fleet, metric, name},
};
use crate::cpu;

/// How often some of them are written.
const STEP: Duration = Duration::from_millis(10);
/// How long they stand.
const STANDS: u64 = 3600;

/// What was measured.
pub(super) struct Cost {
    pub(super) streams: usize,
    pub(super) revocations: u64,
    /// From the first of them until the last watcher held the last.
    pub(super) took: Duration,
    /// From the acknowledgement of the last until the last watcher held it.
    pub(super) behind: Duration,
    /// CPU time of the server.
    pub(super) cpu: Duration,
    /// Messages that the server sent, and their bytes.
    pub(super) messages: f64,
    pub(super) bytes: f64,
    /// The server's resident memory for each stream, bytes.
    pub(super) memory: u64,
    /// CPU time of the server in as long a time without a revocation.
    pub(super) idle: Duration,
}

pub(super) async fn measure(options: &Options) -> Result<Cost> {
    let database = Database::postgres();
    let fleet = fleet(&[database.url()]).await?;
    let server = fleet.server(0)?;
    let chain = Chain::begin("bench".to_owned(), ChainKey::from_bytes([7; 32]));
    let location = database.url().parse().map_err(unexpected)?;
    let (ledger, writing) = Ledger::open(location, chain).await.map_err(unexpected)?;
    tokio::spawn(writing);
    let resident = cpu::resident(server.id())?;
    let mut streams = Streams::open(server, options.streams).await?;
    let memory = cpu::resident(server.id())?.saturating_sub(resident) / options.streams.max(1) as u64;

    let before = cpu::time(server.id())?;
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let idle = cpu::time(server.id())? - before;

    let before = cpu::time(server.id())?;
    let began = Instant::now();
    let last = write(&ledger, options).await?;
    let acknowledged = Instant::now();
    let held = streams.hold(last).await?;
    Ok(Cost {
        streams: options.streams,
        revocations: last,
        took: held.duration_since(began),
        behind: held.saturating_duration_since(acknowledged),
        cpu: cpu::time(server.id())? - before,
        messages: metric(&fleet, 0, "writ_feed_deltas_total").await?,
        bytes: metric(&fleet, 0, "writ_feed_delta_bytes_total").await?,
        memory,
        idle,
    })
}

/// Writes so many a second; the place of the last.
async fn write(ledger: &Ledger, options: &Options) -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(unexpected)?.as_secs();
    let mut steps = interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let each = options.rate * u64::try_from(STEP.as_millis()).map_err(unexpected)? / 1000;
    let count = options.rate * options.seconds / each.max(1);
    let mut writes = JoinSet::new();
    let mut last = 0;
    for step in 0..count {
        steps.tick().await;
        for number in 0..each.max(1) {
            let (ledger, number) = (ledger.clone(), step * each + number);
            writes.spawn(async move { ledger.write(revocation(number, now), event(now)).await });
        }
        while let Some(written) = writes.try_join_next() {
            last = last.max(place(written.map_err(unexpected)?.map_err(unexpected)?)?);
        }
    }
    while let Some(written) = writes.join_next().await {
        last = last.max(place(written.map_err(unexpected)?.map_err(unexpected)?)?);
    }
    Ok(last)
}

fn revocation(number: u64, now: u64) -> Write {
    Write::Revoke(NewRevocation {
        level: Level::Task,
        name: name(usize::try_from(number).unwrap_or(usize::MAX)),
        audience: None,
        reason: None,
        by: "bench".to_owned(),
        now,
        expires_at: Some(now + STANDS),
    })
}

fn event(now: u64) -> Lines {
    Lines::of(&Event { at: now * 1000, event: EventKind::TaskCompleted, ..Event::default() })
}

fn place(written: Written) -> Result<u64> {
    match written {
        Written::Revoked { revocation, .. } => Ok(revocation.seq),
        other => Err(unexpected(format!("not revoked: {other:?}"))),
    }
}
