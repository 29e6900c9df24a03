//! A plain HTTP client.

use std::{net::SocketAddr, path::Path};

use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::UnixStream;

use super::Writ;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

pub(crate) async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = request(&format!("http://{address}{path}"), method, headers, body);
    read(client.request(request).await.unwrap()).await
}

/// The same over a Unix socket.
pub(crate) async fn send_local(
    socket: &Path,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let stream = UnixStream::connect(socket).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let headers = [&[("host", "localhost")], headers].concat();
    read(sender.send_request(request(path, method, &headers, body)).await.unwrap()).await
}

fn request(uri: &str, method: Method, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

async fn read(response: http::Response<Incoming>) -> Response {
    let (parts, body) = response.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Response { status: parts.status, headers: parts.headers, body }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Response {
    send(address, Method::GET, path, &[], "").await
}

impl Writ {
    /// `POST /v1/tasks` as the client `hashed`.
    pub(crate) async fn start_task(&self, body: &str) -> Response {
        let authorization = basic("hashed", "hashed-secret");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        send(self.http, Method::POST, "/v1/tasks", &headers, body).await
    }

    /// `POST /oauth2/token` with these parameters, and this `authorization` unless it is empty.
    pub(crate) async fn token(&self, authorization: &str, parameters: &[(&str, &str)]) -> Response {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        send(self.http, Method::POST, "/oauth2/token", &headers, &form.finish()).await
    }

    /// A token for these grants, by JSON.
    pub(crate) async fn access_token(&self, grants: &str) -> String {
        let response = self.start_task(&format!(r#"{{"grants":[{grants}]}}"#)).await;
        assert_eq!(response.status, StatusCode::CREATED, "{}", response.body);
        response.json()["access_token"].as_str().unwrap().to_owned()
    }
}
