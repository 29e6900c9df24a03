//! Issuing: what a client may have, and the one place that signs it.

mod audience;
mod binding;
mod ceiling;
mod error;
mod grants;
mod holder;
mod issuer;
mod limits;
mod uncovered;

pub(crate) use audience::choose as choose_audience;
pub(crate) use binding::narrowed as narrowed_binding;
pub(crate) use ceiling::Rest;
pub use error::IssueError;
pub use grants::GrantList;
pub(crate) use grants::describe;
pub(crate) use holder::{Parties, check_name};
pub use issuer::Issuer;
pub(crate) use issuer::{Draft, SignedToken, new_id};
pub(crate) use limits::{Named, Origin, name as name_grants};
pub use uncovered::Uncovered;
