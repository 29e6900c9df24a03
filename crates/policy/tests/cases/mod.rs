//! `*.cases.yaml`: expected decisions, and a forge for the tokens they need.

mod forge;

use std::{fs, path::Path};

pub(crate) use forge::Forge;
use serde::Deserialize;
use verdict::Grant;

/// One file; `policies/README.md` describes the format.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    pub(crate) client: String,
    grants: Vec<serde_json::Map<String, serde_json::Value>>,
    pub(crate) cases: Vec<Case>,
}

/// One expected decision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default = "yes")]
    pub(crate) token: bool,
    pub(crate) request: RequestLine,
    pub(crate) expect: String,
}

/// The request of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestLine {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) body: bool,
}

fn yes() -> bool {
    true
}

impl CaseFile {
    /// Every case file of a directory, with its name.
    pub(crate) fn all(dir: &Path) -> Vec<(String, Self)> {
        let mut files: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(".cases.yaml"))
            .map(|path| {
                let text = fs::read_to_string(&path).unwrap();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let file = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
                (name, file)
            })
            .collect();
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        files
    }

    /// The grants, read as those of a token are.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        let mut grants = self.grants.clone();
        for grant in &mut grants {
            grant.insert("type".to_owned(), "task_grant".into());
        }
        Grant::parse_list(serde_json::to_string(&grants).unwrap().as_bytes()).unwrap()
    }
}
