//! A request and a response as bytes, without opinion on what is legal.

/// A header field: name and value, as sent.
pub type Field = (Vec<u8>, Vec<u8>);

/// A request before it is put on a wire.
#[derive(Debug, Clone, Default)]
pub struct RawRequest {
    /// The method, in the case it is to be sent in.
    pub method: Vec<u8>,
    /// The request target: for HTTP/2 the `:path`, absent when empty.
    pub target: Vec<u8>,
    /// `Host` on HTTP/1, `:authority` on HTTP/2; not sent when absent.
    pub authority: Option<Vec<u8>>,
    /// Every other field, in order, names in the case they are to be sent in.
    pub headers: Vec<Field>,
    /// What follows the header section.
    pub payload: Payload,
}

/// What follows a header section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Payload {
    /// Nothing; the request ends with its headers.
    #[default]
    None,
    /// These bytes, with a `content-length`.
    Sized(Vec<u8>),
    /// These bytes in one chunk (HTTP/1) or in DATA frames without a length (HTTP/2).
    Streamed(Vec<u8>),
    /// These bytes as if [`Streamed`](Self::Streamed), with a trailer field behind them.
    Trailers(Vec<u8>, Field),
    /// These bytes right behind the headers, with no framing at all: early data.
    Unframed(Vec<u8>),
    /// Nothing yet: the request is left open.
    Open,
}

impl Payload {
    /// The body's bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Sized(bytes) | Self::Streamed(bytes) | Self::Trailers(bytes, _) => bytes,
            Self::None | Self::Unframed(_) | Self::Open => &[],
        }
    }
}

/// A complete response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Fields in order, names lowercase.
    pub headers: Vec<Field>,
    /// The body, unframed.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of the field `name` (lowercase), as text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers
            .iter()
            .find(|(field, _)| field == name.as_bytes())
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The body as JSON, when it is JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}
