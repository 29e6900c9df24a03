//! Tokens verified before, bounded.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use verdict::{TokenKey, VerifiedToken};

/// Tokens of one generation. Two generations are kept.
const CAPACITY: usize = 16 * 1024;

/// Remembers which tokens' signatures hold. When the young generation is full it becomes the old one, and what
/// nobody asked for since then is forgotten: strangers cannot make it grow, as only verified tokens get in.
#[derive(Debug, Default)]
pub struct TokenMemory(Mutex<Generations<Arc<VerifiedToken>, CAPACITY>>);

#[derive(Debug)]
struct Generations<V, const CAPACITY: usize> {
    young: HashMap<[u8; 16], V>,
    old: HashMap<[u8; 16], V>,
}

impl<V, const CAPACITY: usize> Default for Generations<V, CAPACITY> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<V: Clone, const CAPACITY: usize> Generations<V, CAPACITY> {
    fn insert(&mut self, key: [u8; 16], value: V) {
        if self.young.len() >= CAPACITY {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    fn find(&mut self, key: [u8; 16]) -> Option<V> {
        if let Some(value) = self.young.get(&key) {
            return Some(value.clone());
        }
        let value = self.old.remove(&key)?;
        self.insert(key, value.clone());
        Some(value)
    }
}

/// The lock is held for a look-up only, never while a signature is checked.
impl TokenMemory {
    pub(super) fn find(&self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).find(*key.as_bytes())
    }

    pub(super) fn insert(&self, key: &TokenKey, token: &Arc<VerifiedToken>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*key.as_bytes(), Arc::clone(token));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_bounded() {
        let mut memory: Generations<u8, 4> = Generations::default();
        memory.insert([0; 16], 0);
        for value in 1..=100 {
            memory.insert([value; 16], value);
            assert_eq!(memory.find([0; 16]), Some(0), "after {value}");
            assert!(memory.young.len() + memory.old.len() <= 8);
        }
        assert_eq!(memory.find([1; 16]), None);
        assert_eq!(memory.find([100; 16]), Some(100));
    }
}
