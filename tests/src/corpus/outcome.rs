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
        let response = unwrap_grpc(response);
        let kind = response.header("content-type").unwrap_or_default();
        let problem = kind == "application/problem+json" || kind.starts_with("application/grpc");
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

/// Envoy answers a gRPC request itself with 200 and its reply's body as `grpc-message`, percent-encoded (gRPC over
/// HTTP/2, "Responses"). What was meant is the status in the problem.
fn unwrap_grpc(response: Response) -> Response {
    let Some(message) = response.header("grpc-message") else { return response };
    let mut body = Vec::with_capacity(message.len());
    let mut bytes = message.bytes();
    while let Some(byte) = bytes.next() {
        let digits: Option<[u8; 2]> =
            if byte == b'%' { bytes.next().zip(bytes.next()).map(Into::into) } else { None };
        let decoded =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok());
        body.push(decoded.unwrap_or(byte));
    }
    let inner = Response { body, ..response.clone() };
    let status = inner.json().and_then(|problem| u16::try_from(problem.get("status")?.as_u64()?).ok());
    match status {
        Some(status) => Response { status, ..inner },
        None => response,
    }
}
