//! Denials: stable codes, and the one response that each is translated to.

use alloc::{borrow::Cow, format, string::String, vec::Vec};

use serde::Serialize;

use crate::Request;

/// Why a request is refused. The names are stable: operators alert on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DenialCode {
    /// No token, and the request is not exempt.
    MissingToken,
    /// The token is no bounded, canonical JWS with the claims of a task token.
    MalformedToken,
    /// No key of the snapshot has the token's `kid`.
    UnknownKey,
    /// The signature does not fit.
    BadSignature,
    /// Another `iss`.
    WrongIssuer,
    /// The host's audience is not in `aud`.
    WrongAudience,
    /// Another `typ`.
    WrongType,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// The token, its task, holder, client or key is revoked.
    Revoked,
    /// The token is bound to another sender, or the sender is not proven.
    SenderMismatch,
    /// More than one token, or a request that is no request.
    MalformedRequest,
    /// A request that two parsers may read differently.
    AmbiguousRequest,
    /// A body that does not read as its rule says.
    BodyInvalid,
    /// A body over what its rule reads.
    BodyTooLarge,
    /// No rule matches.
    NoRoute,
    /// No grant covers action and resource.
    NotGranted,
    /// A grant covers action and resource, but not the parameters.
    ConstraintViolated,
    /// The grant's uses are spent.
    LimitExhausted,
    /// A policy module refused.
    PolicyDenied,
    /// No snapshot, or one that is too old.
    StaleSnapshot,
    /// The verdict needs the server, which did not answer.
    ServerUnavailable,
}

impl DenialCode {
    /// Every code, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::MissingToken,
        Self::MalformedToken,
        Self::UnknownKey,
        Self::BadSignature,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::WrongType,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::SenderMismatch,
        Self::MalformedRequest,
        Self::AmbiguousRequest,
        Self::BodyInvalid,
        Self::BodyTooLarge,
        Self::NoRoute,
        Self::NotGranted,
        Self::ConstraintViolated,
        Self::LimitExhausted,
        Self::PolicyDenied,
        Self::StaleSnapshot,
        Self::ServerUnavailable,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::MalformedToken => "malformed_token",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::WrongType => "wrong_type",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::SenderMismatch => "sender_mismatch",
            Self::MalformedRequest => "malformed_request",
            Self::AmbiguousRequest => "ambiguous_request",
            Self::BodyInvalid => "body_invalid",
            Self::BodyTooLarge => "body_too_large",
            Self::NoRoute => "no_route",
            Self::NotGranted => "not_granted",
            Self::ConstraintViolated => "constraint_violated",
            Self::LimitExhausted => "limit_exhausted",
            Self::PolicyDenied => "policy_denied",
            Self::StaleSnapshot => "stale_snapshot",
            Self::ServerUnavailable => "server_unavailable",
        }
    }

    /// HTTP status (RFC 9110 section 15).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MissingToken
            | Self::MalformedToken
            | Self::UnknownKey
            | Self::BadSignature
            | Self::WrongIssuer
            | Self::WrongAudience
            | Self::WrongType
            | Self::Expired
            | Self::NotYetValid
            | Self::Revoked
            | Self::SenderMismatch => 401,
            Self::MalformedRequest | Self::AmbiguousRequest | Self::BodyInvalid => 400,
            Self::BodyTooLarge => 413,
            Self::NoRoute
            | Self::NotGranted
            | Self::ConstraintViolated
            | Self::LimitExhausted
            | Self::PolicyDenied => 403,
            Self::StaleSnapshot | Self::ServerUnavailable => 503,
        }
    }

    /// The `WWW-Authenticate` value (RFC 6750 section 3); none where another token would not help.
    #[must_use]
    pub const fn challenge(self) -> Option<&'static str> {
        match (self, self.status()) {
            (Self::MissingToken, _) => Some("Bearer"),
            (_, 401) => Some(r#"Bearer error="invalid_token""#),
            (_, 400 | 413) => Some(r#"Bearer error="invalid_request""#),
            (_, 403) => Some(r#"Bearer error="insufficient_scope""#),
            _ => None,
        }
    }
}

/// A step's no: code and detail. It becomes a [`Denial`] where the verdict is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: DenialCode,
    /// For logs only.
    pub detail: Cow<'static, str>,
}

impl Refusal {
    /// A refusal whose detail is fixed.
    #[must_use]
    pub const fn new(code: DenialCode, detail: &'static str) -> Self {
        Self { code, detail: Cow::Borrowed(detail) }
    }

    pub(crate) const fn owned(code: DenialCode, detail: String) -> Self {
        Self { code, detail: Cow::Owned(detail) }
    }
}

/// The verdict no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    refusal: Refusal,
    task: Option<String>,
}

/// What a denial looks like over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenialResponse {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// An `application/problem+json` object (RFC 9457).
    pub body: Vec<u8>,
}

/// Seconds after which a client may try again when the snapshot or the server is missing.
const RETRY_AFTER: &str = "5";

impl Denial {
    /// A denial; `task` only once the token is verified, so that nobody learns ids by guessing.
    #[must_use]
    pub fn new(refusal: Refusal, task: Option<String>) -> Self {
        Self { refusal, task }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> DenialCode {
        self.refusal.code
    }

    /// What exactly was wrong; for logs and shadow records, never for the client.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.refusal.detail
    }

    /// The task, once the token was verified.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }

    /// The response to `request`.
    #[must_use]
    pub fn response(&self, request: &Request<'_>) -> DenialResponse {
        let code = self.code();
        let problem = Problem {
            kind: format!("urn:writ:denial:{}", code.as_str()),
            title: "request denied",
            status: code.status(),
            code: code.as_str(),
            request_id: request.id(),
            task_id: self.task(),
        };
        let mut headers = alloc::vec![
            ("content-type", String::from("application/problem+json")),
            ("cache-control", String::from("no-store")),
        ];
        if let Some(challenge) = code.challenge() {
            headers.push(("www-authenticate", challenge.into()));
        }
        if code.status() == 503 {
            headers.push(("retry-after", RETRY_AFTER.into()));
        }
        // Serializing texts and numbers cannot fail; an empty body would still be a denial.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        DenialResponse { status: code.status(), headers, body }
    }
}

#[derive(Serialize)]
struct Problem<'d> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<&'d str>,
}
