//! Names of decisions: a server that is asked twice about one answers as the first time, so that no two may have the
//! same name, of no worker of any Envoy.

use std::cell::{Cell, OnceCell};

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::host::{FeedHost, HostError};

/// Bytes of a name.
pub const LENGTH: usize = 16;
/// Where the workers of an Envoy count themselves.
const WORKERS: &str = "writ.workers";
/// Most attempts to be counted. Each one that fails is another worker's success.
const ATTEMPTS: u32 = 64;

/// The names that one virtual machine gives.
#[derive(Debug, Default)]
pub struct Decisions {
    /// What only this one hashes with.
    key: OnceCell<[u8; LENGTH]>,
    given: Cell<u64>,
}

impl Decisions {
    /// A name that was not given before.
    ///
    /// # Errors
    /// The host has no clock, or shares nothing.
    pub fn next(&self, host: &impl FeedHost) -> Result<[u8; LENGTH], HostError> {
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let key = key(host)?;
                self.key.get_or_init(|| key)
            }
        };
        let number = self.given.get();
        self.given.set(number.saturating_add(1));
        Ok(digest(key, &[&number.to_le_bytes()]))
    }
}

/// No two virtual machines of one Envoy have the same number, and no two Envoys began at the same nanosecond with the
/// same name.
fn key(host: &impl FeedHost) -> Result<[u8; LENGTH], HostError> {
    let node = |member| host.property(&["xds", "node", member]).map(Option::unwrap_or_default);
    let (id, cluster) = (node("id")?, node("cluster")?);
    let (number, began) = (number(host)?.to_le_bytes(), host.clock()?.to_le_bytes());
    Ok(digest(&[0; LENGTH], &[&id, b"\0", &cluster, b"\0", &number, &began]))
}

/// How many virtual machines of this Envoy were counted before this one.
fn number(host: &impl FeedHost) -> Result<u64, HostError> {
    for _ in 0..ATTEMPTS {
        let (value, change) = host.shared(WORKERS)?;
        let counted =
            value.as_deref().and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if host.share(WORKERS, &counted.saturating_add(1).to_le_bytes(), change.or(Some(NO_CHANGE)))? {
            return Ok(counted);
        }
    }
    Err(HostError { call: "set_shared_data", status: CAS_MISMATCH })
}

fn digest(key: &[u8; LENGTH], parts: &[&[u8]]) -> [u8; LENGTH] {
    use std::hash::Hasher as _;

    let mut hasher = SipHasher13::new_with_key(key);
    parts.iter().for_each(|part| hasher.write(part));
    hasher.finish128().as_bytes()
}

/// A handle of no change, see the floor.
const NO_CHANGE: u32 = u32::MAX;
/// proxy-wasm ABI 0.2.1, `PROXY_STATUS_CAS_MISMATCH`.
const CAS_MISMATCH: u32 = 8;
