//! HTTP/2 frames (RFC 9113 section 4.1) and literal header fields (RFC 7541 section 6.2.2).

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::{IoContext, Result};

/// Frame flags by their use.
pub(super) mod flags {
    /// The last frame of a stream.
    pub(crate) const END_STREAM: u8 = 0x1;
    /// The last frame of a field block.
    pub(crate) const END_HEADERS: u8 = 0x4;
    /// An answer to SETTINGS or PING.
    pub(crate) const ACK: u8 = 0x1;
}

/// Frame types that the client sends or reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// DATA.
    Data,
    /// HEADERS.
    Headers,
    /// RST_STREAM.
    ResetStream,
    /// SETTINGS.
    Settings,
    /// PING.
    Ping,
    /// GOAWAY.
    GoAway,
    /// CONTINUATION.
    Continuation,
    /// Any other, ignored as RFC 9113 section 5.5 asks.
    Other(u8),
}

impl Kind {
    const KNOWN: [(u8, Self); 7] = [
        (0, Self::Data),
        (1, Self::Headers),
        (3, Self::ResetStream),
        (4, Self::Settings),
        (6, Self::Ping),
        (7, Self::GoAway),
        (9, Self::Continuation),
    ];

    fn code(self) -> u8 {
        match self {
            Self::Other(code) => code,
            known => Self::KNOWN.iter().find(|(_, kind)| *kind == known).map_or(0, |(code, _)| *code),
        }
    }

    fn of(code: u8) -> Self {
        Self::KNOWN.iter().find(|(known, _)| *known == code).map_or(Self::Other(code), |(_, kind)| *kind)
    }
}

/// One frame.
#[derive(Debug)]
pub(super) struct Frame {
    /// Its type.
    pub(super) kind: Kind,
    /// Its flags.
    pub(super) flags: u8,
    /// Its stream; 0 is the connection.
    pub(super) stream: u32,
    /// Its payload.
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// A frame of these parts.
    pub(super) fn new(kind: Kind, flags: u8, stream: u32, payload: Vec<u8>) -> Self {
        Self { kind, flags, stream, payload }
    }

    /// Whether a flag is set.
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The frame's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let [_, high, middle, low] = u32::try_from(self.payload.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = vec![high, middle, low, self.kind.code(), self.flags];
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

/// Reads one frame; `None` at the end of the connection.
pub(super) async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<Frame>> {
    let mut head = [0u8; 9];
    if stream.read_exact(&mut head).await.is_err() {
        return Ok(None);
    }
    let [high, middle, low, kind, flags, a, b, c, d] = head;
    let length = u32::from_be_bytes([0, high, middle, low]) as usize;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.context(|| "read a frame".to_owned())?;
    let stream = u32::from_be_bytes([a & 0x7f, b, c, d]);
    Ok(Some(Frame { kind: Kind::of(kind), flags, stream, payload }))
}

/// A literal field, never indexed, without Huffman coding: any bytes at all.
pub(super) fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    written(0x10, name, value)
}

/// A literal field that the peer enters into its dynamic table, as the newest (RFC 7541 section 6.2.1).
pub(super) fn entered(name: &[u8], value: &[u8]) -> Vec<u8> {
    written(0x40, name, value)
}

/// The newest field of the dynamic table, which begins behind the 61 of the static one (RFC 7541 section 2.3.3).
pub(super) const NEWEST: u8 = 0x80 | 62;

fn written(representation: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![representation];
    for text in [name, value] {
        bytes.extend(loona_hpack::encoder::encode_integer(text.len(), 7));
        bytes.extend_from_slice(text);
    }
    bytes
}
