//! Keys in files, as earlier releases kept them. They are read once, at the first start with a store that has none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{KeyError, PublicKey, SigningKey};
use crate::files::{self, FileError};

/// Signing keys that were found.
#[derive(Debug)]
pub(super) struct Imported {
    /// The one that signs.
    pub(super) active: SigningKey,
    /// The public halves of those that only verify.
    pub(super) others: Vec<PublicKey>,
}

/// The signing keys of `directory`: PEM files, and the file `active` with the `kid` of the one that signs. `None` if
/// there is no PEM file.
///
/// # Errors
/// A file that is no key, is named as another, or can be used by others; several keys of which none is chosen.
pub(super) fn signing_keys(directory: &Path) -> Result<Option<Imported>, KeyError> {
    let mut keys = list(directory)?.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let chosen = directory.join("active");
    let index = match files::read_if_present(&chosen)? {
        _ if keys.is_empty() => return Ok(None),
        Some(text) => {
            let kid = String::from_utf8_lossy(&text).trim().to_owned();
            keys.iter()
                .position(|key| key.public().kid() == kid)
                .ok_or(KeyError::Inactive { path: chosen, kid })?
        }
        None if keys.len() == 1 => 0,
        None => return Err(KeyError::Ambiguous(directory.to_owned())),
    };
    let active = keys.swap_remove(index);
    Ok(Some(Imported { active, others: keys.iter().map(|key| key.public().clone()).collect() }))
}

/// The secret of `N` bytes that is in the first of these files that is there, in base64url.
///
/// # Errors
/// It can be used by others, or is something else.
pub(super) fn secret<const N: usize>(paths: &[PathBuf]) -> Result<Option<Zeroizing<[u8; N]>>, KeyError> {
    for path in paths {
        let text = match files::read_secret(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            text => Zeroizing::new(text?),
        };
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_ascii()).ok().map(Zeroizing::new);
        let bytes = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
        let bytes = bytes.ok_or_else(|| KeyError::Secret { path: path.clone(), bytes: N })?;
        return Ok(Some(Zeroizing::new(bytes)));
    }
    Ok(None)
}

/// The key files, by name.
fn list(directory: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(|error| FileError::new("read directory", directory, error))?;
    let is_key = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pem");
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(is_key).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<SigningKey, KeyError> {
    let text = Zeroizing::new(files::read_secret(path)?);
    let key =
        SigningKey::from_pem(&text).map_err(|reason| KeyError::Key { path: path.to_owned(), reason })?;
    let kid = key.public().kid();
    if path.file_stem().is_none_or(|stem| stem != kid) {
        return Err(KeyError::Name { path: path.to_owned(), kid: kid.to_owned() });
    }
    Ok(key)
}
