//! Messages to a watcher, as the bytes that go out.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::{Message as _, encode_length_delimiter, length_delimiter_len};
use proto::v1::{CHUNK, Delta, GoAway, Heartbeat, Snapshot, WatchResponse, watch_response::Message};
use verdict::document::Version;

use super::{
    base::{Base, cut},
    to_wire,
};
use crate::clock::UnixMillis;

/// Field numbers and wire type `LEN` (protobuf encoding guide): `WatchResponse.snapshot`, `Snapshot.part`,
/// `Snapshot.revoked`.
const SNAPSHOT: u8 = 1 << 3 | 2;
const PART: u8 = 6 << 3 | 2;
const REVOKED: u8 = 8 << 3 | 2;

/// What pieces are pieces of.
#[derive(Clone, Copy)]
pub(super) struct Whole<'w> {
    pub(super) base: &'w Base,
    pub(super) version: Version,
    pub(super) digest: &'w [u8; 32],
    pub(super) as_of: UnixMillis,
}

pub(super) fn heartbeat(heartbeat: Heartbeat) -> Bytes {
    whole(Message::Heartbeat(heartbeat))
}

pub(super) fn go_away(go_away: GoAway) -> Bytes {
    whole(Message::GoAway(go_away))
}

pub(super) fn delta(delta: Delta) -> Bytes {
    whole(Message::Delta(delta))
}

/// All pieces of a snapshot: those of its text, and then records. Each is its head, which is this watcher's, and then
/// bytes that are shared by all of them.
pub(super) fn snapshot(whole: Whole<'_>, text: &Bytes, records: Vec<Bytes>) -> impl Iterator<Item = Bytes> {
    let texts: Vec<Bytes> = cut(text, CHUNK).collect();
    let chunks = u32::try_from(texts.len() + records.len()).unwrap_or(u32::MAX);
    let head = Snapshot {
        version: Some(to_wire(whole.version)),
        requires: whole.base.requires.clone(),
        as_of_ms: whole.as_of.0,
        chunk: 0,
        chunks,
        part: Vec::new(),
        digest: whole.digest.to_vec(),
        revoked: Vec::new(),
    };
    let texts = texts.into_iter().map(|text| (PART, text));
    let pieces = texts.chain(records.into_iter().map(|records| (REVOKED, records)));
    (0..).zip(pieces).flat_map(move |(chunk, (field, piece))| {
        let head = Snapshot { chunk, ..head.clone() };
        [snapshot_head(&head, field, piece.len()), piece]
    })
}

/// A message up to the content of one field of `Snapshot`, of which only the length is needed. It goes last: fields may
/// come in any order.
fn snapshot_head(head: &Snapshot, field: u8, content: usize) -> Bytes {
    let snapshot = head.encoded_len() + 1 + length_delimiter_len(content) + content;
    let message = 1 + length_delimiter_len(snapshot) + snapshot;
    let mut bytes = prefix(message, message - content);
    bytes.put_u8(SNAPSHOT);
    put_length(&mut bytes, snapshot);
    bytes.put_slice(&head.encode_to_vec());
    bytes.put_u8(field);
    put_length(&mut bytes, content);
    bytes.freeze()
}

fn whole(message: Message) -> Bytes {
    let message = WatchResponse { message: Some(message) }.encode_to_vec();
    let mut bytes = prefix(message.len(), message.len());
    bytes.put_slice(&message);
    bytes.freeze()
}

/// Compressed-Flag and Message-Length (gRPC over HTTP/2), and room for what follows.
fn prefix(message: usize, room: usize) -> BytesMut {
    let mut bytes = BytesMut::with_capacity(5 + room);
    bytes.put_u8(0);
    // A chunk and its head are far shorter.
    bytes.put_u32(u32::try_from(message).unwrap_or(u32::MAX));
    bytes
}

fn put_length(bytes: &mut BytesMut, length: usize) {
    // Its only error is that the buffer has no room, and this one grows.
    let _ = encode_length_delimiter(length, bytes);
}

#[cfg(test)]
mod tests {
    use proto::v1::CHUNK;

    use super::*;

    fn read(frames: &[Bytes]) -> WatchResponse {
        let bytes = frames.concat();
        let length = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
        assert_eq!((bytes[0], bytes.len()), (0, 5 + length));
        WatchResponse::decode(&bytes[5..]).unwrap()
    }

    #[test]
    fn a_snapshot_is_cut_and_told_whole_again() {
        for length in [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
            let text: Bytes = (0_u8..=255).cycle().take(length).collect();
            let base = Base::for_test(text.clone());
            let version = Version { revocation: 3, ..base.version };
            let as_of = UnixMillis(1_700_000_000_000);
            let records: Vec<Bytes> = [vec![7; 20], vec![8; 40]].map(Bytes::from).into();
            let pieces = length.div_ceil(CHUNK) + records.len();
            let whole = Whole { base: &base, version, digest: &base.digest, as_of };
            let frames: Vec<Bytes> = snapshot(whole, &text, records).collect();
            let (mut told, mut revoked) = (Vec::new(), Vec::new());
            for (index, frames) in frames.chunks(2).enumerate() {
                let Some(Message::Snapshot(piece)) = read(frames).message else {
                    panic!("no snapshot");
                };
                assert!(piece.part.len() <= CHUNK);
                // Records come after the text.
                assert!(piece.part.is_empty() != piece.revoked.is_empty());
                assert_eq!(piece.revoked.is_empty(), told.len() < length);
                assert_eq!((piece.chunk as usize, piece.chunks as usize), (index, pieces));
                assert_eq!(piece.version, Some(to_wire(version)));
                assert_eq!(
                    (piece.requires, piece.as_of_ms, piece.digest),
                    (base.requires.clone(), as_of.0, base.digest.to_vec())
                );
                told.extend(piece.part);
                revoked.extend(piece.revoked);
            }
            assert!(told == text, "{length}");
            assert_eq!(revoked, [vec![7; 20], vec![8; 40]].concat());
        }
    }

    #[test]
    fn other_messages_are_whole() {
        let beat = Heartbeat { as_of_ms: 1, version: None, interval_ms: 3, digest: vec![4; 32] };
        assert_eq!(read(&[heartbeat(beat.clone())]).message, Some(Message::Heartbeat(beat)));
        let leave = GoAway { reconnect_ms: 1, reason: "x".into() };
        assert_eq!(read(&[go_away(leave.clone())]).message, Some(Message::GoAway(leave)));
        let step = Delta { as_of_ms: 1, revoked: vec![5; 20], lifted: vec![6; 16], ..Delta::default() };
        assert_eq!(read(&[delta(step.clone())]).message, Some(Message::Delta(step)));
    }
}
