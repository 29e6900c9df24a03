//! What is published, for whoever does not serve.

use policy::Sources;
use store::{Contents, Head, PolicyHead, Store};

use super::{StoreFault, found::place, shared::Latest};
use crate::{config::Config, publish::Edition};

/// The policy that all replicas serve.
#[derive(Debug)]
pub struct PublishedPolicy {
    /// Of which version.
    pub edition: Edition,
    /// Its files, named as if they were in the configured directory.
    pub sources: Sources,
}

/// Reads the configured store. `None` if no policy was ever published there.
///
/// # Errors
/// The store cannot be read, or a server has to bring it up to date first.
pub async fn published(config: &Config) -> Result<Option<PublishedPolicy>, StoreFault> {
    if config.store.path().is_some_and(|path| !path.exists()) {
        return Ok(None);
    }
    let Contents { head, policy } = Store::existing(config.store.clone()).contents().await?;
    let latest = policy.map(|policy| Latest::read(policy, &place(config))).transpose()?;
    Ok(latest.map(|latest| {
        let edition = edition(head, latest.published_at);
        PublishedPolicy { edition, sources: latest.sources }
    }))
}

/// What `head` says of snapshots of its policy.
pub(super) fn edition(head: Head, published_at: u64) -> Edition {
    let PolicyHead { epoch, min_iat, latest: generation } = head.policy();
    Edition { epoch, generation, min_iat, issued_at: verdict::UnixTime(published_at) }
}
