//! The messages of `writ.v1.DataPlane/Watch`, each as far as the filter reads or writes it.

use verdict::document::Version;

use super::{
    digest::{Digest, Held},
    wire::{Fields, Malformed, Value, put_bytes, put_message, put_number, put_text},
};

/// Version of the protocol.
pub const PROTOCOL: u64 = 1;
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
    /// A kind of message that a later release knows. What must be understood is in `requires`.
    Unknown,
}

/// `writ.v1.Snapshot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Piece<'m> {
    /// What the whole is a version of.
    pub version: Version,
    /// A feature that its reader must know; none is defined yet, so that one is enough.
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
                (1..=3, _) => return Err(Malformed),
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
                (2, Value::Bytes(feature)) => piece.requires = Some(feature),
                (3, Value::Number(number)) => piece.as_of_ms = number,
                (4, Value::Number(number)) => piece.chunk = number,
                (5, Value::Number(number)) => piece.chunks = number,
                (6, Value::Bytes(bytes)) => piece.part = bytes,
                (7, Value::Bytes(bytes)) => piece.digest = Digest::read(bytes)?,
                (1..=7, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(piece)
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

/// `writ.v1.Hello`.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'h> {
    /// This release.
    pub build: &'h str,
    /// The Envoy: its node's id and cluster.
    pub node: (&'h str, &'h str),
    /// What is held from an earlier stream.
    pub held: Option<Held>,
}

impl Hello<'_> {
    /// The `writ.v1.WatchRequest`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { build, node: (id, cluster), held } = self;
        let mut node = Vec::new();
        put_text(&mut node, 1, id);
        put_text(&mut node, 2, cluster);
        let mut hello = Vec::new();
        put_number(&mut hello, 1, PROTOCOL);
        put_text(&mut hello, 2, build);
        put_message(&mut hello, 4, &node);
        if let Some(Held { version, digest }) = held {
            put_message(&mut hello, 5, &encode_version(*version));
            put_bytes(&mut hello, 6, digest.as_bytes());
        }
        request(1, &hello)
    }
}

/// The `writ.v1.WatchRequest` that this version judges from now on.
#[must_use]
pub fn ack(version: Version) -> Vec<u8> {
    let mut ack = Vec::new();
    put_message(&mut ack, 1, &encode_version(version));
    request(2, &ack)
}

/// The `writ.v1.WatchRequest` that it does not, and why.
#[must_use]
pub fn nack(version: Version, reason: &str) -> Vec<u8> {
    let mut nack = Vec::new();
    put_message(&mut nack, 1, &encode_version(version));
    put_text(&mut nack, 2, reason);
    request(3, &nack)
}

fn request(kind: u8, message: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    put_message(&mut request, kind, message);
    request
}

fn encode_version(Version { epoch, generation, revocation }: Version) -> Vec<u8> {
    let mut version = Vec::new();
    for (field, number) in [(1, epoch), (2, generation), (3, revocation)] {
        put_number(&mut version, field, number);
    }
    version
}
