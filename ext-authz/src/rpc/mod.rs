//! `writ.v1.Tasks`: what clients do with their tasks, over gRPC.
//!
//! Callers are proven before their request gets here (see [`crate::listen`]). What is done, and why it may be refused, is the
//! same as over HTTP: both are ways into [`crate::tasks`].

mod batch;
mod operations;
mod raw;
mod refusal;
mod service;
mod wire;

pub use service::TasksServer;

/// The service's full name.
pub const SERVICE: &str = proto::v1::tasks::tasks_server::SERVICE_NAME;
/// The path of its one stream.
pub const BATCH: &str = "/writ.v1.Tasks/Batch";

/// Whether a request for `path` is for this service.
pub(crate) fn is_of_tasks(path: &str) -> bool {
    path.strip_prefix('/')
        .and_then(|path| path.strip_prefix(SERVICE))
        .is_some_and(|rest| rest.starts_with('/'))
}
