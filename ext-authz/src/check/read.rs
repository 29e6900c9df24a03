//! From Envoy's question to the verdict's request.

use std::mem;

use envoy_types::pb::google::protobuf::{Timestamp, value::Kind};
use thiserror::Error;
use uuid::Uuid;
use verdict::{Body, Peer};

use super::{
    body::{RequestBody, SentBody},
    respond::HIDDEN_FROM_CHECK,
    wire::{Attributes, CheckRequest, HttpRequest, Metadata, Request},
};

/// The member of a route's `check_settings.context_extensions` that names the cluster it leads to. No client can set it.
const CLUSTER: &[u8] = b"writ_cluster";
/// Dynamic metadata of Envoy's RBAC filter.
const RBAC: &[u8] = b"envoy.filters.http.rbac";
/// What a shadow rule with `shadow_rules_stat_prefix: writ_peer_` leaves there. The rule allows exactly where
/// `connection.peer_certificate_valid` is true, which Check messages do not say themselves.
const PEER_VALIDATED: &str = "writ_peer_shadow_engine_result";

/// A header field: name in lower case, and value.
pub(super) type Field = (Vec<u8>, Vec<u8>);

/// What the configuration of an Envoy says that has the filter behind `ext_authz`: one request, one use.
const USES: &[u8] = b"writ_uses";
const BY_FILTER: &[u8] = b"filter";

/// A request's parts in owned form.
#[derive(Debug)]
pub(super) struct Question {
    /// In order.
    pub(super) headers: Vec<Field>,
    body: RequestBody,
    pub(super) peer: Peer,
    /// The cluster that the route leads to, if its configuration says so.
    pub(super) cluster: Option<Vec<u8>>,
    /// Names the decision: the same however often Envoy asks about one request.
    pub(super) decision: Vec<u8>,
    /// Whether the filter in the same Envoy counts uses, and puts credentials in.
    pub(super) is_counted_elsewhere: bool,
}

/// A message that is no question about an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the message has no `attributes.request.http` with header fields")]
pub(super) struct NotHttp;

impl Question {
    /// `announced`: how much of a body the asking filter sends at most, if it has said so.
    pub(super) fn read(message: CheckRequest, announced: Option<usize>) -> Result<Self, NotHttp> {
        let Attributes { source, request, context_extensions, metadata_context } =
            message.attributes.ok_or(NotHttp)?;
        let Request { time, http } = request.ok_or(NotHttp)?;
        let mut http = http.ok_or(NotHttp)?;
        let decision = decision(&http.id, time);
        let bytes =
            if http.raw_body.is_empty() { mem::take(&mut http.body) } else { mem::take(&mut http.raw_body) };
        let certificate = source.map(|source| source.certificate).unwrap_or_default();
        let peer = if certificate.is_empty() {
            Peer::none()
        } else {
            Peer::from_url_encoded_pem(&certificate, is_validated(metadata_context.as_ref()))
        };
        let (headers, remarks) = read_headers(http);
        if headers.is_empty() {
            return Err(NotHttp);
        }
        let sent = SentBody { bytes, remarks, announced, extensions: &context_extensions };
        let body = sent.read(&headers);
        let is_counted_elsewhere =
            context_extensions.iter().any(|entry| entry.key == USES && entry.value == BY_FILTER);
        // The last entry of a map key counts (protobuf encoding guide).
        let cluster = context_extensions.into_iter().rev().find(|entry| entry.key == CLUSTER);
        let cluster = cluster.map(|entry| entry.value);
        Ok(Self { headers, body, peer, cluster, decision, is_counted_elsewhere })
    }

    /// The verdict's view of the body.
    pub(super) fn body(&self) -> Body<'_> {
        self.body.view()
    }

    /// The verdict's view of the header fields.
    pub(super) fn fields(&self) -> Vec<(&[u8], &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
    }
}

/// Where Envoy names no request, nobody can ask about the same one twice.
fn decision(id: &[u8], time: Option<Timestamp>) -> Vec<u8> {
    if id.is_empty() {
        return Uuid::now_v7().as_bytes().to_vec();
    }
    let Timestamp { seconds, nanos } = time.unwrap_or_default();
    [&seconds.to_be_bytes()[..], &nanos.to_be_bytes(), id].concat()
}

/// The raw header fields, and apart from them Envoy's remarks that the body was cut: no fields of the request, and none to
/// be counted. A client's own of that name is left out by Envoy. Only a message without them (`encode_raw_headers` is off) is read by its merged ones,
/// in which a repeated field shows as a comma.
fn read_headers(http: HttpRequest) -> (Vec<Field>, Vec<Vec<u8>>) {
    let mut headers: Vec<Field> = match http.header_map {
        Some(map) => {
            let value = |raw: Vec<u8>, text| if raw.is_empty() { text } else { raw };
            map.headers
                .into_iter()
                .map(|header| (header.key, value(header.raw_value, header.value)))
                .collect()
        }
        None => http.headers.into_iter().map(|header| (header.key, header.value)).collect(),
    };
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    let (remarks, headers): (Vec<_>, Vec<_>) =
        headers.into_iter().partition(|(name, _)| name == HIDDEN_FROM_CHECK.as_bytes());
    (headers, remarks.into_iter().map(|(_, value)| value).collect())
}

/// Whether Envoy verified the certificate's chain.
fn is_validated(metadata: Option<&Metadata>) -> bool {
    let Some(metadata) = metadata else {
        return false;
    };
    // The last entry of a map key counts (protobuf encoding guide).
    let rbac = metadata.filter_metadata.iter().rev().find(|entry| entry.key == RBAC);
    let result =
        rbac.and_then(|entry| entry.value.as_ref()).and_then(|value| value.fields.get(PEER_VALIDATED));
    matches!(result.and_then(|value| value.kind.as_ref()), Some(Kind::StringValue(text)) if text == "allowed")
}
