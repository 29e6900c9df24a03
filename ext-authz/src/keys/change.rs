//! Changes of the keys, as the ledger makes them: one replica alone succeeds with each.

use audit::{Event, Lines};
use store::{KeyChange, KeyState, Level, NewRevocation, SigningKey as StoredKey};

use super::KeyRing;

/// A change that was decided by one reading of the keys.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) change: KeyChange,
    pub(super) events: Lines,
}

impl Decided {
    /// The key that signs after it, where `ring` is what it changes.
    pub(super) fn active<'a>(&'a self, ring: &'a KeyRing) -> &'a str {
        let next = self.change.put.iter().find(|key| key.state == KeyState::Active);
        next.map_or_else(|| ring.active().public().kid(), |key| &key.kid)
    }
}

/// Who changes the keys, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Author<'a> {
    /// An operator, or `writ`.
    pub(super) by: &'a str,
    /// Unix milliseconds.
    pub(super) at: u64,
}

impl Author<'_> {
    fn now(self) -> u64 {
        self.at / 1000
    }
}

/// Makes `key` the next one: verifiers learn of it, and it signs nothing yet.
pub(super) fn make(ring: &KeyRing, key: StoredKey, author: Author<'_>) -> Decided {
    let events = Lines::of(&Event::key_made(author.at, author.by, &key.kid));
    let change = KeyChange { expected: ring.sequence(), put: vec![key], ..KeyChange::default() };
    Decided { change, events }
}

/// Lets the next key sign in place of the one that does, whose tokens are all expired after `last_exp`. `None`: there is
/// no next key.
pub(super) fn activate(ring: &KeyRing, last_exp: u64, author: Author<'_>) -> Option<Decided> {
    let next = ring.stored(KeyState::Next).next()?;
    let retired = ring.stored(KeyState::Active).map(|key| StoredKey {
        // It signs nothing any more: there is no need to have it.
        sealed: None,
        state: KeyState::Retired,
        retired_at: Some(author.now()),
        last_exp: Some(last_exp),
        ..key.clone()
    });
    let put = retired.chain([activated(next, author)]).collect();
    let change = KeyChange { expected: ring.sequence(), put, ..KeyChange::default() };
    Some(Decided { change, events: Lines::of(&Event::key_activated(author.at, author.by, &next.kid)) })
}

/// Forgets retired keys whose last token expired so long ago that `is_over` says so. `None`: there is none.
pub(super) fn forget(ring: &KeyRing, is_over: impl Fn(u64) -> bool) -> Option<Decided> {
    let retired = ring.stored(KeyState::Retired).filter(|key| key.last_exp.is_some_and(&is_over));
    let remove: Vec<_> = retired.map(|key| key.kid.clone()).collect();
    let change = KeyChange { expected: ring.sequence(), ..KeyChange::default() };
    (!remove.is_empty()).then(|| Decided { change: KeyChange { remove, ..change }, events: Lines::new() })
}

/// Withdraws the key `kid`: what it signed is refused from now on. If it is the one that signs, the next one takes its
/// place, or else `spare`. `None`: there is no such key, or it is withdrawn already.
pub(super) fn withdraw(
    ring: &KeyRing,
    kid: &str,
    spare: &StoredKey,
    reason: Option<&str>,
    author: Author<'_>,
) -> Option<Decided> {
    let key = ring.find_stored(kid).filter(|key| key.state != KeyState::Withdrawn)?;
    let mut events = Lines::of(&Event::key_withdrawn(author.at, author.by, kid, reason));
    let mut put = vec![StoredKey {
        sealed: None,
        state: KeyState::Withdrawn,
        retired_at: key.retired_at.or(Some(author.now())),
        ..key.clone()
    }];
    if key.state == KeyState::Active {
        let next = ring.stored(KeyState::Next).next();
        if next.is_none() {
            events.push(&Event::key_made(author.at, author.by, &spare.kid));
        }
        let next = next.unwrap_or(spare);
        events.push(&Event::key_activated(author.at, author.by, &next.kid));
        put.push(activated(next, author));
    }
    let revocation = NewRevocation {
        level: Level::Key,
        name: kid.to_owned(),
        audience: None,
        reason: reason.map(str::to_owned),
        by: author.by.to_owned(),
        now: author.now(),
        // For as long as anybody may have the key.
        expires_at: None,
    };
    let change = KeyChange { expected: ring.sequence(), put, remove: Vec::new(), revoke: vec![revocation] };
    Some(Decided { change, events })
}

fn activated(key: &StoredKey, author: Author<'_>) -> StoredKey {
    StoredKey { state: KeyState::Active, active_at: Some(author.now()), ..key.clone() }
}

#[cfg(test)]
mod tests {
    use store::{Head, Keys};

    use super::*;
    use crate::keys::{SigningKey, opening::seal, seal::Sealer};

    const AUTHOR: Author<'_> = Author { by: "ada", at: 7_000_999 };

    fn key(state: KeyState) -> StoredKey {
        let sealer = Sealer::new(&[1; 32], "a test".into()).unwrap();
        let key = seal(&SigningKey::generate().unwrap(), &sealer, 1).unwrap();
        let sealed = key.sealed.clone().filter(|_| matches!(state, KeyState::Next | KeyState::Active));
        StoredKey { state, sealed, last_exp: (state == KeyState::Retired).then_some(50), ..key }
    }

    fn ring(keys: &[StoredKey]) -> KeyRing {
        let sealer = Sealer::new(&[1; 32], "a test".into()).unwrap();
        let head = Head { keys: 5, ..Head::default() };
        KeyRing::read(&Keys { head, keys: keys.to_vec() }, &sealer).unwrap()
    }

    /// What becomes of each key: whether it has a private half, and its state.
    fn told(decided: &Decided) -> Vec<(&str, bool, KeyState)> {
        assert_eq!(decided.change.expected, 5);
        decided.change.put.iter().map(|key| (&*key.kid, key.sealed.is_some(), key.state)).collect()
    }

    #[test]
    fn the_private_half_goes_with_the_right_to_sign() {
        let (active, next) = (key(KeyState::Active), key(KeyState::Next));
        let decided = activate(&ring(&[active.clone(), next.clone()]), 99, AUTHOR).unwrap();
        assert_eq!(
            told(&decided),
            [(&*active.kid, false, KeyState::Retired), (&*next.kid, true, KeyState::Active)]
        );
        let [old, new] = &*decided.change.put else { panic!() };
        assert_eq!((old.last_exp, old.retired_at, new.active_at), (Some(99), Some(7000), Some(7000)));
        assert_eq!(decided.active(&ring(std::slice::from_ref(&active))), next.kid);
        assert!(activate(&ring(&[active]), 99, AUTHOR).is_none());
    }

    #[test]
    fn a_withdrawn_key_is_revoked_for_good_and_followed_by_another() {
        let (active, next) = (key(KeyState::Active), key(KeyState::Next));
        for (keys, follower) in
            [(vec![active.clone()], None), (vec![active.clone(), next.clone()], Some(&next))]
        {
            let spare = key(KeyState::Next);
            let follower = follower.unwrap_or(&spare).kid.clone();
            let decided = withdraw(&ring(&keys), &active.kid, &spare, Some("leaked"), AUTHOR).unwrap();
            assert_eq!(
                told(&decided),
                [(&*active.kid, false, KeyState::Withdrawn), (&*follower, true, KeyState::Active)]
            );
            let [revoked] = &*decided.change.revoke else { panic!() };
            assert_eq!((revoked.level, &revoked.name, revoked.expires_at), (Level::Key, &active.kid, None));
            assert_eq!((&*revoked.by, revoked.reason.as_deref(), revoked.now), ("ada", Some("leaked"), 7000));
        }
    }

    #[test]
    fn one_that_does_not_sign_is_withdrawn_alone() {
        let (active, retired, withdrawn) =
            (key(KeyState::Active), key(KeyState::Retired), key(KeyState::Withdrawn));
        let ring = ring(&[active.clone(), retired.clone(), withdrawn.clone()]);
        let gone = |kid: &str| withdraw(&ring, kid, &key(KeyState::Next), None, AUTHOR);
        let decided = gone(&retired.kid).unwrap();
        assert_eq!(told(&decided), [(&*retired.kid, false, KeyState::Withdrawn)]);
        assert_eq!(decided.active(&ring), active.kid);
        assert!(gone(&withdrawn.kid).is_none() && gone("unknown").is_none());
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let (active, retired) = (key(KeyState::Active), key(KeyState::Retired));
        let ring = ring(&[active, retired.clone()]);
        assert!(forget(&ring, |last_exp| last_exp < 50).is_none());
        assert_eq!(forget(&ring, |last_exp| last_exp <= 50).unwrap().change.remove, [retired.kid]);
    }
}
