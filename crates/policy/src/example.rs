//! The example policy, for a server that was given none.

/// The policy files of the logs example as name and text, to give to
/// [`Policy::from_sources`](crate::Policy::from_sources).
pub const EXAMPLE: &[(&str, &str)] = &[("policies/logs.yaml", include_str!("../../../policies/logs.yaml"))];
