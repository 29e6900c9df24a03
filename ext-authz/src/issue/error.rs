//! Why no token is issued.

use std::fmt::Display;

use thiserror::Error;
use verdict::token::MAX_TOKEN;

use super::Uncovered;

/// A request for a token that is refused. The message is for the client, about its own request only.
#[derive(Debug, Error)]
pub enum IssueError {
    /// Grants that cannot be read.
    #[error("{0}")]
    Grants(String),
    /// A grant that the client may not have.
    #[error("grants[{index}]: not covered by any entry of the client's `may_request`{why}")]
    OverCeiling {
        /// Which grant.
        index: usize,
        /// What of it.
        why: Uncovered,
    },
    /// A grant that is there already.
    #[error("grants[{index}]: the same as grants[{earlier}]")]
    Duplicate {
        /// Which grant.
        index: usize,
        /// The grant it repeats.
        earlier: usize,
    },
    /// A lifetime over a cap.
    #[error("expires_in: {asked} s is over the cap of {cap} s for {whose}")]
    Lifetime {
        /// What was asked for, seconds.
        asked: u64,
        /// The cap, seconds.
        cap: u64,
        /// Whose cap it is.
        whose: String,
    },
    /// A lifetime of nothing.
    #[error("expires_in: must be at least 1 s")]
    NoLifetime,
    /// An agent that the client may not name.
    #[error("agent: `{0}` is not one of the client's `agents`")]
    Agent(String),
    /// A name that no token can carry.
    #[error("{field}: must be 1 to 255 visible ASCII characters without comma")]
    Name {
        /// Which member.
        field: &'static str,
    },
    /// A name that looks like a SPIFFE ID and is none.
    #[error("{field}: begins with `spiffe://` and is no SPIFFE ID")]
    SpiffeId {
        /// Which member.
        field: &'static str,
    },
    /// No audience, and more than one to choose from.
    #[error("audience: must be named, because the policy has {0}")]
    AudienceMissing(usize),
    /// An audience that nothing has.
    #[error("audience: `{0}` is no audience of the policy")]
    AudienceUnknown(String),
    /// A binding that cannot be enforced.
    #[error("cnf: {0}")]
    Binding(&'static str),
    /// A token that data planes would refuse.
    #[error("the token would have {0} bytes, and {MAX_TOKEN} are the most: request fewer or shorter grants")]
    TooLarge(usize),
    /// The server's fault. The cause is in the log.
    #[error("the token could not be made")]
    Internal,
}

impl IssueError {
    /// Logs what the client must not know, and says no more than that it happened.
    pub(crate) fn internal(cause: &dyn Display) -> Self {
        tracing::error!(%cause, "a token could not be made");
        Self::Internal
    }
}
