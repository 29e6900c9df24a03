//! The JSON API of a server: problem details (RFC 9457) where it refuses.

use http::{HeaderValue, Method};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Answer, Client,
    client::{Content, Question},
};
use crate::cli::{exit::Failure, words::Plain};

/// A server and who asks it.
pub(in crate::cli) struct Api {
    client: Client,
    authorization: Option<HeaderValue>,
}

/// As far as it is shown.
#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    detail: String,
}

impl Api {
    pub(super) fn new(client: Client, authorization: Option<HeaderValue>) -> Self {
        Self { client, authorization }
    }

    /// What is at `path`; its query is made of those `parameters` that have a value.
    pub(in crate::cli) fn get(
        &self,
        path: &str,
        parameters: &[(&str, Option<&str>)],
    ) -> Result<Value, Failure> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters.iter().filter_map(|(name, value)| Some((name, (*value)?))));
        let query = query.finish();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.ask(Method::GET, &path, None)
    }

    /// What follows from `body`, a JSON text, at `path`.
    pub(in crate::cli) fn post(&self, path: &str, body: String) -> Result<Value, Failure> {
        self.ask(Method::POST, path, Some(Content { media_type: "application/json", text: body }))
    }

    fn ask(&self, method: Method, path: &str, body: Option<Content>) -> Result<Value, Failure> {
        let question = Question { method, path, authorization: self.authorization.clone(), body };
        let Answer { status, body } = self.client.ask(question).map_err(|error| Failure::failed(&error))?;
        let unreadable = || {
            let address = self.client.address();
            Failure::failed(&format!("{address}{path}: answered {status} and nothing to read"))
        };
        if !status.is_success() {
            let Problem { code, detail } = serde_json::from_slice(&body).map_err(|_| unreadable())?;
            return Err(Failure::failed(&format!("{}: {}", Plain(&code), Plain(&detail))));
        }
        serde_json::from_slice(&body).map_err(|_| unreadable())
    }
}

/// A segment of a path, whatever is in it.
pub(in crate::cli) fn segment(text: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
