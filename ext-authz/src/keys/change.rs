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
    spare: StoredKey,
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
        let next = next.unwrap_or(&spare);
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
