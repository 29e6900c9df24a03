//! Revocations as JSON. The members are stable; what is not there is `null`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use store::{Level, Lifted, Revocation};
use thiserror::Error;

/// A level as operators write it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct LevelName(pub(super) Level);

/// A text that names no level.
#[derive(Debug, Error)]
#[error("is none of token, delegation, task, agent, subject, client, key")]
pub(super) struct UnknownLevel;

impl FromStr for LevelName {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        // A delegation is the token at that link: whatever was exchanged for it has it in its lineage.
        let text = if text == "delegation" { Level::Token.name() } else { text };
        text.parse().map(Self).map_err(|_| UnknownLevel)
    }
}

impl TryFrom<String> for LevelName {
    type Error = UnknownLevel;

    fn try_from(text: String) -> Result<Self, UnknownLevel> {
        text.parse()
    }
}

#[derive(Serialize)]
pub(super) struct RevocationView {
    seq: u64,
    level: &'static str,
    name: String,
    reason: Option<String>,
    revoked_by: String,
    revoked_at: u64,
    /// After this Unix second there is nothing left that it could refuse; `null`: it stands until it is lifted.
    expires_at: Option<u64>,
    /// Whether it refuses now.
    stands: bool,
    lifted_by: Option<String>,
    lifted_at: Option<u64>,
}

impl RevocationView {
    /// A revocation as it is at `now`, Unix seconds.
    pub(super) fn new(revocation: Revocation, now: u64) -> Self {
        let stands = revocation.stands(now);
        let Revocation { seq, level, name, audience: _, reason, by, at, expires_at, lifted } = revocation;
        let (lifted_by, lifted_at) = lifted.map(|Lifted { seq: _, by, at }| (by, at)).unzip();
        Self {
            seq,
            level: level.name(),
            name,
            reason,
            revoked_by: by,
            revoked_at: at,
            expires_at,
            stands,
            lifted_by,
            lifted_at,
        }
    }
}
