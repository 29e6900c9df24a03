//! The body of `POST /v1/tasks`.

use http::HeaderMap;
use serde::Deserialize;
use verdict::{grant::strict, token::claims::Confirmation};

use crate::{
    issue::GrantList,
    web::{Problem, read_json},
};

/// Longest note, bytes.
const MAX_NOTE: usize = 512;

/// What a task is started with. As in grants, a member that is `null` is an error and not absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTask {
    pub(super) grants: GrantList,
    #[serde(default, deserialize_with = "strict::present")]
    pub(super) subject: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    pub(super) agent: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    pub(super) expires_in: Option<u64>,
    #[serde(default, deserialize_with = "strict::present")]
    pub(super) audience: Option<String>,
    /// For people who read the log.
    #[serde(default, deserialize_with = "strict::present")]
    pub(super) note: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    pub(super) cnf: Option<Confirmation>,
}

impl NewTask {
    /// Reads a JSON body.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let task: Self = read_json(headers, body)?;
        if task.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE) {
            return Err(Problem::invalid_request(format!("note: over {MAX_NOTE} bytes")));
        }
        Ok(task)
    }
}
