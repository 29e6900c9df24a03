//! One request, as it would be typed.

use verdict::document::{BodyDocument, Presence};

use super::{
    route::Route,
    witness::{self, Assignment},
};

/// A request without a body that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The method.
    pub method: String,
    /// The first name of the host.
    pub host: String,
    /// The path with its query, encoded.
    pub path: String,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
}

impl Example {
    /// The request with these values. `None` where it needs more than header fields.
    pub(super) fn of(route: &Route<'_>, values: &Assignment) -> Option<Self> {
        if !matches!(route.rule.body, BodyDocument::None | BodyDocument::Opaque) {
            return None;
        }
        let segments = witness::path(route, values)?;
        let mut path: String =
            segments.iter().flat_map(|segment| ["/".to_owned(), encoded(segment)]).collect();
        if path.is_empty() {
            path.push('/');
        }
        for (index, (name, value)) in query(route, values).into_iter().enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(&encoded(name));
            path.push('=');
            path.push_str(&encoded(value));
        }
        let mut headers = Vec::new();
        for (source, value) in values {
            match source.split_once('.') {
                Some(("path" | "query", _)) => {}
                Some(("header", name)) => headers.push((name.to_owned(), value.clone())),
                _ => return None,
            }
        }
        Some(Self {
            method: route.rule.method.clone(),
            host: route.host.names.first()?.clone(),
            path,
            headers,
        })
    }
}

/// Names that must be there, and names whose value a grant looks at.
fn query<'r>(route: &'r Route<'_>, values: &'r Assignment) -> Vec<(&'r str, &'r str)> {
    let value = |(name, presence): (&'r String, &Presence)| {
        let known = values.get(&format!("query.{name}")).map(String::as_str);
        let value = known.or_else(|| (*presence == Presence::Required).then_some("x"))?;
        Some((name.as_str(), value))
    };
    route.rule.query.iter().filter_map(value).collect()
}

/// Everything but unreserved characters (RFC 3986 section 2.3) percent-encoded.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
