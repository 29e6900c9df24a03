//! Revocations: what they are.

mod read;
pub(crate) mod row;

pub use read::{Change, Changes, RevocationFilter};

use crate::Level;

/// How long a revocation is kept after the last token that it could refuse has expired, seconds: the leeway that verdicts
/// tolerate, at most 5 s, and a minute.
pub const MARGIN: u64 = 65;

/// Something that is refused wherever it is presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its place in the order of all changes.
    pub seq: u64,
    /// As what.
    pub level: Level,
    /// Which.
    pub name: String,
    /// The one audience it can matter to; `None` for all.
    pub audience: Option<String>,
    /// Why, for people to read.
    pub reason: Option<String>,
    /// Who revoked it.
    pub by: String,
    /// When, Unix seconds.
    pub at: u64,
    /// After this instant nothing is left that it could refuse, Unix seconds; `None`: it stands until it is lifted.
    pub expires_at: Option<u64>,
    /// That it was taken back.
    pub lifted: Option<Lifted>,
}

/// That a revocation was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// Its own place in the order.
    pub seq: u64,
    /// Who did it.
    pub by: String,
    /// When, Unix seconds.
    pub at: u64,
}

/// A revocation to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRevocation {
    /// As what.
    pub level: Level,
    /// Which.
    pub name: String,
    /// See [`Revocation::audience`].
    pub audience: Option<String>,
    /// See [`Revocation::reason`].
    pub reason: Option<String>,
    /// Who.
    pub by: String,
    /// Unix seconds.
    pub now: u64,
    /// When it may be forgotten, with [`MARGIN`] in it, Unix seconds; `None`: it stands until it is lifted. Of a task that
    /// the store knows, the store knows it too.
    pub expires_at: Option<u64>,
}

impl Revocation {
    /// Whether it refuses at the instant `now`, Unix seconds.
    #[must_use]
    pub fn stands(&self, now: u64) -> bool {
        self.lifted.is_none() && self.expires_at.is_none_or(|expires_at| expires_at > now)
    }
}
