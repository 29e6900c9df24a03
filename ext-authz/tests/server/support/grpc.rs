//! Check as Envoy calls it.

use std::collections::HashMap;

use bytes::BufMut as _;
use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderMap, HeaderValue},
        service::auth::v3::{
            AttributeContext, CheckRequest, CheckResponse,
            attribute_context::{HttpRequest, Request},
            authorization_client::AuthorizationClient,
            check_response::HttpResponse,
        },
    },
    google::protobuf::value::Kind,
};
use tonic::{
    Status,
    client::Grpc,
    codec::{Codec, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};

use tonic_prost::{ProstCodec, ProstDecoder};

use super::Writ;

/// What Envoy would do.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 200 where the request is forwarded.
    pub(crate) status: i32,
    pub(crate) set: HashMap<String, String>,
    pub(crate) remove: Vec<String>,
    pub(crate) body: String,
    pub(crate) metadata: HashMap<String, String>,
}

impl Answer {
    pub(crate) fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or("allowed").to_owned()
    }
}

impl Writ {
    pub(crate) async fn socket_channel(&self) -> Channel {
        Endpoint::from_shared(format!("unix://{}", self.socket.display())).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn grpc_channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.grpc)).unwrap().connect().await.unwrap()
    }

    /// Judges a request for `path` with these header fields, over the data planes' socket.
    pub(crate) async fn check(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.check_message(message(method, path, headers)).await
    }

    pub(crate) async fn check_message(&self, message: CheckRequest) -> Answer {
        let response = AuthorizationClient::new(self.socket_channel().await).check(message).await;
        answer(response.unwrap().into_inner())
    }

    /// Sends bytes that need not be a message.
    pub(crate) async fn check_bytes(&self, message: Vec<u8>) -> Answer {
        let mut grpc = Grpc::new(self.socket_channel().await);
        grpc.ready().await.unwrap();
        let path = PathAndQuery::from_static("/envoy.service.auth.v3.Authorization/Check");
        let response = grpc.unary(tonic::Request::new(message), path, BytesCodec).await;
        answer(response.unwrap().into_inner())
    }

    /// Asks over TCP with this `authorization`, unless it is empty.
    pub(crate) async fn check_over_tcp(&self, authorization: &[&str]) -> Result<Answer, Status> {
        check_over(self.grpc_channel().await, authorization).await
    }
}

/// Asks over this connection with this `authorization`, unless it is empty.
pub(crate) async fn check_over(channel: Channel, authorization: &[&str]) -> Result<Answer, Status> {
    let mut request = tonic::Request::new(message("GET", "/healthz", &[]));
    for value in authorization {
        request.metadata_mut().append("authorization", value.parse().unwrap());
    }
    let response = AuthorizationClient::new(channel).check(request).await?;
    Ok(answer(response.into_inner()))
}

/// A message with raw header fields, pseudo-headers first.
pub(crate) fn message(method: &str, path: &str, headers: &[(&str, &str)]) -> CheckRequest {
    let pseudo = [(":method", method), (":path", path), (":authority", "logs.internal"), (":scheme", "http")];
    let field = |(name, value): &(&str, &str)| HeaderValue {
        key: (*name).to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    };
    let headers = HeaderMap { headers: pseudo.iter().chain(headers).map(field).collect() };
    with_http(HttpRequest { header_map: Some(headers), ..HttpRequest::default() })
}

pub(crate) fn with_http(http: HttpRequest) -> CheckRequest {
    let request = Some(Request { http: Some(http), ..Request::default() });
    CheckRequest { attributes: Some(AttributeContext { request, ..AttributeContext::default() }) }
}

pub(crate) fn answer(response: CheckResponse) -> Answer {
    let text = |kind| match kind {
        Some(Kind::StringValue(text)) => text,
        other => panic!("{other:?}"),
    };
    let members = response.dynamic_metadata.unwrap_or_default().fields;
    let metadata = members.into_iter().map(|(name, value)| (name, text(value.kind))).collect();
    let code = response.status.unwrap().code;
    let (status, headers, remove, body) = match response.http_response.unwrap() {
        HttpResponse::OkResponse(ok) => (200, ok.headers, ok.headers_to_remove, String::new()),
        HttpResponse::DeniedResponse(denied) => {
            (denied.status.unwrap().code, denied.headers, Vec::new(), denied.body)
        }
        HttpResponse::ErrorResponse(error) => panic!("{error:?}"),
    };
    assert_eq!(code == 0, status == 200, "Envoy goes by the gRPC status");
    let set = headers.into_iter().filter_map(|option| option.header.map(|header| (header.key, header.value)));
    Answer { status, set: set.collect(), remove, body, metadata }
}

/// Sends bytes as they are, and reads a `CheckResponse`.
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Vec<u8>;
    type Decode = CheckResponse;
    type Encoder = Self;
    type Decoder = ProstDecoder<CheckResponse>;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<CheckResponse, CheckResponse>::default().decoder()
    }
}

impl Encoder for BytesCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}
