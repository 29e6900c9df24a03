//! Ceilings: the most a client may have.

use std::time::Duration;

use policy::Ceiling;
use verdict::{grant::Grant, token::MAX_DEPTH};

use super::{IssueError, Uncovered};

/// What all ceilings together leave of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Lifetime in seconds.
    pub(crate) ttl: u64,
    /// How deep below the first token of its task a delegated one may be.
    pub(crate) max_depth: u32,
}

/// The server's own bounds of lifetimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetimes {
    pub(super) default: Duration,
    pub(super) max: Duration,
}

/// What the token is a part of, and how long that lasts: no token of it lives longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Seconds from now.
    pub(crate) seconds: u64,
    /// What it is, for people to read.
    pub(crate) of: &'static str,
}

/// Holds `grants` and the lifetime `asked` for (seconds) against `ceilings`, within `rest`. A lifetime over a cap is refused,
/// not cut: the client would believe that its token lives on. Without a lifetime the default is cut to the caps.
pub(super) fn check(
    grants: &[Grant],
    asked: Option<u64>,
    rest: Option<Rest>,
    ceilings: &[Ceiling],
    lifetimes: Lifetimes,
) -> Result<Allowance, IssueError> {
    let server_cap = lifetimes.max.as_secs();
    let mut ttl = match asked {
        Some(0) => return Err(IssueError::NoLifetime),
        Some(asked) if asked > server_cap => {
            return Err(IssueError::Lifetime { asked, cap: server_cap, whose: "this server".to_owned() });
        }
        Some(asked) => asked,
        None => lifetimes.default.as_secs(),
    };
    if let Some(Rest { seconds, of }) = rest {
        match asked {
            Some(asked) if asked > seconds => {
                return Err(IssueError::Lifetime { asked, cap: seconds, whose: of.to_owned() });
            }
            _ => ttl = ttl.min(seconds),
        }
    }
    let mut max_depth = MAX_DEPTH;
    for (index, grant) in grants.iter().enumerate() {
        let covering: Vec<&Ceiling> =
            ceilings.iter().filter(|ceiling| grant.covered_by(&ceiling.grant)).collect();
        let cap = |ceiling: &Ceiling| ceiling.max_ttl.map_or(server_cap, |ttl| ttl.as_secs().min(server_cap));
        let longest = covering.iter().map(|ceiling| cap(ceiling)).max().ok_or_else(|| {
            let why = Uncovered::of(grant, ceilings.iter().map(|ceiling| &ceiling.grant));
            IssueError::OverCeiling { index, why }
        })?;
        match asked {
            Some(asked) if asked > longest => {
                return Err(IssueError::Lifetime { asked, cap: longest, whose: format!("grants[{index}]") });
            }
            Some(_) => {}
            None => ttl = ttl.min(longest),
        }
        // Only a ceiling that allows the lifetime as well may lend its depth: one ceiling covers all of it.
        let deepest = covering
            .iter()
            .filter(|ceiling| cap(ceiling) >= ttl.min(longest))
            .map(|ceiling| ceiling.max_depth);
        max_depth = max_depth.min(deepest.max().unwrap_or(0));
    }
    Ok(Allowance { ttl, max_depth })
}
