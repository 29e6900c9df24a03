//! `writ audit verify`.

use std::path::Path;

use audit::{ChainKey, Checkpoint, Fault, Report};
use serde_json::json;
use store::Store;

use super::args::VerifyArgs;
use crate::{
    audit::verify,
    cli::{
        Done,
        exit::Failure,
        input,
        output::{self, BAD, GOOD, NOTE, paint},
        published::{shared_keys, wait},
        words::{Plain, date},
    },
    config::resolve,
};

pub(super) fn run(args: &VerifyArgs) -> Done {
    let VerifyArgs { checkpoint, places, json } = args;
    let config = resolve(places.overrides())?;
    let (_, secrets) = shared_keys(&config)?;
    let key = secrets.audit_key();
    let checkpoint = checkpoint.as_deref().map(|file| read(key, file)).transpose()?;
    let store = Store::existing(config.store);
    let report = wait(verify(&store, key, checkpoint.as_ref()))?.map_err(|error| Failure::failed(&error))?;
    let done = if *json {
        let Report { writers, batches, events, findings, more } = &report;
        let checkpoint = checkpoint.as_ref().map(Checkpoint::at);
        let result = json!({
            "verified": is_good(&report),
            "writers": writers,
            "batches": batches,
            "events": events,
            "checkpoint_at": checkpoint,
            "findings": findings,
            "more_findings": more,
        });
        output::result(&result.to_string())
    } else {
        output::styled(&told(&report, checkpoint.as_ref()))
    };
    done.map_err(|error| Failure::failed(&error))?;
    if is_good(&report) { Ok(()) } else { Err(Failure::failed_as_shown()) }
}

/// A store that has keys was served from, and every server that starts is a writer: no log at all is one that is gone.
fn is_good(report: &Report) -> bool {
    report.is_clean() && report.writers > 0
}

fn read(key: &ChainKey, file: &Path) -> Result<Checkpoint, Failure> {
    let text = input::read_text(file, "a checkpoint")?;
    Checkpoint::read(key, text.as_bytes())
        .map_err(|error| Failure::failed(&format!("`{}` {error}", file.display())))
}

fn told(report: &Report, checkpoint: Option<&Checkpoint>) -> String {
    let Report { writers, batches, events, findings, more } = report;
    let mut lines: Vec<String> =
        findings.iter().map(|finding| paint(BAD, Plain(&finding.to_string()))).collect();
    if *more > 0 {
        lines.push(paint(BAD, format!("and {more} more")));
    }
    let is_forged = |fault: &Fault| matches!(fault, Fault::Forged | Fault::HeadForged);
    if *batches > 0 && findings.iter().filter(|finding| is_forged(&finding.fault)).count() as u64 > *batches {
        lines.push(paint(NOTE, "nothing at all was sealed with this key: it may be the key of another log"));
    }
    let against = match checkpoint {
        Some(checkpoint) => format!(", and all that was there at {}", date(checkpoint.at() / 1000)),
        None => String::new(),
    };
    let read = format!("{events} events in {batches} batches of {writers} writers{against}");
    if *writers == 0 {
        lines.push(paint(BAD, "there is no log, and every server that was ever started here has left one"));
    }
    lines.push(match findings.len() {
        _ if *writers == 0 => paint(BAD, format!("not as it was written: {read}")),
        0 => paint(GOOD, format!("as it was written: {read}")),
        _ => paint(BAD, format!("not as it was written: {read}")),
    });
    lines.join("\n")
}
