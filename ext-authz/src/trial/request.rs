//! A request that nobody sent.

use serde::Deserialize;
use verdict::Body;

/// What is to be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLine {
    /// The method.
    pub method: String,
    /// The host, with or without port.
    pub host: String,
    /// The path with its query.
    pub path: String,
    /// Further header fields; a name may come more than once.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Its body.
    #[serde(default)]
    pub body: BodyLine,
}

/// The body of a request that nobody sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum BodyLine {
    /// Whether there is one, whatever it says.
    Known(bool),
    /// What it says.
    Text(String),
}

impl Default for BodyLine {
    fn default() -> Self {
        Self::Known(false)
    }
}

impl RequestLine {
    /// Its fields as an adapter would have them, names in lower case, with a `bearer` token if there is one.
    pub(super) fn fields(&self, bearer: Option<&str>) -> Vec<(Vec<u8>, Vec<u8>)> {
        let pseudo = [
            (":method", self.method.as_str()),
            (":authority", &self.host),
            (":scheme", "http"),
            (":path", &self.path),
        ];
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut fields: Vec<_> = pseudo
            .into_iter()
            .chain(headers)
            .map(|(name, value)| (name.to_ascii_lowercase().into_bytes(), value.as_bytes().to_vec()))
            .collect();
        if let Some(token) = bearer {
            fields.push((b"authorization".to_vec(), format!("Bearer {token}").into_bytes()));
        }
        fields
    }

    pub(super) fn body(&self) -> Body<'_> {
        match &self.body {
            BodyLine::Known(false) => Body::Absent,
            BodyLine::Known(true) => Body::Present,
            BodyLine::Text(text) => Body::Whole(text.as_bytes()),
        }
    }

    /// What the body says; empty where that is not known.
    pub(super) fn body_text(&self) -> &str {
        match &self.body {
            BodyLine::Known(_) => "",
            BodyLine::Text(text) => text,
        }
    }
}
