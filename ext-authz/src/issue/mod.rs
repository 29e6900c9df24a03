//! Issuing: the one place that turns a client's request for grants into a signed token.

mod audience;
mod ceiling;
mod error;
mod grants;
mod holder;
mod issuer;
mod request;

pub use error::IssueError;
pub use grants::GrantList;
pub(crate) use grants::describe;
pub use issuer::{IssuedToken, Issuer};
pub use request::TokenRequest;
