//! Operators' questions to the audit log, answered in pages of bounded work.

mod filter;
mod place;
mod routes;
mod scan;

pub use routes::router;
