//! What a surface made of a request.

use crate::http::{Field, Response};

/// The verdict as it shows from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It went on.
    Forwarded(Forwarded),
    /// It was denied, by us.
    Denied {
        /// The code in the problem body.
        code: String,
        /// The response.
        response: Response,
    },
    /// Someone else refused it: a status without our body, or a closed connection (`None`).
    Refused(Option<u16>),
}

/// What the upstream got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Every field.
    pub headers: Vec<Field>,
}

impl Outcome {
    /// Reads a response that did not come from the upstream.
    pub fn of_response(response: Option<Response>) -> Self {
        let Some(response) = response else { return Self::Refused(None) };
        let problem = response.header("content-type").is_some_and(|kind| kind == "application/problem+json");
        let code = response.json().and_then(|body| body.get("code")?.as_str().map(str::to_owned));
        match code {
            Some(code) if problem => Self::Denied { code, response },
            _ => Self::Refused(Some(response.status)),
        }
    }

    /// In a few words.
    pub fn summary(&self) -> String {
        match self {
            Self::Forwarded(_) => "forwarded".to_owned(),
            Self::Denied { code, response } => format!("{} {code}", response.status),
            Self::Refused(Some(status)) => format!("refused with {status}, not by us"),
            Self::Refused(None) => "closed without an answer".to_owned(),
        }
    }
}
