//! Secrets that the server made itself, of which it keeps only hashes.

use std::{collections::BTreeMap, fmt, io};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use policy::{Authenticate, Policy};
use sha2::{Digest as _, Sha256};
use store::{SecretError, Store, StoreError};
use thiserror::Error;

use crate::clock;

/// The store's hashes, by client.
#[derive(Clone, Default)]
pub struct GeneratedSecrets(BTreeMap<String, [u8; 32]>);

/// A secret that was made just now. It exists nowhere else: whoever gets this shows it, once.
pub struct NewSecret {
    /// Whose it is.
    pub client: String,
    secret: String,
}

/// Why there are no generated secrets.
#[derive(Debug, Error)]
pub enum GeneratedError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds for a client.
    #[error("what the store holds for client `{0}` is not a SHA-256 hash")]
    Content(String),
    /// The system's random numbers.
    #[error("cannot make a secret: no random numbers")]
    Random,
    /// A secret that nobody saw. Its hash was not kept, so the next start makes another.
    #[error("cannot show the new secret of client `{client}` on standard output: {reason}")]
    NotShown {
        /// Whose it is.
        client: String,
        /// Why not.
        reason: io::Error,
    },
}

impl GeneratedSecrets {
    /// Reads the store's hashes, makes secrets for clients that need one and have none, and has each shown by `show`. A
    /// hash is kept only once its secret was shown: one that nobody saw must not stand in the way of another.
    ///
    /// # Errors
    /// See [`GeneratedError`]. What was not shown is not kept.
    pub async fn open(
        store: &Store,
        policy: &Policy,
        mut show: impl FnMut(NewSecret) -> io::Result<()>,
    ) -> Result<Self, GeneratedError> {
        let kept = store.secrets().await?;
        let mut secrets = kept.into_iter().map(decode).collect::<Result<BTreeMap<_, _>, _>>()?;
        for (name, client) in policy.clients() {
            let wants = client.authenticate.contains(&Authenticate::Generated);
            if wants && !secrets.contains_key(name) {
                let hash = add(store, name, &mut show).await?;
                secrets.insert(name.clone(), hash);
            }
        }
        Ok(Self(secrets))
    }

    /// The hash of `client`'s secret.
    #[must_use]
    pub fn hash(&self, client: &str) -> Option<&[u8; 32]> {
        self.0.get(client)
    }
}

/// A secret made here, or by another replica at the same time.
async fn add(
    store: &Store,
    client: &str,
    show: &mut impl FnMut(NewSecret) -> io::Result<()>,
) -> Result<[u8; 32], GeneratedError> {
    let secret = generate()?;
    let hash: [u8; 32] = Sha256::digest(&secret).into();
    let text = base16ct::lower::encode_string(&hash);
    let new = NewSecret { client: client.to_owned(), secret };
    match store.add_secret(client, &text, clock::now().0, || show(new)).await {
        Ok(true) => Ok(hash),
        Ok(false) => {
            let others = store.secrets().await?.remove_entry(client);
            let entry = others.ok_or_else(|| GeneratedError::Content(client.to_owned()))?;
            decode(entry).map(|(_, hash)| hash)
        }
        Err(SecretError::NotShown(reason)) => {
            Err(GeneratedError::NotShown { client: client.to_owned(), reason })
        }
        Err(SecretError::Store(error)) => Err(error.into()),
    }
}

fn decode((client, text): (String, String)) -> Result<(String, [u8; 32]), GeneratedError> {
    let mut hash = [0; 32];
    match base16ct::lower::decode(&text, &mut hash) {
        Ok(decoded) if decoded.len() == 32 => Ok((client, hash)),
        _ => Err(GeneratedError::Content(client)),
    }
}

/// 256 random bits. The prefix lets secret scanners find leaked ones.
fn generate() -> Result<String, GeneratedError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| GeneratedError::Random)?;
    Ok(format!("writ_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

impl NewSecret {
    /// The client and its secret, to be shown. The only way to it.
    #[must_use]
    pub fn reveal(self) -> (String, String) {
        (self.client, self.secret)
    }
}

impl fmt::Debug for NewSecret {
    /// Whose it is, and nothing else.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewSecret").field("client", &self.client).finish_non_exhaustive()
    }
}

impl fmt::Debug for GeneratedSecrets {
    /// The names and no hashes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
