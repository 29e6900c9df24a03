//! Secrets on this machine.

use std::{env, future::Future, io, path::Path, pin::Pin};

use policy::StoredSecret;

use super::{Provided, Provider, ProviderError};
use crate::{
    credentials::Secret,
    files::{self, FileError},
};

/// Longest content, bytes: twice of what can be sent.
const MAX: usize = 16 * 1024;

/// A secret that is there until it is replaced.
pub(super) struct Stored(pub(super) StoredSecret);

impl Provider for Stored {
    fn ask(&self) -> Pin<Box<dyn Future<Output = Result<Provided, ProviderError>> + Send + '_>> {
        Box::pin(async { Ok(Provided { secret: read(&self.0).await?, lifetime: None }) })
    }
}

/// The secret of now, without the line end that most editors leave behind it.
pub(super) async fn read(place: &StoredSecret) -> Result<Secret, ProviderError> {
    let mut content = match place {
        StoredSecret::File(path) => {
            let path = path.clone();
            // A file may be on a network.
            let read = tokio::task::spawn_blocking(move || read_file(&path)).await;
            read.map_err(io::Error::other).map_err(|error| {
                ProviderError::File(FileError::new("read", Path::new(&place.to_string()), error))
            })??
        }
        StoredSecret::Environment(name) => {
            let value = env::var_os(name).ok_or_else(|| ProviderError::Unset(name.clone()))?;
            value.into_encoded_bytes()
        }
    };
    for end in [b'\n', b'\r'] {
        if content.last() == Some(&end) {
            content.pop();
        }
    }
    let secret = Secret::new(content);
    match secret.expose().len() {
        0 => Err(ProviderError::Empty(place.to_string())),
        length if length > MAX => Err(ProviderError::TooLong { place: place.to_string(), limit: MAX }),
        _ => Ok(secret),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ProviderError> {
    // Opening a pipe waits for a writer, and a device may never end.
    if path.exists() && !path.is_file() {
        let error = io::Error::other("is not a regular file");
        return Err(ProviderError::File(FileError::new("read", path, error)));
    }
    files::read_secret_up_to(path, MAX.saturating_add(2)).map_err(ProviderError::File)
}
