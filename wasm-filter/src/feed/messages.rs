//! The messages of `writ.v1.DataPlane`, each as far as the filter reads or writes it.

mod up;

use verdict::{
    Use,
    document::{FEATURES, Version},
};

pub use self::up::{Hello, UseRequest, ack, lease_request, nack};
use super::{
    digest::Digest,
    wire::{Fields, Malformed, Value},
};

/// Version of the protocol.
pub const PROTOCOL: u64 = 1;
/// What the filter understands beyond the protocol's version.
pub const FEATURE: &str = "revocations";
/// Most bytes of a piece of a snapshot.
pub const CHUNK: usize = 256 << 10;

/// `writ.v1.WatchResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'m> {
    /// A piece of a snapshot.
    Snapshot(Piece<'m>),
    /// Nothing newer exists.
    Heartbeat(Heartbeat),
    /// The sender ends the stream.
    GoAway(GoAway<'m>),
    /// What has been revoked and lifted since.
    Delta(Delta<'m>),
    /// A kind of message that a later release knows. What must be understood is in `requires`.
    Unknown,
}

/// `writ.v1.Snapshot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Piece<'m> {
    /// What the whole is a version of.
    pub version: Version,
    /// A feature that its reader must know and this version does not.
    pub requires: Option<&'m [u8]>,
    /// When the sender last read its store completely, Unix milliseconds.
    pub as_of_ms: u64,
    /// This piece, from 0.
    pub chunk: u64,
    /// Of so many.
    pub chunks: u64,
    /// A piece of the JSON text of a snapshot document.
    pub part: &'m [u8],
    /// Of the whole text.
    pub digest: Digest,
    /// Records of what is revoked, behind the text.
    pub revoked: &'m [u8],
}

/// `writ.v1.Delta`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta<'m> {
    /// What it leads to.
    pub version: Version,
    /// What it applies to.
    pub previous: Version,
    /// Of the document that both are versions of.
    pub digest: Digest,
    /// A feature that its reader must know and this version does not.
    pub requires: Option<&'m [u8]>,
    /// When the sender last read its store completely, Unix milliseconds.
    pub as_of_ms: u64,
    /// Records of what is revoked.
    pub revoked: &'m [u8],
    /// Hashes of what is lifted.
    pub lifted: &'m [u8],
}

/// `writ.v1.Heartbeat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// When the sender last read its store completely, Unix milliseconds.
    pub as_of_ms: u64,
    /// The newest version for this watcher.
    pub version: Option<Version>,
    /// The longest time to the next message, milliseconds.
    pub interval_ms: u64,
    /// Of the newest version's document for this watcher.
    pub digest: Digest,
}

/// `writ.v1.GoAway`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoAway<'m> {
    /// After at least this time another stream may be opened, milliseconds.
    pub reconnect_ms: u64,
    /// Why, for operators.
    pub reason: &'m [u8],
}

impl<'m> Response<'m> {
    /// Reads a message. Of fields that should stand there once the last counts, and unknown ones do not, as
    /// everywhere in protobuf.
    ///
    /// # Errors
    /// The bytes are no message.
    pub fn decode(message: &'m [u8]) -> Result<Self, Malformed> {
        let mut response = Self::Unknown;
        for field in Fields::of(message) {
            response = match field? {
                (1, Value::Bytes(message)) => Self::Snapshot(Piece::decode(message)?),
                (2, Value::Bytes(message)) => Self::Heartbeat(Heartbeat::decode(message)?),
                (3, Value::Bytes(message)) => Self::GoAway(GoAway::decode(message)?),
                (4, Value::Bytes(message)) => Self::Delta(Delta::decode(message)?),
                (1..=4, _) => return Err(Malformed),
                _ => response,
            };
        }
        Ok(response)
    }
}

impl<'m> Piece<'m> {
    fn decode(message: &'m [u8]) -> Result<Self, Malformed> {
        let mut piece = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(message)) => piece.version = decode_version(message)?,
                (2, Value::Bytes(feature)) => piece.requires = unknown(feature).or(piece.requires),
                (3, Value::Number(number)) => piece.as_of_ms = number,
                (4, Value::Number(number)) => piece.chunk = number,
                (5, Value::Number(number)) => piece.chunks = number,
                (6, Value::Bytes(bytes)) => piece.part = bytes,
                (7, Value::Bytes(bytes)) => piece.digest = Digest::read(bytes)?,
                (8, Value::Bytes(bytes)) => piece.revoked = bytes,
                (1..=8, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(piece)
    }
}

impl<'m> Delta<'m> {
    fn decode(message: &'m [u8]) -> Result<Self, Malformed> {
        let mut delta = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(message)) => delta.version = decode_version(message)?,
                (2, Value::Bytes(message)) => delta.previous = decode_version(message)?,
                (3, Value::Bytes(bytes)) => delta.digest = Digest::read(bytes)?,
                (4, Value::Bytes(feature)) => delta.requires = unknown(feature).or(delta.requires),
                (5, Value::Number(number)) => delta.as_of_ms = number,
                (6, Value::Bytes(bytes)) => delta.revoked = bytes,
                (7, Value::Bytes(bytes)) => delta.lifted = bytes,
                (1..=7, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(delta)
    }
}

impl Heartbeat {
    fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut heartbeat = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Number(number)) => heartbeat.as_of_ms = number,
                (2, Value::Bytes(message)) => heartbeat.version = Some(decode_version(message)?),
                (3, Value::Number(number)) => heartbeat.interval_ms = number,
                (4, Value::Bytes(bytes)) => heartbeat.digest = Digest::read(bytes)?,
                (1..=4, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(heartbeat)
    }
}

impl<'m> GoAway<'m> {
    fn decode(message: &'m [u8]) -> Result<Self, Malformed> {
        let mut go_away = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Number(number)) => go_away.reconnect_ms = number,
                (2, Value::Bytes(reason)) => go_away.reason = reason,
                (1..=2, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(go_away)
    }
}

/// What a `writ.v1.UseResponse` says. An outcome that a later release knows is none that lets a request pass.
#[must_use]
pub fn decode_use(message: &[u8]) -> Use {
    let mut outcome = Use::Unavailable;
    for field in Fields::of(message) {
        outcome = match field {
            Ok((1, Value::Number(1))) => Use::Counted,
            Ok((1, Value::Number(2))) => Use::Exhausted,
            Ok((1, Value::Number(3))) => Use::Revoked,
            Ok((1, _)) | Err(Malformed) => return Use::Unavailable,
            Ok(_) => outcome,
        };
    }
    outcome
}

/// What a `writ.v1.LeaseResponse` says.
#[derive(Debug, Default)]
pub struct LeaseAnswer<'m> {
    /// The header field's name.
    pub header: &'m [u8],
    /// Its value.
    pub value: &'m [u8],
    /// What must not be seen of it.
    pub masked: Vec<&'m [u8]>,
    /// Milliseconds for which it may be used.
    pub lease_ms: u64,
}

/// Most parts of a credential that are hidden.
const MAX_MASKED: usize = 8;

/// Reads a `writ.v1.LeaseResponse`; `None`: the bytes are none.
#[must_use]
pub fn decode_lease(message: &[u8]) -> Option<LeaseAnswer<'_>> {
    let mut answer = LeaseAnswer::default();
    for field in Fields::of(message) {
        match field.ok()? {
            (1, Value::Bytes(header)) => answer.header = header,
            (2, Value::Bytes(value)) => answer.value = value,
            (3, Value::Bytes(masked)) if answer.masked.len() < MAX_MASKED => answer.masked.push(masked),
            (4, Value::Number(number)) => answer.lease_ms = number,
            (1..=4, _) => return None,
            _ => {}
        }
    }
    Some(answer)
}

/// What neither the feed knows nor the documents that it brings.
fn unknown(feature: &[u8]) -> Option<&[u8]> {
    let mut known = FEATURES.iter().chain([&FEATURE]);
    (!known.any(|known| known.as_bytes() == feature)).then_some(feature)
}

fn decode_version(message: &[u8]) -> Result<Version, Malformed> {
    let mut version = Version::default();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(number)) => version.epoch = number,
            (2, Value::Number(number)) => version.generation = number,
            (3, Value::Number(number)) => version.revocation = number,
            (1..=3, _) => return Err(Malformed),
            _ => {}
        }
    }
    Ok(version)
}
