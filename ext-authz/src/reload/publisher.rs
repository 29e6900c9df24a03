//! From a compiled policy to the state that requests read.

use std::{io, sync::Arc};

use policy::Policy;
use verdict::Snapshot;

use crate::{
    clients::{Clients, GeneratedSecrets, NewSecret},
    clock,
    config::Config,
    keys::KeyRing,
    publish::{HashKeyFile, Publication, document},
    server::ServerError,
    state::State,
};

/// Shows a secret that was made just now, or says why nobody saw it.
pub type Show = Box<dyn FnMut(NewSecret) -> io::Result<()> + Send>;

/// Makes states. What goes into each of them beside the policy stays the same while the server runs.
pub struct Publisher {
    /// Issuer, leeway and places.
    pub config: Arc<Config>,
    /// Keys that verify.
    pub keys: Arc<KeyRing>,
    /// Key of revocation hashes.
    pub hash_key: HashKeyFile,
    /// For clients whose secret the server makes.
    pub show: Show,
}

impl Publisher {
    /// The state of `policy` at `generation`, in succession to `previous`. Clients that need a secret and have none
    /// get theirs now.
    ///
    /// # Errors
    /// The policy makes no snapshot, or a new secret cannot be made, shown or kept.
    pub fn state(
        &mut self,
        policy: Policy,
        generation: u64,
        previous: Option<&State>,
    ) -> Result<State, ServerError> {
        let Self { config, keys, hash_key, show } = self;
        let publication = Publication { config, policy: &policy, keys, hash_key };
        let document = document(&publication, generation, clock::now(), None);
        // Before secrets are made: what cannot be published must leave no traces.
        Snapshot::compile(document.clone())?;
        let generated = GeneratedSecrets::open(&config.data_dir.join("clients.json"), &policy, show)?;
        log_exemptions(&policy, previous);
        Ok(match previous {
            None => State::new(Clients::new(&policy, &generated), policy, document)?,
            Some(previous) => {
                let clients = previous.clients().successor(&policy, &generated);
                previous.successor(clients, policy, document)?
            }
        })
    }
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
