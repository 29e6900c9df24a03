//! Grants: actions on resources, narrowed by constraints and limits (RFC 9396 `authorization_details`).

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub mod action;
pub mod decimal;
pub mod glob;
pub(crate) mod held;
pub(crate) mod object;
pub mod predicate;
pub mod resource;
pub mod strict;

pub use action::ActionPattern;
pub use predicate::{Constraints, Predicates, Scalar};
pub use resource::ResourcePattern;

/// Most values in one list of a grant.
pub const MAX_VALUES: usize = 32;
/// Most grants in one token.
pub const MAX_GRANTS: usize = 64;

/// One entry of `authorization_details`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Grant {
    /// Always `task_grant`; another type is refused where it is read.
    #[serde(rename = "type")]
    pub kind: GrantType,
    /// Names a limited grant within its task.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub id: Option<GrantId>,
    /// What may be done: any of these.
    #[serde(deserialize_with = "strict::bounded_list::<MAX_VALUES, _, _>")]
    pub actions: Vec<ActionPattern>,
    /// On what: any of these.
    #[serde(deserialize_with = "strict::bounded_list::<MAX_VALUES, _, _>")]
    pub resources: Vec<ResourcePattern>,
    /// With which parameters: all of these.
    #[serde(
        default,
        deserialize_with = "predicate::constraints",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub constraints: Constraints,
    /// How often.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// The `type` member of a grant (RFC 9396 section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantType {
    /// A task token's grant.
    #[default]
    #[serde(rename = "task_grant")]
    TaskGrant,
}

/// Longest [`GrantId`]: room for the id of each delegation behind that of the one before.
const MAX_ID: usize = 128;

/// Name of a limited grant: 1 to 128 letters, digits and `_.-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GrantId(String);

impl GrantId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GrantId {
    type Error = GrantIdError;

    fn try_from(text: String) -> Result<Self, GrantIdError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if (1..=MAX_ID).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text))
        } else {
            Err(GrantIdError)
        }
    }
}

impl From<GrantId> for String {
    fn from(id: GrantId) -> Self {
        id.0
    }
}

/// Text that is not a [`GrantId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a grant id has 1 to 128 letters, digits and `_.-`")]
pub struct GrantIdError;

/// How often a grant may be used, over all data planes and delegations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Limits {
    /// Total uses.
    pub uses: core::num::NonZeroU32,
}

object::object_only!(Grant, Limits);

/// Why a text is not a list of grants.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct GrantError(serde_json::Error);

/// Why a request is outside a grant, the nearest miss last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Miss {
    /// Another action or resource.
    Scope,
    /// The right action and resource, with a parameter that a constraint refuses.
    Constraint,
}

impl Grant {
    /// Reads the JSON array of an `authorization_details` parameter or claim.
    ///
    /// # Errors
    /// Text that is not JSON, unknown or repeated members, an empty list, more than 64 grants or 32 values
    /// in a list. The message gives line and column within `json`.
    pub fn parse_list(json: &[u8]) -> Result<Vec<Self>, GrantError> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Grants(#[serde(deserialize_with = "strict::bounded_list::<MAX_GRANTS, _, _>")] Vec<Grant>);

        serde_json::from_slice(json).map(|Grants(grants)| grants).map_err(GrantError)
    }

    /// Whether every request that this grant allows, `other` allows too. May say no too often, never yes
    /// wrongly: delegation and ceilings rest on it.
    #[must_use]
    pub fn covered_by(&self, other: &Self) -> bool {
        let Self { kind: GrantType::TaskGrant, id: _, actions, resources, constraints, limits } = self;
        actions.iter().all(|ours| other.actions.iter().any(|theirs| ours.covered_by(theirs)))
            && resources.iter().all(|ours| other.resources.iter().any(|theirs| ours.covered_by(theirs)))
            && other
                .constraints
                .iter()
                .all(|(name, theirs)| constraints.get(name).is_some_and(|ours| ours.covered_by(theirs)))
            && other.limits.is_none_or(|theirs| limits.is_some_and(|ours| ours.uses <= theirs.uses))
    }

    /// Whether this grant covers one request, given how to look up its parameters. An absent parameter
    /// satisfies no constraint.
    ///
    /// # Errors
    /// How the request misses this grant.
    pub fn covers<'p>(
        &self,
        action: &str,
        resource: &str,
        mut parameter: impl FnMut(&str) -> Option<&'p Scalar>,
    ) -> Result<(), Miss> {
        let in_scope = self.actions.iter().any(|pattern| pattern.matches(action))
            && self.resources.iter().any(|pattern| pattern.matches(resource));
        if !in_scope {
            return Err(Miss::Scope);
        }
        let held =
            self.constraints.iter().all(|(name, all)| parameter(name).is_some_and(|value| all.hold(value)));
        if held { Ok(()) } else { Err(Miss::Constraint) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: &str = r#"[{"type":"task_grant","id":"g1","actions":["flights:search"],
        "resources":["flights://offers"],
        "constraints":{"from":{"eq":"JFK"},"price":{"max":900}},"limits":{"uses":1}}]"#;

    #[test]
    fn a_grant_reads_and_writes_the_same() {
        let grants = Grant::parse_list(SEARCH.as_bytes()).unwrap();
        let again = Grant::parse_list(serde_json::to_string(&grants).unwrap().as_bytes()).unwrap();
        assert_eq!(grants, again);
    }

    #[test]
    fn unknown_and_empty_members_are_refused() {
        for (from, to) in [
            ("\"limits\"", "\"limit\""),
            ("\"uses\":1", "\"uses\":0"),
            ("\"uses\":1", "\"uses\":1,\"per_hour\":1"),
            ("task_grant", "other"),
            ("\"type\":\"task_grant\",", ""),
            ("[\"flights:search\"]", "[]"),
            ("[\"flights:search\"]", "\"flights:search\""),
            ("[\"flights://offers\"]", "null"),
            ("\"from\":{\"eq\":\"JFK\"}", "\"from\":{}"),
            ("\"price\"", "\"from\""),
            ("\"constraints\":{\"from\":{\"eq\":\"JFK\"},\"price\":{\"max\":900}}", "\"constraints\":null"),
        ] {
            let changed = SEARCH.replace(from, to);
            assert_ne!(changed, SEARCH, "{from}");
            assert!(Grant::parse_list(changed.as_bytes()).is_err(), "{to}");
        }
        assert!(Grant::parse_list(b"[]").is_err());
        assert!(Grant::parse_list(b"{}").is_err());
    }

    #[test]
    fn lists_are_capped() {
        let many = |n: usize| std::vec!["\"s3:Get\""; n].join(",");
        let grant =
            |n| std::format!(r#"[{{"type":"task_grant","actions":[{}],"resources":["s3://b"]}}]"#, many(n));
        assert!(Grant::parse_list(grant(32).as_bytes()).is_ok());
        assert!(Grant::parse_list(grant(33).as_bytes()).is_err());
        let one = r#"{"type":"task_grant","actions":["s3:Get"],"resources":["s3://b"]}"#;
        let grants = |n: usize| std::format!("[{}]", std::vec![one; n].join(","));
        assert!(Grant::parse_list(grants(64).as_bytes()).is_ok());
        assert!(Grant::parse_list(grants(65).as_bytes()).is_err());
    }

    #[test]
    fn covering_counts_constraints_and_limits() {
        let parent = Grant::parse_list(SEARCH.as_bytes()).unwrap().remove(0);
        assert!(parent.covered_by(&parent));
        let mut free = parent.clone();
        free.limits = None;
        assert!(!free.covered_by(&parent) && parent.covered_by(&free));
        let mut wide = parent.clone();
        wide.constraints.remove("price");
        assert!(!wide.covered_by(&parent) && parent.covered_by(&wide));
    }
}
