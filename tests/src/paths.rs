//! Where the built and downloaded parts are. A missing part is an error that names the command that makes it.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// The root of the repository.
pub fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// The `writ` command as `make build` leaves it; `WRIT_BIN` overrides.
///
/// # Errors
/// [`Error::Missing`].
pub fn writ() -> Result<PathBuf> {
    let built = target().join("release/writ");
    present("the writ binary", env_path("WRIT_BIN").unwrap_or(built), "make build")
}

/// The Envoy binary as `scripts/setup-envoy` leaves it; `ENVOY_BIN` overrides.
///
/// # Errors
/// [`Error::Missing`].
pub fn envoy() -> Result<PathBuf> {
    let installed = repository().join(".tools/envoy");
    present("Envoy", env_path("ENVOY_BIN").unwrap_or(installed), "scripts/setup-envoy")
}

/// The filter as `make wasm` leaves it.
///
/// # Errors
/// [`Error::Missing`].
pub fn filter() -> Result<PathBuf> {
    present("the wasm filter", target().join("wasm/writ_filter.wasm"), "make wasm")
}

/// The command of the release before this one, as `scripts/build-previous` leaves it.
///
/// # Errors
/// [`Error::Missing`].
pub fn previous_writ() -> Result<PathBuf> {
    previous("writ")
}

/// The filter of the release before this one.
///
/// # Errors
/// [`Error::Missing`].
pub fn previous_filter() -> Result<PathBuf> {
    previous("writ_filter.wasm")
}

fn previous(name: &str) -> Result<PathBuf> {
    // "<version> <commit>"
    let release = include_str!("../previous/release").split_whitespace().next().unwrap_or_default();
    let built = repository().join("target/previous").join(release).join(name);
    present("the previous release", built, "scripts/build-previous")
}

/// A file of the corpus or a directory of it.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn target() -> PathBuf {
    env_path("CARGO_TARGET_DIR").unwrap_or_else(|| repository().join("target"))
}

fn env_path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn present(what: &'static str, path: PathBuf, remedy: &'static str) -> Result<PathBuf> {
    if path.exists() { Ok(path) } else { Err(Error::Missing { what, path, remedy }) }
}
