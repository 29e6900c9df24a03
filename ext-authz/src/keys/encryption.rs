//! Where the key-encryption key is, and reading it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use thiserror::Error;
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};
use zeroize::Zeroizing;

use super::seal::{KEK, SealError, Sealer};
use crate::files::{self, FileError};

/// Longest that a command may take, which may have to ask over a network.
const COMMAND_PATIENCE: Duration = Duration::from_secs(30);
/// Longest text of a key, with white space around it.
const MAX_TEXT: usize = 256;

/// Where the key-encryption key is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEncryption {
    /// Nobody said: this file, which is made at the first start.
    Default(PathBuf),
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// What a program prints: its path, or its name in `PATH`, and its arguments.
    Command(Vec<String>),
}

/// Why there is no key-encryption key. Holds nothing of one.
#[derive(Debug, Error)]
pub enum KeyEncryptionError {
    /// The file.
    #[error("key-encryption key: {0}")]
    File(FileError),
    /// The default file is gone, and the store needs it.
    #[error(
        "the store's keys are encrypted, and their key-encryption key is not in {0}: put it back, or say in \
         `key_encryption` where it is"
    )]
    Missing(KeyEncryption),
    /// The variable.
    #[error("key-encryption key: {0} is not set")]
    Unset(KeyEncryption),
    /// What was read.
    #[error("key-encryption key: {0} does not hold 32 bytes in base64 or hexadecimal")]
    Content(KeyEncryption),
    /// The program cannot be run.
    #[error("key-encryption key: {place} cannot be run: {error}")]
    Run {
        /// Which.
        place: KeyEncryption,
        /// Why.
        error: io::Error,
    },
    /// The program said that it failed.
    #[error("key-encryption key: {place} ended with {status}")]
    Status {
        /// Which.
        place: KeyEncryption,
        /// Its exit status.
        status: String,
    },
    /// The program did not end.
    #[error("key-encryption key: {0} did not end within {limit} s", limit = COMMAND_PATIENCE.as_secs())]
    Slow(KeyEncryption),
    /// The system's random numbers.
    #[error("cannot make a key-encryption key: no random numbers")]
    Random,
}

impl KeyEncryption {
    /// The key, from where it is. `may_make`: nothing is encrypted yet, so that the default file can be made.
    ///
    /// # Errors
    /// See [`KeyEncryptionError`].
    pub(super) async fn open(&self, may_make: bool) -> Result<Sealer, KeyEncryptionError> {
        let text = match self {
            Self::File(path) => Zeroizing::new(files::read_secret(path).map_err(KeyEncryptionError::File)?),
            Self::Default(path) => match files::read_secret(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(KeyEncryptionError::File(error));
                }
                Ok(text) => Zeroizing::new(text),
                Err(_) if may_make => make(path)?,
                Err(_) => return Err(KeyEncryptionError::Missing(self.clone())),
            },
            Self::Environment(name) => match std::env::var_os(name) {
                Some(text) => Zeroizing::new(text.into_encoded_bytes()),
                None => return Err(KeyEncryptionError::Unset(self.clone())),
            },
            Self::Command(words) => self.ask(words).await?,
        };
        let key = parse(&text).ok_or_else(|| KeyEncryptionError::Content(self.clone()))?;
        Sealer::new(&key, self.to_string()).map_err(|SealError| KeyEncryptionError::Random)
    }

    /// Whether whoever copies `data_dir` has the key as well.
    #[must_use]
    pub fn is_inside(&self, data_dir: &Path) -> bool {
        let path = match self {
            Self::Default(path) | Self::File(path) => path,
            Self::Environment(_) | Self::Command(_) => return false,
        };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        real(path).starts_with(real(data_dir))
    }

    async fn ask(&self, words: &[String]) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        let run = |error| KeyEncryptionError::Run { place: self.clone(), error };
        let Some((program, arguments)) = words.split_first() else {
            return Err(run(io::Error::from(io::ErrorKind::InvalidInput)));
        };
        let mut command = Command::new(program);
        // What it has to say goes where this program's own errors go.
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let answer = async {
            let mut child = command.spawn().map_err(run)?;
            let mut text = Zeroizing::new(Vec::with_capacity(MAX_TEXT));
            if let Some(output) = child.stdout.take() {
                output.take(MAX_TEXT as u64).read_to_end(&mut text).await.map_err(run)?;
            }
            let status = child.wait().await.map_err(run)?;
            if status.success() {
                return Ok(text);
            }
            Err(KeyEncryptionError::Status { place: self.clone(), status: status.to_string() })
        };
        timeout(COMMAND_PATIENCE, answer).await.map_err(|_| KeyEncryptionError::Slow(self.clone()))?
    }
}

impl fmt::Display for KeyEncryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default(path) | Self::File(path) => write!(formatter, "the file `{}`", path.display()),
            Self::Environment(name) => write!(formatter, "the environment variable `{name}`"),
            // Without its arguments, which may be anything.
            Self::Command(words) => {
                write!(formatter, "the command `{}`", words.first().map_or("", String::as_str))
            }
        }
    }
}

/// Either alphabet of base64, padded or not.
fn base64(alphabet: &alphabet::Alphabet, text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

fn parse(text: &[u8]) -> Option<Zeroizing<[u8; KEK]>> {
    let text = str::from_utf8(text).ok()?.trim();
    let bytes = if text.len() == 2 * KEK {
        base16ct::mixed::decode_vec(text).ok()
    } else {
        base64(&alphabet::STANDARD, text).or_else(|| base64(&alphabet::URL_SAFE, text))
    };
    let bytes = Zeroizing::new(bytes?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn make(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
    let mut key = Zeroizing::new([0; KEK]);
    aws_lc_rs::rand::fill(&mut *key).map_err(|_| KeyEncryptionError::Random)?;
    let text = Zeroizing::new(base16ct::lower::encode_string(&*key).into_bytes());
    files::write_atomically(path, &text, files::SECRET).map_err(KeyEncryptionError::File)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_and_hexadecimal_are_read() {
        let hexadecimal = "fb".repeat(KEK);
        let standard = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=";
        let url_safe = standard.replace('+', "-").replace('/', "_");
        for text in
            [&hexadecimal, &hexadecimal.to_uppercase(), standard, &url_safe, standard.trim_end_matches('=')]
        {
            assert_eq!(*parse(format!(" {text}\n").as_bytes()).unwrap(), [0xfb; KEK], "{text}");
        }
        for text in ["", "fb", &hexadecimal[2..], "+/v7", &format!("{hexadecimal}fb"), "\u{e9}"] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    async fn failure(words: &[&str]) -> String {
        let place = KeyEncryption::Command(words.iter().copied().map(str::to_owned).collect());
        place.open(true).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_command_prints_the_key() {
        let key = "ab".repeat(KEK);
        let place = KeyEncryption::Command(vec!["echo".into(), key]);
        place.open(false).await.unwrap();
        assert!(failure(&["false"]).await.contains("`false` ended with"));
        assert!(failure(&["true"]).await.contains("`true` does not hold 32 bytes"));
        assert!(failure(&["/nonexistent/kms", "secret"]).await.contains("`/nonexistent/kms` cannot be run"));
        assert!(!failure(&["echo", "secret"]).await.contains("secret"));
        let endless = failure(&["yes"]).await;
        assert!(endless.contains("`yes`"), "{endless}");
    }
}
