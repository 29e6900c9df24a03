//! One link of a chain.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::ChainKey;

/// A SHA-256 digest; shown as hexadecimal, which is how it is kept.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// Events that were written together, with what ties them to the batch before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose chain it is in.
    pub writer: String,
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// When it was sealed, Unix milliseconds.
    pub sealed_at: u64,
    /// How many events it has.
    pub events: u64,
    /// The events: JSON, one a line.
    pub body: String,
    /// Hash of the batch before; all zeros for the first.
    pub previous: Digest,
    /// Of everything above.
    pub hash: Digest,
    /// Keyed hash of `hash`: who has no key cannot make a chain of their own.
    pub mac: Digest,
}

impl Batch {
    /// The hash that the other members should have.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let Self { writer, seq, sealed_at, events, body, previous, hash: _, mac: _ } = self;
        let mut hash = Sha256::new();
        hash.update(b"writ audit batch 1\0");
        // Lengths keep one member from running into the next.
        for text in [writer, body] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        for number in [seq, sealed_at, events] {
            hash.update(number.to_be_bytes());
        }
        hash.update(previous.0);
        Digest(hash.finalize().into())
    }

    /// The keyed hash that it should have.
    #[must_use]
    pub fn keyed(&self, key: &ChainKey) -> Digest {
        key.mac(&self.hash)
    }
}

impl ChainKey {
    pub(crate) fn mac(&self, hash: &Digest) -> Digest {
        // A key of any length will do (RFC 2104 section 3), so that there is no error.
        let mac = Hmac::<Sha256>::new_from_slice(self.bytes());
        mac.map_or_else(
            |_| Digest::default(),
            |mut mac| {
                mac.update(b"writ audit head 1\0");
                mac.update(&hash.0);
                Digest(mac.finalize().into_bytes().into())
            },
        )
    }
}

impl Digest {
    /// Reads the hexadecimal form; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Some(Self(bytes)),
            _ => None,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
