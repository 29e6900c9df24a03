//! Grants as text, with errors that name the grant and the member.

use serde::Deserialize;
use verdict::grant::{Grant, MAX_GRANTS, strict};

use super::IssueError;

/// One to 64 grants, every member of which is known.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct GrantList(#[serde(deserialize_with = "strict::bounded_list::<MAX_GRANTS, _, _>")] pub Vec<Grant>);

impl GrantList {
    /// Reads the value of the parameter `authorization_details` (RFC 9396 section 2).
    ///
    /// # Errors
    /// What is wrong, and in which member of which grant.
    pub fn parse(json: &str) -> Result<Vec<Grant>, IssueError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let Self(grants) = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| IssueError::Grants(describe("grants", &error)))?;
        deserializer.end().map_err(|error| IssueError::Grants(format!("grants: {error}")))?;
        Ok(grants)
    }
}

/// What is wrong and where: `grants[3].constraints.price: unknown field ...`. `root` names the whole where the
/// error is about it, and stands before an index.
pub(crate) fn describe(root: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    match error.path().to_string().as_str() {
        "." => format!("{root}: {}", error.inner()),
        path if path.starts_with('[') => format!("{root}{path}: {}", error.inner()),
        path => format!("{path}: {}", error.inner()),
    }
}

/// Refuses grants that repeat one another, whatever they are called: a limit on one of them would count twice.
pub(super) fn check_distinct(grants: &[Grant]) -> Result<(), IssueError> {
    for (index, grant) in grants.iter().enumerate() {
        let repeats = |other: &Grant| Grant { id: grant.id.clone(), ..other.clone() } == *grant;
        if let Some(earlier) = grants.iter().take(index).position(repeats) {
            return Err(IssueError::Duplicate { index, earlier });
        }
    }
    Ok(())
}
