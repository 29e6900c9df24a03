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
    let reason = in_words(&error.inner().to_string());
    match error.path().to_string().as_str() {
        "." => format!("{root}: {reason}"),
        path if path.starts_with('[') => format!("{root}{path}: {reason}"),
        path => format!("{path}: {reason}"),
    }
}

/// What was expected, as JSON has it: types of the program mean nothing to who wrote the grant.
fn in_words(reason: &str) -> String {
    reason
        .replace("expected a nonzero u32", "expected a whole number of 1 to 4294967295")
        .replace("expected struct Limits", "expected an object with `uses`")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_limits_are_is_said_in_words() {
        for (limits, expected) in [
            ("null", "grants[0].limits: invalid type: null, expected an object with `uses`"),
            (r#"{"uses":0}"#, "integer `0`, expected a whole number of 1 to 4294967295"),
            (r#"{"uses":null}"#, "grants[0].limits.uses: invalid type: null, expected a whole number of 1"),
        ] {
            let json = format!(
                r#"[{{"type":"task_grant","actions":["f:a"],"resources":["f://a"],"limits":{limits}}}]"#
            );
            let error = GrantList::parse(&json).unwrap_err().to_string();
            assert!(error.contains(expected), "{limits}: {error}");
        }
    }
}
