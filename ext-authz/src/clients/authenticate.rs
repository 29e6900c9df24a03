//! From claimed to proven clients.

use std::{collections::BTreeMap, sync::Arc};

use policy::{Authenticate, Client, Policy};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;

use super::{
    ClientCredentials, GeneratedSecrets,
    password::{Busy, PasswordChecks},
};

/// All clients and the ways to prove to be one.
#[derive(Debug)]
pub struct Clients {
    by_name: BTreeMap<String, KnownClient>,
    /// A password hash to spend time on where a request fails for another reason.
    decoy: Option<String>,
    passwords: PasswordChecks,
}

#[derive(Debug)]
struct KnownClient {
    client: Arc<Client>,
    /// The hash of its generated secret.
    generated: Option<[u8; 32]>,
}

/// Proof that a request is this client's. Only [`Clients`] makes one.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    name: String,
    client: Arc<Client>,
}

/// What became of a request's client credentials, beside the request: who it is from, or why it is from nobody.
#[derive(Clone, Debug)]
pub(crate) struct ClientProof(pub(crate) Result<AuthenticatedClient, AuthenticationError>);

/// Why a request is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuthenticationError {
    /// No such client, or not its secret: which of the two is not said.
    #[error("unknown client or wrong secret")]
    Refused,
    /// Too many password checks at once.
    #[error("too many authentications in progress")]
    Busy,
}

impl Clients {
    /// The clients of `policy`, with the hashes of those secrets that the server made.
    #[must_use]
    pub fn new(policy: &Policy, generated: &GeneratedSecrets) -> Self {
        Self::with(PasswordChecks::new(), policy, generated)
    }

    /// The clients of a later policy. Password checks in progress go on to count.
    #[must_use]
    pub fn successor(&self, policy: &Policy, generated: &GeneratedSecrets) -> Self {
        Self::with(self.passwords.clone(), policy, generated)
    }

    fn with(passwords: PasswordChecks, policy: &Policy, generated: &GeneratedSecrets) -> Self {
        let known = |(name, client): (&String, &Client)| {
            let generated = generated.hash(name).copied();
            (name.clone(), KnownClient { client: Arc::new(client.clone()), generated })
        };
        let decoy =
            policy.clients().values().flat_map(|client| &client.authenticate).find_map(|way| match way {
                Authenticate::Argon2id(hash) => Some(hash.clone()),
                Authenticate::Generated | Authenticate::SecretSha256(_) => None,
            });
        Self { by_name: policy.clients().iter().map(known).collect(), decoy, passwords }
    }

    /// Names of all clients.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Proves who sent a request.
    ///
    /// A failure costs the same whether or not the client exists and whichever way it authenticates, so that
    /// times do not tell names: one fast comparison and, where any client has a password, one password check.
    ///
    /// # Errors
    /// See [`AuthenticationError`].
    pub async fn authenticate(
        &self,
        credentials: &ClientCredentials,
    ) -> Result<AuthenticatedClient, AuthenticationError> {
        if let Some(client) = self.authenticate_at_once(credentials) {
            return Ok(client);
        }
        let known = self.by_name.get(&credentials.id);
        let proven = self.has_password(known, &credentials.secret).await?;
        let known = known.filter(|_| proven).ok_or(AuthenticationError::Refused)?;
        Ok(known.proven(credentials))
    }

    /// Proves who sent a request, where that takes no time. `None` proves nothing: the secret may be a password.
    #[must_use]
    pub fn authenticate_at_once(&self, credentials: &ClientCredentials) -> Option<AuthenticatedClient> {
        let known = self.by_name.get(&credentials.id);
        let hash: [u8; 32] = Sha256::digest(&credentials.secret).into();
        let fast = known.map_or_else(|| hash.ct_eq(&[0; 32]), |known| known.has_secret(&hash));
        known.filter(|_| bool::from(fast)).map(|known| known.proven(credentials))
    }

    /// Proves again, by these clients, who was proven by earlier ones. A password is not checked anew while its hash is the
    /// same.
    ///
    /// # Errors
    /// See [`AuthenticationError`].
    pub async fn authenticate_again(
        &self,
        earlier: &AuthenticatedClient,
        credentials: &ClientCredentials,
    ) -> Result<AuthenticatedClient, AuthenticationError> {
        let known = self.by_name.get(&earlier.name);
        // What a generated secret is compared with may have changed all the same.
        let is_same = |known: &&KnownClient| {
            known.client.authenticate == earlier.client.authenticate
                && !known.client.authenticate.contains(&Authenticate::Generated)
        };
        match known.filter(is_same) {
            Some(known) if earlier.name == credentials.id => Ok(known.proven(credentials)),
            _ => self.authenticate(credentials).await,
        }
    }

    async fn has_password(
        &self,
        known: Option<&KnownClient>,
        secret: &str,
    ) -> Result<bool, AuthenticationError> {
        let mut proven = false;
        let mut checked = false;
        for hash in known.into_iter().flat_map(KnownClient::passwords) {
            proven |= self.passwords.verify(hash, secret).await?;
            checked = true;
        }
        match &self.decoy {
            // The decoy is another client's hash: its outcome proves nothing here.
            Some(decoy) if !checked => {
                self.passwords.verify(decoy, secret).await.map(|_| false).map_err(Into::into)
            }
            _ => Ok(proven),
        }
    }
}

impl KnownClient {
    /// To be called by what has the proof.
    fn proven(&self, credentials: &ClientCredentials) -> AuthenticatedClient {
        AuthenticatedClient { name: credentials.id.clone(), client: Arc::clone(&self.client) }
    }

    /// Compares with every hash it has, in a time that does not depend on which one fits.
    fn has_secret(&self, hash: &[u8; 32]) -> Choice {
        let written = self.client.authenticate.iter().filter_map(|way| match way {
            Authenticate::SecretSha256(hash) => Some(hash),
            // Counts only while the policy still says so; the hash in the store outlives that.
            Authenticate::Generated => self.generated.as_ref(),
            Authenticate::Argon2id(_) => None,
        });
        written.fold(Choice::from(0), |found, known| found | known.ct_eq(hash))
    }

    fn passwords(&self) -> impl Iterator<Item = &str> {
        self.client.authenticate.iter().filter_map(|way| match way {
            Authenticate::Argon2id(hash) => Some(hash.as_str()),
            Authenticate::Generated | Authenticate::SecretSha256(_) => None,
        })
    }
}

impl AuthenticatedClient {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the policy says about it.
    #[must_use]
    pub fn policy(&self) -> &Client {
        &self.client
    }
}

impl From<Busy> for AuthenticationError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}
