//! Logs and metrics.

pub mod audit;
pub mod credentials;
pub mod feed;
pub mod keys;
pub mod logs;
pub mod metrics;
pub mod quiet;
pub mod revocations;
