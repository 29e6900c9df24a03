//! What was decided elsewhere: counted, and shown to whoever debugs.

use std::collections::BTreeMap;

use prost::Message as _;
use proto::v1::Decision;
use tonic::Status;

use super::{registry::Entry, wire::Report};
use crate::telemetry::feed;

/// Most bytes of one member that are logged.
const SHOWN: usize = 256;
/// Most requests that one report speaks of. A watcher reports every second or so; counters that wrap tell nothing.
const REQUESTS: u64 = 10_000_000;

/// Counts a report. Its decisions are looked at one after another, so that many of them take no more memory than one.
pub(super) fn take(data_plane: &str, entry: &Entry, report: Report) -> Result<(), Status> {
    let Report { decisions, dropped, decided, refused: _ } = report;
    if decided.max(dropped) > REQUESTS {
        let reason = format!("a report speaks of at most {REQUESTS} requests");
        return Err(Status::invalid_argument(reason));
    }
    let mut counts = BTreeMap::<&'static str, u64>::new();
    for decision in decisions {
        let decision = Decision::decode(decision)
            .map_err(|error| Status::invalid_argument(format!("no Decision: {error}")))?;
        *counts.entry(feed::known_verdict(&decision.verdict)).or_default() += 1;
        log(data_plane, &decision);
    }
    for (verdict, count) in counts {
        feed::decisions_reported(verdict, count);
    }
    feed::reported(decided, dropped);
    entry.reported(decided, dropped);
    Ok(())
}

fn log(data_plane: &str, decision: &Decision) {
    let Decision { at, verdict, shadow, host, action, resource, task, agent, client, jti } = decision;
    let shown = |text: &str| text.chars().take(SHOWN).collect::<String>().escape_debug().to_string();
    // Nothing is made where nobody looks.
    if tracing::enabled!(tracing::Level::DEBUG) {
        tracing::debug!(
            data_plane,
            at,
            verdict = shown(verdict),
            shadow,
            host = shown(host),
            action = shown(action),
            resource = shown(resource),
            task = shown(task),
            agent = shown(agent),
            client = shown(client),
            jti = shown(jti),
            "decided"
        );
    }
}
