//! Who follows the feed, and what each stream holds.

use axum::{Json, extract::State, response::IntoResponse};
use serde::Serialize;
use verdict::document::Version;

use super::Admin;
use crate::feed::{Nacked, Watcher, generations_behind, revocations_behind};

#[derive(Serialize)]
struct DataPlanes {
    generation: u64,
    revocation: u64,
    data_planes: Vec<Stream>,
}

/// Times are Unix seconds.
#[derive(Serialize)]
struct Stream {
    name: String,
    node: Box<str>,
    cluster: Box<str>,
    build: Box<str>,
    protocol: u32,
    connected_at: u64,
    /// What it judges by; `null` before its first.
    version: Option<Version>,
    /// 0 where it holds none.
    behind_generations: u64,
    behind_revocations: u64,
    acked_at: Option<u64>,
    nack: Option<Nack>,
    decided: u64,
    dropped: u64,
}

#[derive(Serialize)]
struct Nack {
    version: Version,
    reason: Box<str>,
    at: u64,
}

pub(super) async fn list(State(admin): State<Admin>) -> impl IntoResponse {
    let newest = admin.api.current.load().snapshot().version();
    let stream = |watcher| Stream::new(watcher, newest);
    let data_planes = admin.watchers.watchers().into_iter().map(stream).collect();
    Json(DataPlanes { generation: newest.generation, revocation: newest.revocation, data_planes })
}

impl Stream {
    fn new(watcher: Watcher, newest: Version) -> Self {
        let Watcher {
            name,
            node,
            cluster,
            build,
            protocol,
            connected_at,
            version,
            edition: _,
            acked_at,
            nack,
            decided,
            dropped,
        } = watcher;
        Self {
            name: name.to_string(),
            node,
            cluster,
            build,
            protocol,
            connected_at,
            version,
            behind_generations: version.map_or(0, |version| generations_behind(version, newest)),
            behind_revocations: version.map_or(0, |version| revocations_behind(version, newest)),
            acked_at,
            nack: nack.map(|Nacked { version, reason, at }| Nack { version, reason, at }),
            decided,
            dropped,
        }
    }
}
