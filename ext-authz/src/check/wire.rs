//! The parts of `envoy.service.auth.v3.CheckRequest` that are read, with text as bytes.
//!
//! A path or header value need not be UTF-8, but Envoy copies it into `string` fields all the same. The usual
//! types refuse such a message whole, and its request would get another answer here than from the filter. Fields
//! that are not listed are skipped. A map field is a repeated message on the wire (protobuf encoding guide).

use envoy_types::pb::google::protobuf::{Struct, Timestamp};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<Attributes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Attributes {
    #[prost(message, optional, tag = "1")]
    pub(super) source: Option<Source>,
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<Request>,
    /// What the route's configuration says.
    #[prost(message, repeated, tag = "10")]
    pub(super) context_extensions: Vec<Entry>,
    #[prost(message, optional, tag = "11")]
    pub(super) metadata_context: Option<Metadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Source {
    /// Percent-encoded PEM.
    #[prost(bytes = "vec", tag = "5")]
    pub(super) certificate: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Request {
    /// When Envoy had its first byte.
    #[prost(message, optional, tag = "1")]
    pub(super) time: Option<Timestamp>,
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HttpRequest {
    /// Envoy's random number for the request.
    #[prost(bytes = "vec", tag = "1")]
    pub(super) id: Vec<u8>,
    /// Header fields merged by name: only where `header_map` is absent.
    #[prost(message, repeated, tag = "3")]
    pub(super) headers: Vec<Entry>,
    #[prost(bytes = "vec", tag = "11")]
    pub(super) body: Vec<u8>,
    #[prost(bytes = "vec", tag = "12")]
    pub(super) raw_body: Vec<u8>,
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<HeaderMap>,
}

/// An entry of a map from text to text.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Entry {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub(super) headers: Vec<HeaderValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) raw_value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Metadata {
    #[prost(message, repeated, tag = "1")]
    pub(super) filter_metadata: Vec<FilterMetadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FilterMetadata {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<Struct>,
}
