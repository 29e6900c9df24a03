//! Messages to a watcher, as the bytes that go out.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::{Message as _, encode_length_delimiter, length_delimiter_len};
use proto::v1::{GoAway, Heartbeat, Snapshot, WatchResponse, watch_response::Message};

use super::{publication::Publication, to_wire};
use crate::clock::UnixMillis;

/// Field numbers and wire type `LEN` (protobuf encoding guide): `WatchResponse.snapshot`, `Snapshot.part`.
const SNAPSHOT: u8 = 1 << 3 | 2;
const PART: u8 = 6 << 3 | 2;

pub(super) fn heartbeat(heartbeat: Heartbeat) -> Bytes {
    whole(Message::Heartbeat(heartbeat))
}

pub(super) fn go_away(go_away: GoAway) -> Bytes {
    whole(Message::GoAway(go_away))
}

/// All pieces of a publication. Each is its head, which is this watcher's, and then a part of the one text that is
/// shared by all of them.
pub(super) fn snapshot(publication: &Publication, as_of: UnixMillis) -> impl Iterator<Item = Bytes> {
    let chunks = publication.chunks();
    (0..).zip(publication.parts()).flat_map(move |(chunk, part)| {
        let head = Snapshot {
            version: Some(to_wire(publication.version)),
            requires: publication.requires.clone(),
            as_of_ms: as_of.0,
            chunk,
            chunks,
            part: Vec::new(),
            digest: publication.digest.to_vec(),
            revoked: Vec::new(),
        };
        [snapshot_head(&head, part.len()), part]
    })
}

/// A message up to the content of `Snapshot.part`, of which only the length is needed. It goes last: fields may come in
/// any order.
fn snapshot_head(head: &Snapshot, part: usize) -> Bytes {
    let snapshot = head.encoded_len() + 1 + length_delimiter_len(part) + part;
    let message = 1 + length_delimiter_len(snapshot) + snapshot;
    let mut bytes = prefix(message, message - part);
    bytes.put_u8(SNAPSHOT);
    put_length(&mut bytes, snapshot);
    bytes.put_slice(&head.encode_to_vec());
    bytes.put_u8(PART);
    put_length(&mut bytes, part);
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
            let text: Vec<u8> = (0_u8..=255).cycle().take(length).collect();
            let publication = Publication::for_test(text.clone().into());
            let frames: Vec<Bytes> = snapshot(&publication, UnixMillis(1_700_000_000_000)).collect();
            let mut whole = Vec::new();
            for (index, frames) in frames.chunks(2).enumerate() {
                let Some(Message::Snapshot(piece)) = read(frames).message else {
                    panic!("no snapshot");
                };
                assert!(piece.part.len() <= CHUNK);
                assert_eq!((piece.chunk as usize, piece.chunks as usize), (index, length.div_ceil(CHUNK)));
                assert_eq!(piece.version, Some(to_wire(publication.version)));
                assert_eq!(
                    (piece.requires, piece.as_of_ms, piece.digest),
                    (publication.requires.clone(), 1_700_000_000_000, publication.digest.to_vec())
                );
                whole.extend(piece.part);
            }
            assert!(whole == text, "{length}");
        }
    }

    #[test]
    fn other_messages_are_whole() {
        let beat = Heartbeat { as_of_ms: 1, version: None, interval_ms: 3, digest: vec![4; 32] };
        assert_eq!(read(&[heartbeat(beat.clone())]).message, Some(Message::Heartbeat(beat)));
        let leave = GoAway { reconnect_ms: 1, reason: "x".into() };
        assert_eq!(read(&[go_away(leave.clone())]).message, Some(Message::GoAway(leave)));
    }
}
