//! Which data planes a token is for.

use std::collections::BTreeSet;

use super::IssueError;

/// The audience asked for, or the only one there is.
pub(crate) fn choose(asked: Option<String>, audiences: &BTreeSet<&str>) -> Result<String, IssueError> {
    match asked {
        Some(audience) if audiences.contains(audience.as_str()) => Ok(audience),
        Some(audience) => Err(IssueError::AudienceUnknown(audience)),
        None => match (audiences.first(), audiences.len()) {
            (Some(only), 1) => Ok((*only).to_owned()),
            (_, several) => Err(IssueError::AudienceMissing(several)),
        },
    }
}
