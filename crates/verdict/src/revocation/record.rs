//! A revoked hash and how long it is of use.

use thiserror::Error;

use super::Hash;
use crate::UnixTime;

/// One revocation, as a feed carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What is revoked.
    pub hash: Hash,
    /// Unix second after which the hash is of no use, because all it is about has expired; 0 for never.
    pub until: u32,
}

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not records of {} bytes each", Record::BYTES)]
pub struct NotARecord;

impl Record {
    /// Bytes of the wire form: the hash, then [`until`](Self::until), most significant byte first.
    pub const BYTES: usize = 20;

    /// A record of use until then, `None` for ever. What lies beyond the year 2106 cannot be said, and is for ever.
    #[must_use]
    pub fn new(hash: Hash, until: Option<UnixTime>) -> Self {
        // The first second of 1970 would read as never; the second one is past just as well.
        let until = until.map_or(0, |until| u32::try_from(until.0.max(1)).unwrap_or(0));
        Self { hash, until }
    }

    /// Whether it is of no use any more.
    #[must_use]
    pub fn is_over(&self, now: UnixTime) -> bool {
        self.until != 0 && now.0 > u64::from(self.until)
    }

    /// The wire form.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = self.hash.into_iter().chain(self.until.to_be_bytes());
        bytes.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
        bytes
    }

    /// A record from its wire form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let &[hash @ .., a, b, c, d] = bytes;
        Self { hash, until: u32::from_be_bytes([a, b, c, d]) }
    }

    /// The records of a text of them, one behind the other.
    ///
    /// # Errors
    /// The last one is cut off.
    pub fn read_all(bytes: &[u8]) -> Result<impl ExactSizeIterator<Item = Self> + Clone + '_, NotARecord> {
        let (records, []) = bytes.as_chunks() else { return Err(NotARecord) };
        Ok(records.iter().map(Self::from_bytes))
    }
}
