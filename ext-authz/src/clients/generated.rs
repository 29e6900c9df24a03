//! Secrets that the server made itself, of which it keeps only hashes.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use policy::{Authenticate, Policy};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::files::{self, FileError};

/// The hashes in `clients.json`, by client.
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
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error("`{}`: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: serde_json::Error,
    },
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    secret_sha256: String,
}

impl GeneratedSecrets {
    /// Reads `path`, makes secrets for clients that need one and have none, and has each shown by `show`. Hashes are
    /// kept only when all were shown: a secret that nobody saw must not stand in the way of another.
    ///
    /// # Errors
    /// See [`GeneratedError`]. What was shown until then will not work, and the next start shows others.
    pub fn open(
        path: &Path,
        policy: &Policy,
        mut show: impl FnMut(NewSecret) -> io::Result<()>,
    ) -> Result<Self, GeneratedError> {
        let mut secrets = Self::read(path)?;
        let mut is_changed = false;
        for (name, client) in policy.clients() {
            let wants = client.authenticate.contains(&Authenticate::Generated);
            if wants && !secrets.0.contains_key(name) {
                let secret = generate()?;
                secrets.0.insert(name.clone(), Sha256::digest(&secret).into());
                show(NewSecret { client: name.clone(), secret })
                    .map_err(|reason| GeneratedError::NotShown { client: name.clone(), reason })?;
                is_changed = true;
            }
        }
        if is_changed {
            secrets.write(path)?;
        }
        Ok(secrets)
    }

    /// The hash of `client`'s secret.
    #[must_use]
    pub fn hash(&self, client: &str) -> Option<&[u8; 32]> {
        self.0.get(client)
    }

    fn read(path: &Path) -> Result<Self, GeneratedError> {
        let Some(text) = files::read_if_present(path)? else {
            return Ok(Self::default());
        };
        let content = |reason| GeneratedError::Content { path: path.to_owned(), reason };
        let entries: BTreeMap<String, Entry> = serde_json::from_slice(&text).map_err(content)?;
        let decode = |(name, entry): (String, Entry)| {
            let mut hash = [0; 32];
            match base16ct::lower::decode(&entry.secret_sha256, &mut hash) {
                Ok(decoded) if decoded.len() == 32 => Ok((name, hash)),
                _ => Err(content(serde::de::Error::custom(format_args!("`{name}`: not a SHA-256 hash")))),
            }
        };
        entries.into_iter().map(decode).collect::<Result<_, _>>().map(Self)
    }

    fn write(&self, path: &Path) -> Result<(), GeneratedError> {
        let entry = |hash: &[u8; 32]| Entry { secret_sha256: base16ct::lower::encode_string(hash) };
        let entries: BTreeMap<&String, Entry> =
            self.0.iter().map(|(name, hash)| (name, entry(hash))).collect();
        let text = serde_json::to_vec_pretty(&entries)
            .map_err(|reason| GeneratedError::Content { path: path.to_owned(), reason })?;
        Ok(files::write_atomically(path, &text, files::SECRET)?)
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
