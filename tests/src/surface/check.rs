//! `envoy.service.auth.v3.Authorization/Check` over gRPC, as Envoy calls it with `encode_raw_headers`.

use std::path::Path;

use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderMap, HeaderValue, Metadata, header_value_option::HeaderAppendAction},
        service::auth::v3::{
            AttributeContext, CheckRequest, CheckResponse,
            attribute_context::{self, HttpRequest, Peer},
            authorization_client::AuthorizationClient,
            check_response::HttpResponse,
        },
    },
    google::protobuf::{Struct, Value, value::Kind},
};
use tonic::{
    Request,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};

use super::library::{as_filters_see_it, fields_in, has_body};
use crate::{
    corpus::{Case, Forwarded, Outcome, Over, Prepared, Preparer},
    error::{Result, unexpected},
    http::{Field, RawRequest, Response},
};

/// The Check surface.
#[derive(Debug)]
pub struct Check {
    client: AuthorizationClient<Channel>,
}

impl Check {
    /// A client on the server's data-plane socket.
    ///
    /// # Errors
    /// The server is not there.
    pub async fn connect(socket: &Path) -> Result<Self> {
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).map_err(unexpected)?;
        let channel = endpoint.connect().await.map_err(unexpected)?;
        Ok(Self { client: AuthorizationClient::new(channel) })
    }

    /// The verdict on a case.
    ///
    /// # Errors
    /// The call fails, or its answer makes no sense.
    pub async fn judge(
        &mut self,
        case: &Case,
        prepared: &Prepared,
        preparer: &Preparer<'_>,
    ) -> Result<Outcome> {
        let fields = as_filters_see_it(case, prepared);
        let (certificate, validated) = preparer.certificate(case.peer.as_ref())?.unwrap_or_default();
        let request = check_request(&fields, &prepared.request, certificate, validated);
        self.outcome(request, fields).await
    }

    /// The verdict on a request over HTTP/1 without TLS.
    ///
    /// # Errors
    /// The call fails, or its answer makes no sense.
    pub async fn ask(&mut self, request: &RawRequest) -> Result<Outcome> {
        let fields = fields_in("http", Over::H1, request);
        let request = check_request(&fields, request, String::new(), false);
        self.outcome(request, fields).await
    }

    async fn outcome(&mut self, request: CheckRequest, fields: Vec<Field>) -> Result<Outcome> {
        let mut request = Request::new(request);
        request.metadata_mut().insert("x-writ-max-request-bytes", MetadataValue::from(MOST_SENT));
        let answer =
            self.client.check(request).await.map_err(|status| unexpected(format!("check: {status}")))?;
        outcome(answer.into_inner(), fields)
    }
}

fn check_request(
    fields: &[Field],
    request: &RawRequest,
    certificate: String,
    validated: bool,
) -> CheckRequest {
    let text = |name: &[u8]| {
        let value = fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_slice());
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    };
    let raw = |(name, value): &Field| HeaderValue {
        key: String::from_utf8_lossy(name).into_owned(),
        raw_value: value.clone(),
        ..HeaderValue::default()
    };
    let (body, is_partial) = sent_body(request);
    // Envoy leaves a client's own field of this name out.
    let sent = fields.iter().filter(|(name, _)| name != REMARK);
    let mut header_map: Vec<HeaderValue> = sent.map(raw).collect();
    if !body.is_empty() {
        let remark = (REMARK.to_vec(), is_partial.to_string().into_bytes());
        header_map.push(raw(&remark));
    }
    let http = HttpRequest {
        method: text(b":method"),
        path: text(b":path"),
        host: text(b":authority"),
        scheme: text(b":scheme"),
        protocol: "HTTP/1.1".to_owned(),
        header_map: Some(HeaderMap { headers: header_map }),
        size: -1,
        raw_body: body,
        ..HttpRequest::default()
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(Peer { certificate, ..Peer::default() }),
            request: Some(attribute_context::Request {
                http: Some(http),
                ..attribute_context::Request::default()
            }),
            metadata_context: Some(peer_metadata(validated)),
            ..AttributeContext::default()
        }),
    }
}

/// Envoy's own remark whether a body has more than it sent.
const REMARK: &[u8] = b"x-envoy-auth-partial-body";
/// `max_request_bytes` of `envoy/ext-authz.yaml`.
const MOST_SENT: usize = 65_537;

/// What Envoy sends of a body, and whether it has more. Of one that never comes it sends nothing, because it does not ask;
/// here the first byte stands for it.
fn sent_body(request: &RawRequest) -> (Vec<u8>, bool) {
    let bytes = request.payload.bytes();
    match bytes.get(..MOST_SENT) {
        Some(sent) => (sent.to_vec(), bytes.len() > MOST_SENT),
        None if bytes.is_empty() && has_body(request) => (b"?".to_vec(), true),
        None => (bytes.to_vec(), false),
    }
}

/// What the shadow rules of `envoy/ext-authz.yaml` leave behind: whether Envoy validated the certificate.
fn peer_metadata(validated: bool) -> Metadata {
    let result = if validated { "allowed" } else { "denied" };
    let value = Value { kind: Some(Kind::StringValue(result.to_owned())) };
    let fields = [("writ_peer_shadow_engine_result".to_owned(), value)].into();
    Metadata {
        filter_metadata: [("envoy.filters.http.rbac".to_owned(), Struct { fields })].into(),
        ..Metadata::default()
    }
}

/// Applies the answer as Envoy does: set, then remove.
fn outcome(answer: CheckResponse, fields: Vec<Field>) -> Result<Outcome> {
    let code = answer.status.map_or(-1, |status| status.code);
    match answer.http_response {
        Some(HttpResponse::OkResponse(ok)) if code == 0 => {
            let mut headers: Vec<Field> =
                fields.into_iter().filter(|(name, _)| !name.starts_with(b":")).collect();
            for option in ok.headers {
                let append = option.append_action();
                let header = option.header.ok_or_else(|| unexpected("an option without a header"))?;
                if append != HeaderAppendAction::OverwriteIfExistsOrAdd {
                    return Err(unexpected(format!("`{}` is not set by overwriting", header.key)));
                }
                headers.retain(|(name, _)| name != header.key.as_bytes());
                headers.push((header.key.clone().into_bytes(), value(&header)));
            }
            headers.retain(|(name, _)| !ok.headers_to_remove.iter().any(|gone| gone.as_bytes() == name));
            Ok(Outcome::Forwarded(Forwarded { headers }))
        }
        Some(HttpResponse::DeniedResponse(denied)) if code != 0 => {
            let status = denied.status.map_or(0, |status| status.code);
            let headers = denied.headers.into_iter().filter_map(|option| option.header);
            let headers =
                headers.map(|header| (header.key.clone().to_ascii_lowercase().into_bytes(), value(&header)));
            Ok(Outcome::of_response(Some(Response {
                status: u16::try_from(status).map_err(unexpected)?,
                headers: headers.collect(),
                body: denied.body.into_bytes(),
            })))
        }
        other => Err(unexpected(format!("status {code} with {other:?}"))),
    }
}

fn value(header: &HeaderValue) -> Vec<u8> {
    if header.raw_value.is_empty() { header.value.clone().into_bytes() } else { header.raw_value.clone() }
}
