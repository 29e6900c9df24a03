//! A snapshot from its pieces.

use thiserror::Error;
use verdict::revocation::{Full, NotARecord, Record, Revocations};

use super::{digest::Held, messages::Piece};

/// Largest document, in bytes: all pieces of the text together.
pub const MAX_DOCUMENT: usize = 16 << 20;

/// The pieces so far. They come in order, and no other snapshot's between them.
#[derive(Debug, Default)]
pub struct Assembly(Option<Begun>);

#[derive(Debug)]
struct Begun {
    held: Held,
    chunks: u64,
    /// The piece that comes next.
    next: u64,
    document: Vec<u8>,
    revocations: Revocations,
}

/// A whole snapshot.
#[derive(Debug)]
pub struct Complete {
    /// What the sender says it is.
    pub held: Held,
    /// When the sender last read its store completely, Unix milliseconds.
    pub as_of_ms: u64,
    /// JSON of a snapshot document.
    pub document: Vec<u8>,
    /// What is revoked beside what the document says.
    pub revocations: Revocations,
}

/// Why pieces are no snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AssemblyError {
    /// Another piece should have come.
    #[error("pieces out of order")]
    Order,
    /// Larger than a snapshot may be.
    #[error("larger than {MAX_DOCUMENT} bytes")]
    TooLarge,
    /// A record is cut off.
    #[error("{0}")]
    Records(#[from] NotARecord),
    /// More is revoked than there is room for.
    #[error("{0}")]
    Full(#[from] Full),
}

impl Assembly {
    /// Adds a piece, and gives the whole with the last one. After an error the snapshot is forgotten.
    ///
    /// # Errors
    /// See [`AssemblyError`].
    pub fn add(&mut self, piece: &Piece<'_>) -> Result<Option<Complete>, AssemblyError> {
        let &Piece { version, requires: _, as_of_ms, chunk, chunks, part, digest, revoked } = piece;
        let held = Held { version, digest };
        let mut begun = match (self.0.take(), chunk) {
            (None, 0) => {
                Begun { held, chunks, next: 0, document: Vec::new(), revocations: Revocations::default() }
            }
            (Some(begun), _) if begun.held == held && begun.chunks == chunks && begun.next == chunk => begun,
            _ => return Err(AssemblyError::Order),
        };
        // A piece of nothing would let a sender keep the filter at it for ever.
        if chunk >= chunks || (part.is_empty() && revoked.is_empty()) {
            return Err(AssemblyError::Order);
        }
        // The text comes first.
        if !part.is_empty() && !begun.revocations.is_empty() {
            return Err(AssemblyError::Order);
        }
        if begun.document.len().saturating_add(part.len()) > MAX_DOCUMENT {
            return Err(AssemblyError::TooLarge);
        }
        begun.document.extend_from_slice(part);
        for record in Record::read_all(revoked)? {
            begun.revocations.revoke(record)?;
        }
        begun.next = chunk.saturating_add(1);
        if begun.next == chunks {
            let Begun { document, revocations, .. } = begun;
            return Ok(Some(Complete { held, as_of_ms, document, revocations }));
        }
        self.0 = Some(begun);
        Ok(None)
    }

    /// Forgets the pieces so far.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}
