//! What every request reads: one value, swapped whole, so that no two parts of it can disagree.

mod current;

use std::sync::Arc;

use policy::Policy;
use verdict::{Snapshot, SnapshotError, document::SnapshotDocument};

pub use current::Current;

use crate::{
    check::TokenMemory,
    clients::Clients,
    keys::{KeySet, PublicKey},
    reload::Rejection,
    revocations::Revoked,
    scope::{Scope, ScopedSnapshots},
    telemetry::metrics,
};

/// Policy at one generation, in all its forms, and what is revoked.
#[derive(Debug)]
pub struct State {
    policy: Arc<Policy>,
    clients: Arc<Clients>,
    /// Without revocations: it stays the same while these come and go.
    document: Arc<SnapshotDocument>,
    /// Sequence of the keys in the document.
    keys: u64,
    /// Which of this process's documents it is, from 1.
    edition: u64,
    revoked: Arc<Revoked>,
    /// The document and what is revoked.
    snapshot: Arc<Snapshot>,
    /// Parts of that, for data planes that see no more of it.
    scoped: ScopedSnapshots,
    /// Proofs made with the keys and for the issuer of this server: what else a token needs is judged each time, so
    /// they outlive a policy.
    tokens: Arc<TokenMemory>,
    /// Why the policy is not all of what its directory holds.
    rejection: Option<Rejection>,
}

impl State {
    /// The forms of one generation, with nothing revoked.
    ///
    /// # Errors
    /// The document does not compile.
    pub fn new(clients: Clients, policy: Policy, document: SnapshotDocument) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::compile(document.clone())?;
        Ok(Self {
            policy: Arc::new(policy),
            clients: Arc::new(clients),
            document: Arc::new(document),
            keys: 0,
            edition: 1,
            revoked: Arc::default(),
            snapshot: Arc::new(snapshot),
            scoped: ScopedSnapshots::default(),
            tokens: Arc::default(),
            rejection: None,
        })
    }

    /// The forms of a later generation of the same server.
    ///
    /// # Errors
    /// The document does not compile.
    pub fn successor(
        &self,
        clients: Clients,
        policy: Policy,
        document: SnapshotDocument,
    ) -> Result<Self, SnapshotError> {
        Ok(Self { tokens: Arc::clone(&self.tokens), ..Self::new(clients, policy, document)? })
    }

    /// The same policy in this epoch, with tokens refused that were issued before `min_iat`, Unix seconds.
    ///
    /// # Errors
    /// The document does not compile.
    pub fn under(&self, epoch: u64, min_iat: u64) -> Result<Self, SnapshotError> {
        let mut document = SnapshotDocument::clone(&self.document);
        (document.version.epoch, document.min_iat) = (epoch, min_iat);
        let snapshot = Snapshot::compile(document.clone())?;
        let under = Self {
            document: Arc::new(document),
            snapshot: Arc::new(snapshot),
            scoped: ScopedSnapshots::default(),
            ..self.with_rejection(self.rejection.clone())
        };
        Ok(under.revised(Arc::clone(&self.revoked)))
    }

    /// The same, of which `keys` are said to be the keys already.
    #[must_use]
    pub fn of_keys(self, keys: &KeySet) -> Self {
        Self { keys: keys.sequence(), ..self }
    }

    /// The same policy, with these keys.
    ///
    /// # Errors
    /// The document does not compile.
    pub fn keyed(&self, keys: &KeySet) -> Result<Self, SnapshotError> {
        let mut document = SnapshotDocument::clone(&self.document);
        document.keys = keys.published().map(PublicKey::to_document).collect();
        let snapshot = Snapshot::compile(document.clone())?;
        let keyed = Self {
            document: Arc::new(document),
            snapshot: Arc::new(snapshot),
            scoped: ScopedSnapshots::default(),
            ..self.with_rejection(self.rejection.clone())
        };
        Ok(keyed.of_keys(keys).revised(Arc::clone(&self.revoked)))
    }

    /// The same, with this to say about the policy directory.
    #[must_use]
    pub fn with_rejection(&self, rejection: Option<Rejection>) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            clients: Arc::clone(&self.clients),
            document: Arc::clone(&self.document),
            keys: self.keys,
            edition: self.edition,
            revoked: Arc::clone(&self.revoked),
            snapshot: Arc::clone(&self.snapshot),
            scoped: self.scoped.clone(),
            tokens: Arc::clone(&self.tokens),
            rejection,
        }
    }

    /// The same policy, with this revoked.
    fn revised(&self, revoked: Arc<Revoked>) -> Self {
        let snapshot = self.snapshot.revised(revoked.sequence(), revoked.all().clone());
        Self {
            snapshot: Arc::new(snapshot),
            scoped: self.scoped.to_be_revised(),
            revoked,
            ..self.with_rejection(self.rejection.clone())
        }
    }

    /// The same, as what follows `before`.
    fn after(mut self, before: &Self) -> Self {
        let is_another = !Arc::ptr_eq(&self.document, &before.document);
        self.edition = before.edition.saturating_add(u64::from(is_another));
        self
    }

    /// What operators wrote.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Who may ask for tokens.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What data planes are sent, each its part of it. It names no revocations, and its version counts none.
    #[must_use]
    pub fn document(&self) -> &Arc<SnapshotDocument> {
        &self.document
    }

    /// Counts the documents of this process: a data plane that took one of a later edition took what came with this one.
    #[must_use]
    pub fn edition(&self) -> u64 {
        self.edition
    }

    /// Sequence of the keys that are part of the document.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// What is revoked.
    #[must_use]
    pub fn revoked(&self) -> &Arc<Revoked> {
        &self.revoked
    }

    /// Whether policy and revocations are of one epoch of the store. Where a backup was restored, one of the two is read
    /// before the other; until both are, their versions cannot be compared with others.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.revoked.epoch().is_none_or(|epoch| epoch == self.document.version.epoch)
    }

    /// What verdicts read.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What verdicts for a data plane of this scope read.
    ///
    /// # Errors
    /// Its part of the document does not compile.
    pub fn snapshot_in(&self, scope: &Scope) -> Result<Arc<Snapshot>, SnapshotError> {
        match scope {
            Scope::All => Ok(Arc::clone(&self.snapshot)),
            Scope::Audiences(_) => self.scoped.find(scope, &self.document, &self.revoked),
        }
    }

    /// Why the policy is not all of what its directory holds; `None` if it is.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// Tokens verified before.
    #[must_use]
    pub fn tokens(&self) -> &TokenMemory {
        &self.tokens
    }
}

impl State {
    /// Shows in metrics what counts.
    fn count(&self) {
        metrics::policy_is(self.snapshot.version().generation, self.rejection.is_some());
    }
}
