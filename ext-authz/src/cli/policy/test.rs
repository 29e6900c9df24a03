//! `writ policy test`.

use serde_json::json;

use super::{args::TestArgs, load};
use crate::{
    cli::{Done, exit::Failure, output},
    config::PolicySource,
    trial::{CaseFile, Outcome, Trial},
};

pub(super) fn run(args: &TestArgs) -> Done {
    let (config, policy) = load(&args.places)?;
    let paths = match &config.policy {
        _ if !args.files.is_empty() => args.files.clone(),
        PolicySource::Directory(directory) => {
            let found = CaseFile::list(directory).map_err(|error| Failure::bad_configuration(&error))?;
            if found.is_empty() {
                let reason = format!("no `*.cases.yaml` in `{}`", directory.display());
                return Err(Failure::bad_configuration(&reason));
            }
            found
        }
        PolicySource::Example => {
            return Err(Failure::bad_configuration(&"no policy directory, and no file of cases named"));
        }
    };
    let (files, faults) = read(paths, &policy);
    if !faults.is_empty() {
        return Err(Failure::bad_configuration(&faults.join("\n")));
    }
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error);
    let trial = Trial::new(policy.hosts().to_vec()).map_err(|error| failed(&error))?;
    let mut outcomes = Vec::new();
    for file in &files {
        outcomes.extend(file.run(&trial).map_err(|error| failed(&error))?);
    }
    let wrong: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_expected()).collect();
    let shown =
        if args.json { report(outcomes.len(), &wrong) } else { summary(files.len(), outcomes.len(), &wrong) };
    output::result(&shown).map_err(|error| failed(&error))?;
    if wrong.is_empty() { Ok(()) } else { Err(Failure::failed_as_shown()) }
}

/// All files, and what is wrong with any of them.
fn read(paths: Vec<std::path::PathBuf>, policy: &policy::Policy) -> (Vec<CaseFile>, Vec<String>) {
    let (mut files, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match CaseFile::read(path, policy) {
            Ok(file) => files.push(file),
            Err(error) => faults.push(error.to_string()),
        }
    }
    (files, faults)
}

fn summary(files: usize, cases: usize, wrong: &[&Outcome<'_>]) -> String {
    let mut lines: Vec<String> = wrong
        .iter()
        .map(|outcome| {
            let Outcome { file, line, case, decided, detail } = outcome;
            let detail = detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            let place = format!("{}:{line}", file.display());
            format!("{place}: {}: expected `{}`, got `{decided}`{detail}", case.name, case.expect)
        })
        .collect();
    lines.push(format!("cases {cases}, files {files}, not as expected {}", wrong.len()));
    lines.join("\n")
}

fn report(cases: usize, wrong: &[&Outcome<'_>]) -> String {
    let wrong = wrong.iter().map(|outcome| {
        let Outcome { file, line, case, decided, detail } = outcome;
        json!({
            "file": file, "line": line, "name": case.name,
            "expected": case.expect, "decided": decided, "detail": detail,
        })
    });
    json!({"cases": cases, "failures": wrong.collect::<Vec<_>>()}).to_string()
}
