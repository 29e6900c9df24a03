//! How signing keys are kept, and how often they change.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::keys::KeyEncryption;

/// Age at which a signing key is replaced, where nobody says another.
pub(super) const DEFAULT_EVERY: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A key signs at least so long: each of those that are replaced is published until its last token has expired.
const LEAST_EVERY: Duration = Duration::from_secs(60 * 60);

/// Exactly one of the members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyEncryptionFile {
    file: Option<PathBuf>,
    env: Option<String>,
    command: Option<Vec<String>>,
}

/// `off`, or how often.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRotationFile {
    every: Every,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
enum Every {
    Off,
    Age(Duration),
}

impl TryFrom<String> for Every {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let age = policy::duration::parse(&text);
        age.map(Self::Age).map_err(|_| format!("`{text}` is neither `off` nor a duration such as `30d`"))
    }
}

impl KeyEncryptionFile {
    pub(super) fn read(self) -> Result<KeyEncryption, &'static str> {
        let Self { file, env, command } = self;
        match (file, env, command) {
            (Some(path), None, None) => Ok(KeyEncryption::File(path)),
            (None, Some(name), None) if !name.is_empty() && !name.contains(['=', '\0']) => {
                Ok(KeyEncryption::Environment(name))
            }
            (None, Some(_), None) => Err("`env` is no name of an environment variable"),
            (None, None, Some(words)) if words.first().is_some_and(|program| !program.is_empty()) => {
                Ok(KeyEncryption::Command(words))
            }
            (None, None, Some(_)) => Err("`command` names no program"),
            _ => Err("needs one of `file`, `env` and `command`"),
        }
    }
}

impl KeyRotationFile {
    /// `None`: keys change when an operator says so.
    pub(super) fn read(&self) -> Result<Option<Duration>, String> {
        match self.every {
            Every::Off => Ok(None),
            Every::Age(age) if age < LEAST_EVERY => {
                Err(format!("is under {} minutes", LEAST_EVERY.as_secs() / 60))
            }
            Every::Age(age) => Ok(Some(age)),
        }
    }
}
