//! The log's extent at one moment, to be kept where whoever can change the log cannot.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ChainKey, Digest, Head, key::Keyed};

const VERSION: u32 = 1;

/// The heads of all chains at one moment. As JSON it can be exported; the log is held against it later, by which time
/// it may have grown and may have lost what was old, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    version: u32,
    at: u64,
    writers: Vec<Head>,
    mac: Digest,
}

/// Why a text is no checkpoint of this log.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It has not the form of one.
    Form(serde_json::Error),
    /// It has the form of a later version.
    Version(u32),
    /// It was changed, or made with another key.
    Mac,
}

impl Checkpoint {
    /// Seals `heads` as they were `at`, Unix milliseconds.
    #[must_use]
    pub fn seal(key: &ChainKey, at: u64, mut heads: Vec<Head>) -> Self {
        heads.sort_by(|one, other| one.writer.cmp(&other.writer));
        let mut checkpoint = Self { version: VERSION, at, writers: heads, mac: Digest::default() };
        checkpoint.mac = checkpoint.keyed(key).digest();
        checkpoint
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// It is none, or not one of the log that has this key.
    pub fn read(key: &ChainKey, text: &[u8]) -> Result<Self, CheckpointError> {
        let checkpoint: Self = serde_json::from_slice(text).map_err(CheckpointError::Form)?;
        if checkpoint.version != VERSION {
            return Err(CheckpointError::Version(checkpoint.version));
        }
        if !checkpoint.keyed(key).is(&checkpoint.mac) {
            return Err(CheckpointError::Mac);
        }
        Ok(checkpoint)
    }

    /// When, Unix milliseconds.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The chains, by name.
    #[must_use]
    pub fn writers(&self) -> &[Head] {
        &self.writers
    }

    fn keyed(&self, key: &ChainKey) -> Keyed {
        let Self { version: _, at, writers, mac: _ } = self;
        let begun = key.of_checkpoint().number(*at).number(writers.len() as u64);
        writers
            .iter()
            .fold(begun, |keyed, Head { writer, seq, hash }| keyed.text(writer).number(*seq).bytes(&hash.0))
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(formatter, "is no checkpoint: {error}"),
            Self::Version(version) => {
                write!(formatter, "is a checkpoint of version {version}; known is version {VERSION}")
            }
            Self::Mac => formatter.write_str("was changed, or is of a log with another key"),
        }
    }
}

impl std::error::Error for CheckpointError {}
