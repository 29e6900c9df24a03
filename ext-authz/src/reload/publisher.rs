//! From a compiled policy to the state that requests read, and to the store that other replicas read.

use std::{io, sync::Arc};

use audit::{Event, Lines};
use policy::{Compiled, Policy};
use store::{Head, Ledger, NewGeneration, PublishError, Store, Write};
use verdict::Snapshot;

use super::{
    StoreFault,
    published::edition,
    shared::{self, Latest},
};
use crate::{
    audit::AuditLog,
    clients::{Clients, GeneratedSecrets, NewSecret},
    clock,
    config::Config,
    keys::Keys,
    publish::{Publication, document},
    server::ServerError,
    state::State,
};

/// Shows a secret that was made just now, or says why nobody saw it.
pub type Show = Box<dyn FnMut(NewSecret) -> io::Result<()> + Send>;

/// Makes states. What goes into each of them beside the policy stays the same while the server runs.
pub struct Publisher {
    /// Issuer, leeway and places.
    pub config: Arc<Config>,
    /// What replicas share.
    pub store: Arc<Store>,
    /// Keys that verify, and the key of revocation hashes.
    pub keys: Keys,
    /// Who publishes, for the audit log.
    pub audit: AuditLog,
    /// Writes it.
    pub ledger: Ledger,
    /// For clients whose secret the server makes.
    pub show: Show,
}

/// A policy that was published.
pub(super) struct Published {
    pub(super) state: State,
    pub(super) latest: Latest,
}

impl Publisher {
    /// The state of `policy` at generation `head.latest`, in succession to `previous`. Clients that need a secret and
    /// have none get theirs now. Every replica makes the same document of the same generation.
    ///
    /// # Errors
    /// The policy makes no snapshot, or a new secret cannot be made, shown or kept.
    pub(super) async fn state(
        &mut self,
        policy: Policy,
        head: Head,
        published_at: u64,
        previous: Option<&State>,
    ) -> Result<State, ServerError> {
        let Self { config, store, keys, show, audit: _, ledger: _ } = self;
        let (ring, hash_key) = (keys.current(), keys.secrets().hash_key());
        let publication = Publication { config, policy: &policy, keys: ring.set(), hash_key };
        let document = document(&publication, edition(head, published_at), None);
        // Before secrets are made: what cannot be published must leave no traces.
        Snapshot::compile(document.clone())?;
        let generated = GeneratedSecrets::open(store, &policy, show).await?;
        log_exemptions(&policy, previous);
        Ok(match previous {
            None => State::new(Clients::new(&policy, &generated), policy, document)?.of_keys(ring.set()),
            Some(previous) => {
                let clients = previous.clients().successor(&policy, &generated);
                previous.successor(clients, policy, document)?.of_keys(ring.set())
            }
        })
    }

    /// Publishes `compiled`, which comes of a directory with this digest, in succession to what `head` says. `None` if
    /// the store says something else since.
    ///
    /// # Errors
    /// See [`Publisher::state`]; or the store is away.
    pub(super) async fn publish(
        &mut self,
        compiled: Compiled,
        directory_digest: &str,
        head: Head,
        previous: Option<&State>,
    ) -> Result<Option<Published>, ServerError> {
        let Compiled { policy, sources } = compiled;
        let (number, published_at) = (next_generation(head.latest), clock::now().0);
        let digest = shared::digest(&sources);
        let text = shared::share(&sources)?;
        // First the secrets: a policy whose clients cannot come in is not published.
        let state = self.state(policy, Head { latest: number, ..head }, published_at, previous).await?;
        let generation = NewGeneration {
            number,
            digest: &digest,
            directory_digest,
            sources: &text,
            published_at,
            published_by: &self.audit.node,
        };
        match self.store.publish(head, generation).await {
            Ok(()) => {
                self.record(number, &digest).await;
                let latest = Latest { number, sources, digest, published_at };
                Ok(Some(Published { state, latest }))
            }
            Err(PublishError::Lost) => Ok(None),
            Err(PublishError::Store(error)) => Err(StoreFault::from(error).into()),
        }
    }

    /// Tells the audit log, at once if the store takes it. The policy counts already, so that nothing can fail any more.
    async fn record(&self, generation: u64, digest: &str) {
        let at = clock::now_millis().0;
        let lines = Lines::of(&Event::policy_published(at, &self.audit.node, generation, digest));
        if let Err(error) = self.ledger.write(Write::Note, lines.clone()).await {
            tracing::warn!(%error, generation, "that a policy was published waits for the audit log");
            self.audit.recorder.record_all(&lines);
        }
    }
}

/// The clock goes on across stores, which is what counts: a filter refuses a generation lower than one it has seen. Two
/// generations of one second differ all the same.
fn next_generation(previous: u64) -> u64 {
    clock::now().0.max(previous.saturating_add(1))
}

/// What is open to everyone and was not before.
fn log_exemptions(policy: &Policy, previous: Option<&State>) {
    for open in policy.exemptions() {
        let same = |known: &policy::Exemption| {
            (&known.method, &known.host, &known.path) == (&open.method, &open.host, &open.path)
        };
        if !previous.is_some_and(|state| state.policy().exemptions().any(same)) {
            let (method, host, path) = (&open.method, &open.host, &open.path);
            tracing::info!(method, host, path, "open to everyone: `action: none`");
        }
    }
}
