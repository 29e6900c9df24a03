//! The newest policy and the newest revocations that any worker of this Envoy has held, perhaps not in one version: none
//! goes back behind either, not even one whose virtual machine has just begun anew. Shared data of the proxy, which every plugin with the same `vm_id` may read, so nothing
//! but the version is in it.

use verdict::document::Version;

use crate::{
    config::FeedConfig,
    host::{FeedHost, HostError},
};

/// Most attempts to raise it. Each one that fails is another worker's success, and few of those are lower.
const ATTEMPTS: u32 = 64;
/// A handle of no change: the proxy counts changes up from 1. With it a value is shared only where there is none,
/// since the proxy compares handles only where there is one to compare with.
const NO_CHANGE: u32 = u32::MAX;

/// The floor of one feed.
#[derive(Debug)]
pub struct Floor {
    key: String,
}

impl Floor {
    /// The floor of this feed, known to all workers from now on.
    ///
    /// # Errors
    /// The host shares nothing.
    pub fn of(host: &impl FeedHost, feed: &FeedConfig) -> Result<Self, HostError> {
        let floor = Self { key: format!("writ.floor {} {}", feed.cluster(), feed.authority()) };
        if let (None, _) = host.shared(&floor.key)? {
            // Where another worker was first, its value stays.
            host.share(&floor.key, &encode(Version::default()), Some(NO_CHANGE))?;
        }
        Ok(floor)
    }

    /// What any worker has held.
    ///
    /// # Errors
    /// The host does not say.
    pub fn read(&self, host: &impl FeedHost) -> Result<Version, HostError> {
        Ok(host.shared(&self.key)?.0.as_deref().and_then(decode).unwrap_or_default())
    }

    /// Makes it lack nothing of `version`.
    ///
    /// # Errors
    /// The host refuses to share it.
    pub fn raise(&self, host: &impl FeedHost, version: Version) -> Result<(), HostError> {
        for _ in 0..ATTEMPTS {
            let (value, change) = host.shared(&self.key)?;
            let floor = value.as_deref().and_then(decode).unwrap_or_default();
            if !floor.lacks(&version) {
                return Ok(());
            }
            host.share(&self.key, &encode(floor.join(version)), change.or(Some(NO_CHANGE)))?;
        }
        Err(HostError { call: "set_shared_data", status: CAS_MISMATCH })
    }
}

/// proxy-wasm ABI 0.2.1, `PROXY_STATUS_CAS_MISMATCH`.
const CAS_MISMATCH: u32 = 8;

fn encode(version: Version) -> Vec<u8> {
    let Version { epoch, generation, revocation } = version;
    [epoch, generation, revocation].iter().flat_map(|part| part.to_be_bytes()).collect()
}

/// A later release may have more to say after these.
fn decode(value: &[u8]) -> Option<Version> {
    let (epoch, rest) = value.split_first_chunk()?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (revocation, _) = rest.split_first_chunk()?;
    let [epoch, generation, revocation] =
        [epoch, generation, revocation].map(|part| u64::from_be_bytes(*part));
    Some(Version { epoch, generation, revocation })
}
