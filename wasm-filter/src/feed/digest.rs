//! What tells the documents of one version apart.

use verdict::document::Version;

use super::wire::Malformed;

/// Most bytes of a digest.
pub const MAX_DIGEST: usize = 32;

/// A sender's name of a document's content. Nothing is read out of it: two are the same, or they are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Zero beyond `length`.
    bytes: [u8; MAX_DIGEST],
    length: usize,
}

/// The document in force. Keys, settings and what this proxy may see can change under one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it is a version of.
    pub version: Version,
    /// What came with it.
    pub digest: Digest,
}

impl Digest {
    /// The digest of these bytes; none is one, too.
    ///
    /// # Errors
    /// More than [`MAX_DIGEST`] bytes.
    pub fn read(digest: &[u8]) -> Result<Self, Malformed> {
        let mut bytes = [0; MAX_DIGEST];
        bytes.get_mut(..digest.len()).ok_or(Malformed)?.copy_from_slice(digest);
        Ok(Self { bytes, length: digest.len() })
    }

    /// The bytes that were read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
