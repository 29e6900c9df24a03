//! When keys change: what follows from the keys and the clock.

use std::time::Duration;

use store::KeyState;

use super::KeySet;

/// Added to every wait: clocks differ, and a commit takes its time.
pub(super) const MARGIN: Duration = Duration::from_secs(60);
/// Likewise, where a data plane's own check of how fresh it is stands behind it.
const SHORT_MARGIN: Duration = Duration::from_secs(10);
/// After so long without a word a replica counts as gone, at the least: it says several times in it that it is there.
const GONE_AFTER: Duration = Duration::from_secs(20);
/// Keys that are published at most: each is a part of every snapshot.
const MOST: usize = 16;

/// What the schedule depends on beside the keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Age at which a key is replaced; `None`: not by itself.
    pub(super) every: Option<Duration>,
    /// After this time without a word from its server every data plane denies.
    pub(super) staleness: Duration,
    /// Tolerated clock difference.
    pub(super) leeway: Duration,
    /// Each replica has read the store within this time.
    pub(super) reading: Duration,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// A next key is to be made.
    Make,
    /// The next key may sign once all data planes hold it.
    ActivateOnceHeld,
    /// The next key may sign: whoever does not hold it denies everything as stale.
    Activate,
}

impl Terms {
    /// What is to be done at `now`, Unix seconds.
    pub(super) fn due(&self, set: &KeySet, now: u64) -> Due {
        let Some(next) = set.in_state(KeyState::Next).next() else {
            return if self.rotates_at(set).is_some_and(|at| at <= now) && has_room(set) {
                Due::Make
            } else {
                Due::Nothing
            };
        };
        let age = now.saturating_sub(next.created_at);
        if age >= self.unheard().as_secs() {
            Due::Activate
        } else if age >= (self.reading * 2).as_secs() {
            Due::ActivateOnceHeld
        } else {
            // A replica that has not read the store since does not say yet that its data planes lack the key.
            Due::Nothing
        }
    }

    /// After so long without a word a replica counts as gone. It may be cut off from the store alone: its data planes, which
    /// may lack the next key, must have become stale by then.
    pub(super) fn gone_after(&self) -> Duration {
        self.unheard().max(GONE_AFTER)
    }

    /// After so long every data plane that was not told of something denies everything as stale.
    fn unheard(&self) -> Duration {
        self.staleness + self.leeway + SHORT_MARGIN
    }

    /// When the key that signs is to be replaced, Unix seconds; `None`: not by itself.
    pub(super) fn rotates_at(&self, set: &KeySet) -> Option<u64> {
        let active = set.in_state(KeyState::Active).next()?;
        let since = active.active_at.unwrap_or(active.created_at);
        Some(since.saturating_add(self.every?.as_secs()))
    }

    /// Whether nobody verifies any more what expired at `last_exp`.
    pub(super) fn is_over(&self, last_exp: u64, now: u64) -> bool {
        last_exp.saturating_add((self.leeway + MARGIN).as_secs()) <= now
    }
}

/// Whether another key can be published.
pub(super) fn has_room(set: &KeySet) -> bool {
    set.published().count() < MOST
}

#[cfg(test)]
mod tests {
    use store::{Head, Keys, SigningKey};

    use super::{super::PublicKey, *};

    const TERMS: Terms = Terms {
        every: Some(Duration::from_secs(1000)),
        staleness: Duration::from_secs(30),
        leeway: Duration::from_secs(5),
        reading: Duration::from_secs(1),
    };

    fn set(states: &[(KeyState, u64)]) -> KeySet {
        let key = |(index, &(state, since)): (usize, &(KeyState, u64))| {
            let public = PublicKey::from_bytes(&[u8::try_from(index).unwrap(); 32]);
            SigningKey {
                kid: public.kid().to_owned(),
                alg: public.alg().to_owned(),
                public_key: public.x().to_owned(),
                sealed: None,
                state,
                created_at: since,
                active_at: (state == KeyState::Active).then_some(since),
                retired_at: None,
                last_exp: None,
            }
        };
        let keys = states.iter().enumerate().map(key).collect();
        KeySet::read(&Keys { head: Head::default(), keys }).unwrap()
    }

    #[test]
    fn a_key_is_replaced_at_its_age() {
        let young = set(&[(KeyState::Active, 5000)]);
        assert_eq!((TERMS.due(&young, 5999), TERMS.due(&young, 6000)), (Due::Nothing, Due::Make));
        let off = Terms { every: None, ..TERMS };
        assert_eq!(off.due(&young, u64::MAX), Due::Nothing);
    }

    #[test]
    fn the_next_key_waits_for_data_planes_or_for_their_staleness() {
        let set = set(&[(KeyState::Active, 0), (KeyState::Next, 6000)]);
        for (now, due) in [
            (5000, Due::Nothing),
            (6001, Due::Nothing),
            (6002, Due::ActivateOnceHeld),
            (6044, Due::ActivateOnceHeld),
            (6045, Due::Activate),
        ] {
            assert_eq!(TERMS.due(&set, now), due, "{now}");
        }
    }

    #[test]
    fn a_replica_is_not_gone_before_its_data_planes_are_stale() {
        assert_eq!(TERMS.gone_after(), Duration::from_secs(45));
        let strict = Terms { staleness: Duration::from_secs(2), leeway: Duration::ZERO, ..TERMS };
        assert_eq!(strict.gone_after(), GONE_AFTER);
    }

    #[test]
    fn there_are_never_many() {
        let mut states = vec![(KeyState::Active, 0)];
        states.extend([(KeyState::Retired, 0); MOST - 2]);
        assert_eq!(TERMS.due(&set(&states), 6000), Due::Make);
        states.push((KeyState::Retired, 0));
        assert_eq!(TERMS.due(&set(&states), 6000), Due::Nothing);
        states[1].0 = KeyState::Withdrawn;
        assert_eq!(TERMS.due(&set(&states), 6000), Due::Make);
    }

    #[test]
    fn a_retired_key_goes_after_its_last_token() {
        assert!(!TERMS.is_over(6000, 6064));
        assert!(TERMS.is_over(6000, 6065));
    }
}
