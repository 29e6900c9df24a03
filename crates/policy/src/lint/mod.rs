//! What is suspicious about a policy that compiles: what is too broad, says nothing, or says it twice.
//!
//! A finding that something is never reached is a proof, never a guess; one that two things overlap has found a request
//! that is in both.

mod agents;
mod ceilings;
mod context;
mod credentials;
mod exemptions;
mod finding;
mod hosts;
mod overlap;
mod patterns;

use self::context::Context;
pub use self::finding::{Code, Finding, Level};
use crate::policy::Policy;

/// Everything that was found, by file and line.
#[must_use]
pub fn lint(policy: &Policy) -> Vec<Finding> {
    let context = Context::of(policy);
    let mut findings = Vec::new();
    hosts::lint(&context, &mut findings);
    exemptions::lint(&context, &mut findings);
    ceilings::lint(&context, &mut findings);
    overlap::lint(&context, &mut findings);
    patterns::lint(&context, &mut findings);
    agents::lint(&context, &mut findings);
    credentials::lint(&context, &mut findings);
    findings.sort();
    findings
}
