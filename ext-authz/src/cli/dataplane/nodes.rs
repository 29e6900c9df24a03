//! What a server says of its data planes, with the streams of one Envoy put together.

use serde::{Deserialize, Serialize};
use verdict::document::Version;

/// `GET /dataplanes`. Members of a later version are left out.
#[derive(Debug, Deserialize)]
pub(super) struct DataPlanes {
    /// The newest policy generation.
    pub(super) generation: u64,
    /// The last revocation.
    #[serde(default)]
    pub(super) revocation: u64,
    pub(super) data_planes: Vec<DataPlane>,
}

/// One Envoy, or one stream of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct DataPlane {
    /// As `writ.yaml` names it.
    pub(super) name: String,
    /// What it calls itself.
    #[serde(default)]
    pub(super) node: String,
    #[serde(default)]
    pub(super) cluster: String,
    /// The filter's version.
    #[serde(default)]
    pub(super) build: String,
    #[serde(default)]
    pub(super) protocol: u64,
    /// Unix seconds.
    pub(super) connected_at: u64,
    /// The version that was acknowledged last.
    pub(super) version: Option<Version>,
    #[serde(default)]
    pub(super) behind_generations: u64,
    #[serde(default)]
    pub(super) behind_revocations: u64,
    /// Unix seconds.
    #[serde(default)]
    pub(super) acked_at: Option<u64>,
    /// The version that was refused last, unless one was acknowledged since.
    #[serde(default)]
    pub(super) nack: Option<Refused>,
    /// Requests decided, as reported.
    #[serde(default)]
    pub(super) decided: u64,
    /// Of these, how many were not reported one by one.
    #[serde(default)]
    pub(super) dropped: u64,
    #[serde(default = "one")]
    pub(super) streams: u64,
}

/// A snapshot that a filter did not take.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Refused {
    pub(super) version: Version,
    pub(super) reason: String,
    /// Unix seconds.
    pub(super) at: u64,
}

fn one() -> u64 {
    1
}

impl DataPlane {
    /// Whether it holds something else than the newest policy, or has refused it.
    pub(super) fn is_behind(&self) -> bool {
        self.version.is_none() || self.behind_generations > 0 || self.nack.is_some()
    }

    fn is_of_one_envoy(&self, other: &Self) -> bool {
        (&self.name, &self.node, &self.cluster) == (&other.name, &other.node, &other.cluster)
    }

    /// Takes another stream of the same Envoy in: counts add up, and the state is that of the stream that is worst
    /// off, because it answers requests as well.
    fn absorb(&mut self, other: Self) {
        if !self.build.split(", ").any(|build| build == other.build) {
            self.build = format!("{}, {}", self.build, other.build);
        }
        self.connected_at = self.connected_at.min(other.connected_at);
        self.version = self.version.min(other.version);
        self.behind_generations = self.behind_generations.max(other.behind_generations);
        self.behind_revocations = self.behind_revocations.max(other.behind_revocations);
        self.acked_at = self.acked_at.min(other.acked_at);
        self.nack = self.nack.take().or(other.nack);
        self.decided = self.decided.saturating_add(other.decided);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.streams = self.streams.saturating_add(other.streams);
    }
}

/// One entry for each Envoy, by name and node.
pub(super) fn by_envoy(streams: Vec<DataPlane>) -> Vec<DataPlane> {
    let mut envoys: Vec<DataPlane> = Vec::new();
    for stream in streams {
        match envoys.iter_mut().find(|known| known.is_of_one_envoy(&stream)) {
            Some(known) => known.absorb(stream),
            None => envoys.push(stream),
        }
    }
    envoys.sort_by(|a, b| (&a.name, &a.node).cmp(&(&b.name, &b.node)));
    envoys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(node: &str, generation: Option<u64>) -> DataPlane {
        serde_json::from_value(serde_json::json!({
            "name": "edge", "node": node, "build": "1.0", "connected_at": 10, "decided": 5, "later_member": 1,
            "version": generation.map(|generation| Version { epoch: 0, generation, revocation: 0 }),
        }))
        .unwrap()
    }

    #[test]
    fn the_worst_stream_of_an_envoy_counts() {
        let all = by_envoy(vec![stream("b", Some(2)), stream("a", Some(3)), stream("b", None)]);
        let [a, b] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((a.node.as_str(), a.streams, a.is_behind()), ("a", 1, false));
        assert_eq!((b.node.as_str(), b.streams, b.is_behind(), b.decided), ("b", 2, true, 10));
    }
}
