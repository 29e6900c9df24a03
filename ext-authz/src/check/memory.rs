//! Tokens verified before, bounded.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use verdict::{TokenKey, VerifiedToken, VerifiedTokens};

/// Tokens of one generation. Two generations are kept.
const CAPACITY: usize = 16 * 1024;

/// Remembers which tokens' signatures hold. When the young generation is full it becomes the old one, and what
/// nobody asked for since then is forgotten: strangers cannot make it grow, as only verified tokens get in.
#[derive(Debug, Default)]
pub struct TokenMemory(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<[u8; 16], Arc<VerifiedToken>>,
    old: HashMap<[u8; 16], Arc<VerifiedToken>>,
}

impl Generations {
    fn insert(&mut self, key: [u8; 16], token: Arc<VerifiedToken>) {
        if self.young.len() >= CAPACITY {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, token);
    }

    fn find(&mut self, key: [u8; 16]) -> Option<Arc<VerifiedToken>> {
        if let Some(token) = self.young.get(&key) {
            return Some(Arc::clone(token));
        }
        let token = self.old.remove(&key)?;
        self.insert(key, Arc::clone(&token));
        Some(token)
    }
}

/// The lock is held for a look-up only, never while a signature is checked.
impl VerifiedTokens for &TokenMemory {
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).find(*key.as_bytes())
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*key.as_bytes(), Arc::clone(token));
    }
}
