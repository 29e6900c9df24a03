//! Reading the corpus from disk, and what it must hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::case::{Case, Family};
use crate::{
    error::{IoContext, Result, unexpected},
    paths,
};

/// Attacks that must be in the corpus.
pub const REQUIRED_ATTACKS: [u8; 33] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 30, 31,
    39, 40, 41, 42, 48,
];
/// Variants that each of them needs at least.
pub const VARIANTS: usize = 3;

/// Everything under `tests/corpus`.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Families in the order of their file names.
    pub families: Vec<Family>,
    /// What tokens are made of.
    pub tokens: Tokens,
}

/// `tokens.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// The claims of every token, but for its grants.
    pub claims: Map<String, Value>,
    /// Lists of grants by name.
    pub grants: BTreeMap<String, Value>,
}

impl Corpus {
    /// Reads every file.
    ///
    /// # Errors
    /// A file that cannot be read or does not fit the form, or a name used twice in a family.
    pub fn load() -> Result<Self> {
        let directory = paths::corpus().join("cases");
        let mut files: Vec<_> = fs::read_dir(&directory)
            .context(|| format!("read `{}`", directory.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .collect();
        files.sort();
        let families = files.iter().map(|path| read(path)).collect::<Result<Vec<Family>>>()?;
        for family in &families {
            let mut names = BTreeSet::new();
            if let Some(twice) = family.cases.iter().find(|case| !names.insert(&case.name)) {
                return Err(unexpected(format!("`{}` has two cases `{}`", family.family, twice.name)));
            }
        }
        let tokens = read(&paths::corpus().join("tokens.yaml"))?;
        Ok(Self { families, tokens })
    }

    /// Every case with its family.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &Case)> {
        self.families.iter().flat_map(|family| family.cases.iter().map(|case| (family.family.as_str(), case)))
    }

    /// How many variants there are of each attack.
    pub fn variants(&self) -> BTreeMap<u8, usize> {
        let mut counts = BTreeMap::new();
        for number in self.cases().flat_map(|(_, case)| &case.attacks) {
            *counts.entry(*number).or_insert(0) += 1;
        }
        counts
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).context(|| format!("read `{}`", path.display()))?;
    serde_saphyr::from_str(&text).map_err(|error| unexpected(format!("`{}`: {error}", path.display())))
}
