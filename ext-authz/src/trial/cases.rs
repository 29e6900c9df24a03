//! `*.cases.yaml`: expected decisions. `policies/README.md` describes the format.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use policy::Policy;
use serde::Deserialize;
use serde_saphyr::Spanned;
use thiserror::Error;
use verdict::{DenialCode, Grant, PermitKind, Verdict};

use super::{RequestLine, Trial, TrialError};
use crate::{files::FileError, issue::Uncovered, yaml};

/// One file.
#[derive(Debug)]
pub struct CaseFile {
    path: PathBuf,
    grants: Vec<Grant>,
    cases: Vec<Spanned<Case>>,
}

/// One expected decision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Whether the request carries the token.
    #[serde(default = "yes")]
    pub token: bool,
    /// The request.
    pub request: RequestLine,
    /// `allow`, `exempt`, `shadowed`, or the code of the denial.
    pub expect: String,
}

/// What became of a case.
#[derive(Debug)]
pub struct Outcome<'c> {
    /// Its file.
    pub file: &'c Path,
    /// Its line, from 1.
    pub line: u64,
    /// The case.
    pub case: &'c Case,
    /// What was decided, in the words of [`Case::expect`].
    pub decided: &'static str,
    /// Why, where it was denied.
    pub detail: Option<String>,
}

/// Why a file cannot be used.
#[derive(Debug, Error)]
pub enum CaseFileError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something in it is wrong.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong there.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    client: Spanned<String>,
    grants: Spanned<Vec<serde_json::Map<String, serde_json::Value>>>,
    cases: Vec<Spanned<Case>>,
}

fn yes() -> bool {
    true
}

impl CaseFile {
    /// The case files that are directly in a directory, by name.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
        let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| FileError::new("read directory", directory, error))?;
        let is_cases = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && (name.ends_with(".cases.yaml") || name.ends_with(".cases.yml"))
        };
        let mut files: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(is_cases).collect();
        files.sort();
        Ok(files)
    }

    /// Reads a file of cases for `policy`.
    ///
    /// # Errors
    /// It is not one; its client could not have its grants; or a case expects what is no decision.
    pub fn read(path: PathBuf, policy: &Policy) -> Result<Self, CaseFileError> {
        let text = fs::read_to_string(&path).map_err(|error| FileError::new("read", &path, error))?;
        let content =
            |(line, column), reason| CaseFileError::Content { path: path.clone(), line, column, reason };
        let Written { client, grants, cases } =
            yaml::from_str(&text).map_err(|fault| content((fault.line, fault.column), fault.reason))?;
        let parsed = parse_grants(&grants.value).map_err(|reason| content(place(&grants), reason))?;
        let Some(known) = policy.clients().get(&client.value) else {
            return Err(content(place(&client), format!("`{}` is no client of the policy", client.value)));
        };
        let covered =
            |grant: &Grant| known.may_request.iter().any(|ceiling| grant.covered_by(&ceiling.grant));
        if let Some((index, grant)) = parsed.iter().enumerate().find(|(_, grant)| !covered(grant)) {
            let why = Uncovered::of(grant, known.may_request.iter().map(|ceiling| &ceiling.grant));
            let reason = format!("grants[{index}]: more than client `{}` may request{why}", client.value);
            return Err(content(place(&grants), reason));
        }
        if let Some(case) = cases.iter().find(|case| !is_decision(&case.value.expect)) {
            let reason = format!("expect: `{}` is no decision and no code of a denial", case.value.expect);
            return Err(content(place(case), reason));
        }
        Ok(Self { path, grants: parsed, cases })
    }

    /// The cases.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().map(|case| &case.value)
    }

    /// Decides each case.
    ///
    /// # Errors
    /// See [`TrialError`].
    pub fn run<'c>(&'c self, trial: &Trial) -> Result<Vec<Outcome<'c>>, TrialError> {
        let decide = |case: &'c Spanned<Case>| {
            let verdict = trial.judge(&case.value.request, case.value.token.then_some(&*self.grants))?;
            let (decided, detail) = match verdict {
                Verdict::Allow(permit) => (name_of(permit.kind()), None),
                Verdict::Deny(denial) => (denial.code().as_str(), Some(denial.detail().to_owned())),
                Verdict::NeedsBody(_) => ("none", Some(super::UNKNOWN_BODY.to_owned())),
                Verdict::NeedsUse(_) => (DenialCode::ServerUnavailable.as_str(), None),
            };
            Ok(Outcome { file: &self.path, line: place(case).0, case: &case.value, decided, detail })
        };
        self.cases.iter().map(decide).collect()
    }
}

impl Outcome<'_> {
    /// Whether it was decided as expected.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.decided == self.case.expect
    }
}

/// The grants, read as those of a token are.
fn parse_grants(written: &[serde_json::Map<String, serde_json::Value>]) -> Result<Vec<Grant>, String> {
    let mut grants = written.to_vec();
    for grant in &mut grants {
        grant.insert("type".to_owned(), "task_grant".into());
    }
    let json = serde_json::to_vec(&grants).map_err(|error| error.to_string())?;
    Grant::parse_list(&json).map_err(|error| format!("grants: {error}"))
}

fn place<T>(value: &Spanned<T>) -> (u64, u64) {
    (value.referenced.line(), value.referenced.column())
}

fn name_of(kind: PermitKind) -> &'static str {
    match kind {
        PermitKind::Granted => "allow",
        PermitKind::Exempt => "exempt",
        PermitKind::Shadowed => "shadowed",
    }
}

fn is_decision(text: &str) -> bool {
    let permits = [PermitKind::Granted, PermitKind::Exempt, PermitKind::Shadowed];
    permits.into_iter().any(|kind| name_of(kind) == text)
        || DenialCode::ALL.iter().any(|code| code.as_str() == text)
}
