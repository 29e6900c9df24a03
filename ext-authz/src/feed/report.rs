//! What was decided elsewhere: counted, and shown to whoever debugs.

use std::{collections::BTreeMap, sync::Arc};

use audit::Lines;
use prost::Message as _;
use proto::v1::{Decision, Refused};
use tonic::Status;

use super::{
    registry::{Entry, bounded},
    wire::Report,
};
use crate::{
    audit::{Recorder, reported},
    clock,
    telemetry::feed,
};

/// Most bytes of one member that are logged.
const SHOWN: usize = 256;
/// Longest host name (RFC 1035 section 3.1).
const HOST: usize = 253;
/// Most requests that one report speaks of. A watcher reports every second or so; counters that wrap tell nothing.
const REQUESTS: u64 = 10_000_000;

/// Counts a report, and has what it tells recorded. Its decisions are looked at one after another, so that many of them take
/// little more memory than their lines in the log.
pub(super) fn take(
    data_plane: &Arc<str>,
    entry: &Entry,
    recorder: &Recorder,
    report: Report,
) -> Result<(), Status> {
    let Report { decisions, dropped, decided, refused } = report;
    let largest = refused.iter().map(|refused| refused.count).fold(decided.max(dropped), u64::max);
    if largest > REQUESTS {
        let reason = format!("a report speaks of at most {REQUESTS} requests");
        return Err(Status::invalid_argument(reason));
    }
    let now = clock::now_millis();
    let mut lines = Lines::new();
    let mut counts = BTreeMap::<&'static str, u64>::new();
    for decision in decisions {
        let decision = Decision::decode(decision)
            .map_err(|error| Status::invalid_argument(format!("no Decision: {error}")))?;
        *counts.entry(feed::known_verdict(&decision.verdict)).or_default() += 1;
        log(data_plane, &decision);
        let event = reported(now, data_plane, &decision);
        if recorder.is_first(&event) {
            lines.push(&event);
        }
    }
    recorder.record_all(&lines);
    recorder.unreported(data_plane, dropped);
    for Refused { code, host, count } in &refused {
        recorder.refused(feed::known_verdict(code), bounded(host, HOST), *count);
    }
    for (verdict, count) in counts {
        feed::decisions_reported(verdict, count);
    }
    feed::reported(decided, dropped);
    entry.reported(decided, dropped);
    Ok(())
}

fn log(data_plane: &str, decision: &Decision) {
    let Decision { at, millis, verdict, shadow, host, action, resource, task, agent, client, jti } = decision;
    let shown = |text: &str| text.chars().take(SHOWN).collect::<String>().escape_debug().to_string();
    // Nothing is made where nobody looks.
    if tracing::enabled!(tracing::Level::DEBUG) {
        tracing::debug!(
            data_plane,
            at,
            millis,
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
