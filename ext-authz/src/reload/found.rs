//! What a look at the policy directory finds.

use std::path::{Path, PathBuf};

use policy::{Policy, PolicyErrors, Sources};

use super::{Rejection, shared::digest};
use crate::config::{Config, PolicySource};

/// The content of the directory, or why it cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) sources: Result<Sources, PolicyErrors>,
    /// Names the content; `None` if it cannot be read.
    pub(super) digest: Option<String>,
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.sources == other.sources
    }
}

impl Found {
    /// Reads the directory.
    pub(super) fn look(directory: &Path) -> Self {
        Self::new(Sources::read(directory))
    }

    /// Reads what `config` names.
    pub(super) fn first(config: &Config) -> Self {
        match &config.policy {
            PolicySource::Directory(directory) => Self::look(directory),
            PolicySource::Example => Self::new(Ok(Sources::example())),
        }
    }

    pub(super) fn new(sources: Result<Sources, PolicyErrors>) -> Self {
        let digest = sources.as_ref().ok().map(digest);
        Self { sources, digest }
    }

    /// What is wrong with it.
    pub(super) fn faults(&self, config: &Config) -> Option<Rejection> {
        let errors = match &self.sources {
            Ok(sources) => Policy::compile(sources, &config.namespaces).err(),
            Err(errors) => Some(errors.clone()),
        };
        errors.map(|errors| Rejection::new(&errors))
    }
}

/// Where the files of the store's policy would be, if they were this replica's.
pub(super) fn place(config: &Config) -> PathBuf {
    match &config.policy {
        PolicySource::Directory(directory) => directory.clone(),
        // Where the example's files would be.
        PolicySource::Example => PathBuf::from("policies"),
    }
}
