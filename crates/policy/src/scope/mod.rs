//! What grants open: the requests, in the words of the policy's rules.
//!
//! A rule turns requests into actions on resources by templates, and a grant covers actions and resources by patterns.
//! Here patterns are laid on templates, which leaves of each rule the part that a grant opens. A request that is found
//! for an opening is asked of the verdict's own [`Grant::covers`]; and what is called closed, is so by proof.

mod bounds;
mod example;
mod narrowed;
mod opening;
mod route;
mod shape;
mod splits;
mod template;
mod values;
mod wildcard;
mod witness;

use verdict::grant::Grant;

pub(crate) use self::{
    bounds::Bounds,
    opening::reached,
    route::{Route, routes},
    witness::{MOST_SEGMENTS, Search, search},
};
pub use self::{
    example::Example,
    opening::{Condition, OpenParam, Opening},
};
use crate::policy::Policy;

/// Everything that `grant` opens, in the order of the policy: each request that it covers is in one of these, and each
/// request that is in one of these is covered. Exemptions are open without it, and so are no part of it.
#[must_use]
pub fn opens<'p>(policy: &'p Policy, grant: &Grant) -> Vec<Opening<'p>> {
    opening::openings(policy, &routes(policy), grant)
}
