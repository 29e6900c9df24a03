//! When to try again: later each time, and never all at once.

use siphasher::sip128::{Hasher128, SipHasher13};

/// Most milliseconds before the first attempt after a failure; each further one may take twice as long.
const FIRST: u64 = 100;
/// Most milliseconds before any attempt.
const LONGEST: u64 = 5_000;

/// The delays of one stream after the other, with full jitter: any time up to the longest is as likely.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Milliseconds until the next attempt.
    pub fn next(&mut self, jitter: &Jitter, now: u64) -> u64 {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(6)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        jitter.up_to(ceiling, now)
    }

    /// An attempt was a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// What spreads the workers of all Envoys. The sandbox has no source of randomness, and this needs none: nobody gains
/// by guessing it.
#[derive(Clone, Copy, Debug)]
pub struct Jitter([u8; 16]);

impl Jitter {
    /// Differs from one Envoy and context to the next.
    #[must_use]
    pub fn new(node: &str, context: u32) -> Self {
        Self(digest(&[0; 16], &[node.as_bytes(), &context.to_le_bytes()]))
    }

    /// From 0 to `most`, both included; `now` in nanoseconds, which no two workers share.
    #[must_use]
    pub fn up_to(&self, most: u64, now: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = digest(&self.0, &[&now.to_le_bytes()]);
        let random = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        most.checked_add(1).and_then(|values| random.checked_rem(values)).unwrap_or(random)
    }
}

fn digest(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    use std::hash::Hasher as _;

    let mut hasher = SipHasher13::new_with_key(key);
    parts.iter().for_each(|part| hasher.write(part));
    hasher.finish128().as_bytes()
}
