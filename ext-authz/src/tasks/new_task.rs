//! The body of `POST /v1/tasks`.

use std::fmt;

use http::{HeaderMap, StatusCode};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use verdict::{grant::strict, token::claims::Confirmation};

use super::error::Problem;
use crate::{
    issue::{GrantList, describe},
    web::is_media_type,
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
        if !is_media_type(headers, "application/json") {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(
                status,
                "unsupported_media_type",
                "content-type must be application/json",
            ));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let Object(task) = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| Problem::invalid_request(describe("body", &error)))?;
        deserializer.end().map_err(|error| Problem::invalid_request(format!("body: {error}")))?;
        if task.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE) {
            return Err(Problem::invalid_request(format!("note: over {MAX_NOTE} bytes")));
        }
        Ok(task)
    }
}

/// A task from an object: derived code alone would take a list too, members by position.
struct Object(NewTask);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object, A::Error> {
                NewTask::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members)
    }
}
