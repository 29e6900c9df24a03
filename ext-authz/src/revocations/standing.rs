//! What is revoked now, for a snapshot that no feed follows.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use store::{Changes, Store};
use verdict::{document::SnapshotDocument, revocation::HashKey};

use super::{Revision, TailFault, names::Names};
use crate::{clock, config::Config};

/// Puts what the configured store says into `document`: what is revoked, and before when no token counts. Where no store
/// was made yet, nothing is revoked.
///
/// # Errors
/// The store cannot be read, or a server has to bring it up to date first.
pub async fn add_standing(
    document: &mut SnapshotDocument,
    config: &Config,
    key: HashKey,
) -> Result<(), TailFault> {
    if config.store.path().is_some_and(|path| !path.exists()) {
        return Ok(());
    }
    let store = Store::existing(config.store.clone());
    let Changes { head, changes } = store.live_revocations(clock::now().0).await?;
    let mut names = Names::new(key);
    let revoked = changes.into_iter().filter_map(|row| match names.change(row).what {
        Revision::Revoke(record) => Some(URL_SAFE_NO_PAD.encode(record.hash)),
        Revision::Lift(_) => None,
    });
    document.revocations = revoked.collect();
    document.version.revocation = head.revocation;
    document.min_iat = document.min_iat.max(head.min_iat);
    Ok(())
}
