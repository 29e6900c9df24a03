//! `writ policy lint`.

use policy::lint::{Finding, Level, lint};
use serde_json::{Value, json};

use super::{args::LintArgs, load};
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, NOTE, STRONG, paint},
        words::Plain,
    },
    config::PolicySource,
};

pub(super) fn run(args: &LintArgs) -> Done {
    let (config, policy) = load(&args.places)?;
    // As with `check`: what is said of the example must not pass for the operator's policy.
    if let PolicySource::Example = config.policy {
        let reason = "no policy directory: name one with --policy-dir, or run this where `policies` is";
        return Err(Failure::bad_configuration(&reason));
    }
    let (allowed, findings): (Vec<_>, Vec<_>) = lint(&policy)
        .into_iter()
        .partition(|finding| args.allow.iter().any(|code| code == finding.code.as_str()));
    let warnings = findings.iter().filter(|finding| finding.code.level() == Level::Warning).count();
    let notes = findings.len().saturating_sub(warnings);
    let done = if args.json {
        let findings: Vec<_> = findings.iter().map(shown).collect();
        let summary =
            json!({"warnings": warnings, "notes": notes, "allowed": allowed.len(), "findings": findings});
        output::result(&summary.to_string())
    } else {
        let mut lines: Vec<String> = findings.iter().flat_map(lines).collect();
        lines.push(format!("warnings {warnings}, notes {notes}, allowed {}", allowed.len()));
        output::styled(&lines.join("\n"))
    };
    done.map_err(|error| Failure::failed(&error))?;
    if args.deny && warnings > 0 { Err(Failure::failed_as_shown()) } else { Ok(()) }
}

/// The finding, and below it what to do.
fn lines(finding: &Finding) -> [String; 2] {
    let Finding { place, code, what, advice } = finding;
    let place = place.as_ref().map(|place| format!("{}:{}: ", place.file, place.line)).unwrap_or_default();
    let level = format!("{}[{code}]", code.level().as_str());
    let style = if code.level() == Level::Warning { NOTE } else { STRONG };
    [format!("{}{}: {}", Plain(&place), paint(style, level), Plain(what)), format!("    {}", Plain(advice))]
}

fn shown(finding: &Finding) -> Value {
    let Finding { place, code, what, advice } = finding;
    json!({
        "code": code.as_str(), "level": code.level().as_str(), "what": what, "advice": advice,
        "file": place.as_ref().map(|place| &place.file), "line": place.as_ref().map(|place| place.line),
    })
}
