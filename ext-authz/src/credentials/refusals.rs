//! What operators learn of data planes that asked for a credential and do not get it: they are told nothing themselves.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    clock,
    identity::{DataPlane, SOCKET},
    telemetry::quiet::QUIET,
};

/// Why a data plane does not get a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refused {
    /// It is not trusted with any.
    Untrusted,
    /// The policy has none of that name that a host sends.
    Unknown,
    /// Only hosts that it does not see send it.
    Unseen,
}

/// A refusal of one data plane, for one credential and one cause.
type Key = (Arc<str>, String, Refused);

/// When each was said last, Unix seconds. What was said longer ago than it counts for is forgotten.
static SAID: Mutex<BTreeMap<Key, u64>> = Mutex::new(BTreeMap::new());

/// Says so, each refusal at most every [`QUIET`] seconds.
pub(super) fn note(plane: &DataPlane, credential: &str, refused: Refused) {
    // Names that a data plane makes up count as one: what is kept stays as small as the policy.
    let known = if refused == Refused::Unknown { "" } else { credential };
    if is_time(&SAID, (Arc::clone(&plane.name), known.to_owned(), refused), clock::now().0) {
        let reason = Reason(plane, refused);
        tracing::warn!(data_plane = &*plane.name, credential, %reason, "refused a credential to a data plane");
    }
}

fn is_time(said: &Mutex<BTreeMap<Key, u64>>, key: Key, now: u64) -> bool {
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    said.retain(|_, at| now < at.saturating_add(QUIET));
    let is_new = !said.contains_key(&key);
    if is_new {
        said.insert(key, now);
    }
    is_new
}

/// What an operator can do about it.
struct Reason<'p>(&'p DataPlane, Refused);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(plane, refused) = self;
        formatter.write_str(match refused {
            Refused::Untrusted if &*plane.name == SOCKET => {
                "set `listeners.data_plane_trusted_egress: true`, if it shall get credentials"
            }
            Refused::Untrusted => {
                "set `trusted_egress: true` for it in `data_planes`, if it shall get credentials"
            }
            Refused::Unknown => "no host of the policy sends a credential of this name",
            Refused::Unseen => {
                "its `audiences` in `data_planes` lack those of the hosts that send this credential"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_said_now_and_then_and_forgotten() {
        let said = Mutex::new(BTreeMap::new());
        let key = |plane: &str, refused| (Arc::from(plane), "n/c".to_owned(), refused);
        assert!(is_time(&said, key("edge", Refused::Untrusted), 100));
        assert!(!is_time(&said, key("edge", Refused::Untrusted), 109));
        assert!(is_time(&said, key("other", Refused::Untrusted), 109));
        assert!(is_time(&said, key("edge", Refused::Unseen), 109));
        assert!(is_time(&said, key("edge", Refused::Untrusted), 110));
        assert!(is_time(&said, key("edge", Refused::Untrusted), 200));
        assert_eq!(said.lock().unwrap().len(), 1);
    }
}
