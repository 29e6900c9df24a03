//! The form of a corpus file. Unknown members are errors: a misspelt one would weaken a case unseen.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::snapshot::SnapshotChange;
use crate::forge::TokenSpec;

/// One file: cases that try one thing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What they try.
    pub family: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One request and its verdict. Every default is that of a request which is allowed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is special about it; unique in its family.
    pub name: String,
    /// Numbers of the attacks it is a variant of.
    #[serde(default)]
    pub attacks: Vec<u8>,
    /// The token: `{token}` in headers and path.
    #[serde(default)]
    pub token: TokenSpec,
    /// A second token: `{other}` in headers and path.
    #[serde(default)]
    pub other: Option<TokenSpec>,
    /// Whether `authorization: Bearer {token}` is sent, before all other headers.
    #[serde(default = "yes")]
    pub bearer: bool,
    /// Method.
    #[serde(default = "get")]
    pub method: String,
    /// Request target, with `\xNN` escapes.
    #[serde(default = "object")]
    pub path: String,
    /// Host or `:authority`; `null` sends none.
    #[serde(default = "logs")]
    pub host: Option<String>,
    /// Further fields, `name: value`, with `\xNN` escapes.
    #[serde(default)]
    pub headers: Vec<String>,
    /// What follows the headers.
    #[serde(default)]
    pub body: Body,
    /// The body's text is followed by spaces up to so many bytes.
    #[serde(default)]
    pub pad: usize,
    /// HTTP version.
    #[serde(default)]
    pub over: Over,
    /// The TLS client, where there is one.
    #[serde(default)]
    pub peer: Option<PeerSpec>,
    /// How the snapshot differs; only the library surface can be given another one.
    #[serde(default)]
    pub snapshot: Option<SnapshotChange>,
    /// The verdict.
    pub expect: Expect,
    /// Fields (`name: value`) that the upstream must get, each exactly once and with this value.
    #[serde(default)]
    pub forwarded: Vec<String>,
    /// Names of fields that the upstream must not get.
    #[serde(default)]
    pub stripped: Vec<String>,
    /// Where it cannot be tried as it is, or ends otherwise, with the reason.
    #[serde(default)]
    pub except: BTreeMap<Where, Exception>,
}

/// What follows the headers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// This text with a content-length.
    Sized(String),
    /// This text without a length: chunked, or DATA frames.
    Streamed(String),
    /// The first text without a length, then the second, a field, as a trailer.
    Trailers(String, String),
    /// This text right behind the headers, not framed.
    Unframed(String),
    /// Nothing yet; the request is left open.
    Open,
}

/// HTTP version between client and Envoy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// HTTP/1.1.
    #[default]
    H1,
    /// HTTP/2.
    H2,
}

/// A TLS client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSpec {
    /// Name of its identity; `null` presents no certificate.
    pub identity: Option<String>,
    /// The listener it connects to.
    #[serde(default)]
    pub listener: Listener,
}

/// How Envoy treats client certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    /// No TLS.
    Plain,
    /// Requested, and refused unless a trusted authority issued it.
    #[default]
    Verified,
    /// Requested, and taken whoever issued it.
    Presented,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Expect {
    /// Allowed, by a grant.
    Granted,
    /// Allowed, because the route needs no token.
    Exempt,
    /// Forwarded, because the host is in shadow mode; it would be denied.
    Shadowed,
    /// Denied with this code.
    Denied(String),
}

impl From<String> for Expect {
    fn from(text: String) -> Self {
        match text.as_str() {
            "allow" => Self::Granted,
            "exempt" => Self::Exempt,
            "shadowed" => Self::Shadowed,
            _ => Self::Denied(text),
        }
    }
}

/// One surface, or a group of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// The library.
    Verdict,
    /// Check over gRPC.
    Check,
    /// Envoy with the filter.
    Wasm,
    /// Envoy with ext_authz.
    ExtAuthz,
    /// Both Envoys.
    Envoy,
    /// Both that have no Envoy in front.
    Direct,
}

/// One of the four surfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The library.
    Verdict,
    /// Check over gRPC.
    Check,
    /// Envoy with the filter.
    Wasm,
    /// Envoy with ext_authz.
    ExtAuthz,
}

impl Place {
    /// All four, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Verdict, Self::Check, Self::Wasm, Self::ExtAuthz];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Check => "check",
            Self::Wasm => "wasm",
            Self::ExtAuthz => "ext_authz",
        }
    }

    /// The names that speak of it, the nearest first.
    pub fn groups(self) -> [Where; 2] {
        match self {
            Self::Verdict => [Where::Verdict, Where::Direct],
            Self::Check => [Where::Check, Where::Direct],
            Self::Wasm => [Where::Wasm, Where::Envoy],
            Self::ExtAuthz => [Where::ExtAuthz, Where::Envoy],
        }
    }
}

/// How a surface differs. Each holds its reason, which is printed with the report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exception {
    /// The request cannot be made there.
    NotThere(String),
    /// Envoy itself refuses it, before any filter: any status of 400 and above, or a closed connection.
    Refused(String),
    /// Another verdict.
    Verdict(Expect, String),
}

/// Something that no longer counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// A token by `jti`.
    Token(String),
    /// A task.
    Task(String),
    /// An agent.
    Agent(String),
    /// A subject.
    Subject(String),
    /// A client.
    Client(String),
    /// The issuer's key.
    IssuerKey,
}

impl Case {
    /// What differs at `place`, if anything does.
    pub fn exception(&self, place: Place) -> Option<&Exception> {
        place.groups().iter().find_map(|group| self.except.get(group))
    }
}

fn yes() -> bool {
    true
}

fn get() -> String {
    "GET".to_owned()
}

fn object() -> String {
    "/my-bucket/logs/2026-05/app.log".to_owned()
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn logs() -> Option<String> {
    Some("logs.internal".to_owned())
}
