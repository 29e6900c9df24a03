//! Verified tokens of one configuration on one worker, bounded in number and in bytes.

use std::{collections::HashMap, sync::Arc};

use verdict::{TokenKey, VerifiedToken, VerifiedTokens};

/// Most tokens remembered at once, whatever their size is thought to be.
pub const MAX_TOKENS: usize = 10_000;
/// Most bytes that the remembered tokens may hold, estimated; large tokens leave room for fewer.
pub const MAX_BYTES: usize = 4 << 20;

/// Second-chance (CLOCK) replacement: a hit only sets a flag, and making room looks at a few entries, so that
/// no request pays for a sweep. Only tokens with a valid signature get in: a stranger cannot push others out.
#[derive(Debug, Default)]
pub struct TokenCache {
    positions: HashMap<TokenKey, usize>,
    slots: Vec<Slot>,
    hand: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    key: TokenKey,
    token: Arc<VerifiedToken>,
    bytes: usize,
    recently_used: bool,
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

    /// Estimated bytes that the remembered tokens hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn insert(&mut self, key: TokenKey, token: &Arc<VerifiedToken>, bytes: usize) {
        if bytes > MAX_BYTES || self.positions.contains_key(&key) {
            return;
        }
        while !self.is_empty() && (self.len() >= MAX_TOKENS || self.bytes.saturating_add(bytes) > MAX_BYTES) {
            self.evict_one();
        }
        self.positions.insert(key, self.slots.len());
        self.slots.push(Slot { key, token: Arc::clone(token), bytes, recently_used: false });
        self.bytes = self.bytes.saturating_add(bytes);
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
        let evicted = self.slots.swap_remove(self.hand);
        self.positions.remove(&evicted.key);
        self.bytes = self.bytes.saturating_sub(evicted.bytes);
        // The last slot has moved under the hand.
        if let Some(moved) = self.slots.get(self.hand) {
            self.positions.insert(moved.key, self.hand);
        }
    }
}

impl VerifiedTokens for TokenCache {
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        let slot = self.slots.get_mut(*self.positions.get(key)?)?;
        slot.recently_used = true;
        Some(Arc::clone(&slot.token))
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
        self.insert(key, token, estimate_bytes(token));
    }
}

/// An upper estimate of what a token holds in the sandbox: its texts, each with the allocator's overhead, and
/// the fixed parts of claims and grants. The JSON it was read from, of which every text and number is part, grows
/// with it.
fn estimate_bytes(token: &VerifiedToken) -> usize {
    /// Claims, slot and map entry of a token without texts.
    const FIXED: usize = 512;
    token.payload_bytes().saturating_mul(2).saturating_add(FIXED)
}
