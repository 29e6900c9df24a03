//! `writ.v1.DataPlane`: what verdicts read goes down to data planes, and what became of it comes up.
//!
//! Each scope's part of the document is encoded once for each policy, and what is revoked and lifted once for each step
//! ([`deltas`]); their bytes are shared by all streams. A stream has no queue: it sends what leads to the newest version,
//! and when that is gone what leads to the newest then. Who is too far behind gets everything ([`records`]). What a
//! stream holds for its watcher is bounded by one message up and one document down.

mod answers;
mod base;
mod channel;
mod deltas;
mod document;
mod down;
mod following;
mod holdings;
mod log;
mod publication;
mod records;
mod refresh;
mod registry;
mod report;
mod service;
mod session;
#[cfg(test)]
pub(crate) mod tests;
mod up;
mod wire;

pub use publication::{Follower, Publications, scopes};
pub use refresh::Refresh;
pub use registry::{Nacked, Registry, Watcher};
pub(crate) use registry::{generations_behind, revocations_behind};
pub use service::{Feed, FeedServer};

/// The service's full name.
pub const SERVICE: &str = proto::v1::data_plane_server::SERVICE_NAME;
/// The path of the method that is a feed.
pub const WATCH: &str = "/writ.v1.DataPlane/Watch";

use verdict::document::Version;

fn to_wire(Version { epoch, generation, revocation }: Version) -> proto::v1::Version {
    proto::v1::Version { epoch, generation, revocation }
}

fn from_wire(proto::v1::Version { epoch, generation, revocation }: proto::v1::Version) -> Version {
    Version { epoch, generation, revocation }
}
