//! Policy files in memory.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    error::PolicyErrors,
    example::EXAMPLE,
    load,
    report::Report,
    schema::namespace_of,
    yaml::{Field, parse},
};

/// The files of a policy, name to text. Two are equal if every byte is: a file that was touched is no change.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Reads every policy file that is directly in `dir`: `*.yaml` and `*.yml`, but neither hidden files nor
    /// `*.cases.yaml`.
    ///
    /// # Errors
    /// What cannot be read, is too large, too many, or not text; and a directory without any policy file, which is
    /// a mount that failed sooner than a policy that refuses everything.
    pub fn read(dir: &Path) -> Result<Self, PolicyErrors> {
        load::read(dir).map(|files| Self(files.into_iter().collect()))
    }

    /// The example built into this crate.
    #[must_use]
    pub fn example() -> Self {
        Self(EXAMPLE.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    /// Pairs of name and text, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a file. `None`, and nothing added, if there is one of that name.
    pub(crate) fn add(&mut self, name: &str, text: &str) -> Option<()> {
        if self.0.contains_key(name) {
            return None;
        }
        self.0.insert(name.to_owned(), text.to_owned());
        Some(())
    }

    /// The namespace that a file names; `None` if there is no such file, or if it does not say.
    pub(crate) fn namespace(&self, file: &str) -> Option<String> {
        let text = self.0.get(file)?;
        // Whatever is wrong with the file is reported where it is compiled.
        let mut unused = Report::default();
        let root = parse(file, text, &mut unused).ok()?;
        namespace_of(&Field::root(file, &root), &mut unused).ok()
    }
}

impl fmt::Debug for Sources {
    /// Names alone: texts may hold hashes of secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for Sources {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(files: I) -> Self {
        Self(files.into_iter().map(|(name, text)| (name.into(), text.into())).collect())
    }
}
