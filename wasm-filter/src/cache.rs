//! Verified tokens of one configuration on one worker, bounded in number and in bytes.

use std::sync::Arc;

use hashbrown::HashTable;
use verdict::{TokenKey, VerifiedToken, VerifiedTokens};

/// Most tokens remembered at once, whatever their size is.
pub const MAX_TOKENS: usize = 10_000;
/// Most bytes that the remembered tokens may hold; large tokens leave room for fewer.
pub const MAX_BYTES: usize = 4 << 20;
/// By how many slots the memory grows.
const GROWTH: usize = 1024;

/// Second-chance (CLOCK) replacement: a hit only sets a flag, and making room looks at a few entries, so that
/// no request pays for a sweep. Only tokens with a valid signature get in: a stranger cannot push others out.
#[derive(Debug, Default)]
pub struct TokenCache {
    /// Positions in `slots`, by the slot's key.
    positions: HashTable<u32>,
    slots: Vec<Slot>,
    hand: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    key: TokenKey,
    token: Arc<VerifiedToken>,
    recently_used: bool,
}

impl Slot {
    /// Bytes that the slot's token costs: what it holds, and its places in `slots` and `positions`.
    fn bytes(&self) -> usize {
        // A table has one byte of control for each position, and up to 16/7 as many places as positions.
        const PLACES: usize = size_of::<Slot>() + (size_of::<u32>() + 1) * 16 / 7 + 1;
        self.token.held_bytes().saturating_add(PLACES)
    }
}

impl TokenCache {
    /// Number of tokens remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no token is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes that the remembered tokens hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn insert(&mut self, slot: Slot) {
        let bytes = slot.bytes();
        if bytes > MAX_BYTES || self.position(&slot.key).is_some() {
            return;
        }
        while !self.is_empty() && (self.len() >= MAX_TOKENS || self.bytes.saturating_add(bytes) > MAX_BYTES) {
            self.evict_one();
        }
        // There are at most `MAX_TOKENS`.
        let Ok(position) = u32::try_from(self.slots.len()) else { return };
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(GROWTH);
        }
        let hash = hash(&slot.key);
        self.slots.push(slot);
        let slots = &self.slots;
        self.positions.insert_unique(hash, position, |&other| hash_at(slots, other));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn position(&self, key: &TokenKey) -> Option<usize> {
        let is_here = |&position: &u32| self.slots.get(index(position)).is_some_and(|slot| slot.key == *key);
        self.positions.find(hash(key), is_here).copied().map(index)
    }

    /// Removes the first token from the hand on that was not used since the hand last passed it.
    fn evict_one(&mut self) {
        loop {
            // One past the end is the beginning.
            if self.hand >= self.slots.len() {
                self.hand = 0;
            }
            match self.slots.get_mut(self.hand) {
                Some(slot) if slot.recently_used => slot.recently_used = false,
                Some(_) => break,
                None => return,
            }
            self.hand = self.hand.saturating_add(1);
        }
        let last = self.slots.len().saturating_sub(1);
        let evicted = self.slots.swap_remove(self.hand);
        self.bytes = self.bytes.saturating_sub(evicted.bytes());
        if let Ok(entry) = self.positions.find_entry(hash(&evicted.key), |&other| index(other) == self.hand) {
            entry.remove();
        }
        // The last slot has moved under the hand.
        if let Some(moved) = self.slots.get(self.hand)
            && let Some(position) = self.positions.find_mut(hash(&moved.key), |&other| index(other) == last)
            && let Ok(hand) = u32::try_from(self.hand)
        {
            *position = hand;
        }
    }
}

impl VerifiedTokens for TokenCache {
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        let position = self.position(key)?;
        let slot = self.slots.get_mut(position)?;
        slot.recently_used = true;
        Some(Arc::clone(&slot.token))
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
        self.insert(Slot { key, token: Arc::clone(token), recently_used: false });
    }
}

/// Half of the key, which is a keyed hash already.
fn hash(key: &TokenKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *key.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn hash_at(slots: &[Slot], position: u32) -> u64 {
    slots.get(index(position)).map_or(0, |slot| hash(&slot.key))
}

/// Positions fit wherever the slots do.
fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
