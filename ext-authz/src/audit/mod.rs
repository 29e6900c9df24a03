//! The audit log: decisions on their way in, the chains of other servers held fast, and operators' questions.

mod anchors;
mod decision;
mod query;
mod queue;
mod recorder;
mod refusals;
mod repeats;
mod verify;

use std::sync::Arc;

use audit::{Chain, ChainKey};

pub use anchors::keep_anchors;
pub(crate) use decision::{host_name, judged, reported};
pub use query::router;
pub use recorder::Recorder;
pub use verify::verify;

/// What the parts of a server share of the log.
#[derive(Clone, Debug)]
pub struct AuditLog {
    /// Takes what was decided.
    pub recorder: Recorder,
    /// Key of all chains.
    pub key: ChainKey,
    /// The chain of this start of this server.
    pub writer: Arc<str>,
    /// The machine, for events of what nobody asked for.
    pub node: Arc<str>,
}

impl AuditLog {
    /// A log with a chain of this start alone, so that no two are told apart by order only.
    #[must_use]
    pub fn begin(key: ChainKey) -> Self {
        let node: Arc<str> = rustix::system::uname().nodename().to_string_lossy().into();
        let writer = format!("{node}.{}", uuid::Uuid::now_v7().simple()).into();
        Self { recorder: Recorder::default(), key, writer, node }
    }

    /// The chain, before its first batch.
    #[must_use]
    pub fn chain(&self) -> Chain {
        Chain::begin(self.writer.to_string(), self.key.clone())
    }
}
