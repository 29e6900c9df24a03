//! One call over a connection of its own.

use std::{net::SocketAddr, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::net::{TcpStream, UnixStream};

use crate::{
    error::{Error, IoContext, Result, unexpected},
    http::{Field, Payload, RawRequest, Response, h1},
};

/// Who calls, and where.
#[derive(Debug, Clone)]
pub struct Caller {
    to: Door,
    authorization: Option<String>,
}

/// A listener of the server.
#[derive(Debug, Clone)]
enum Door {
    Port(SocketAddr),
    Socket(PathBuf),
}

impl Caller {
    /// Somebody without a name at a port.
    pub fn stranger(address: SocketAddr) -> Self {
        Self { to: Door::Port(address), authorization: None }
    }

    /// A client with its secret (RFC 7617).
    pub fn basic(address: SocketAddr, name: &str, secret: &str) -> Self {
        let proof = STANDARD.encode(format!("{name}:{secret}"));
        Self { authorization: Some(format!("Basic {proof}")), ..Self::stranger(address) }
    }

    /// Somebody who shows a secret or a token.
    pub fn bearer(address: SocketAddr, secret: &str) -> Self {
        Self { authorization: Some(format!("Bearer {secret}")), ..Self::stranger(address) }
    }

    /// Whoever may open a Unix socket.
    pub fn local(socket: PathBuf) -> Self {
        Self { to: Door::Socket(socket), authorization: None }
    }

    /// `GET`.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn get(&self, target: &str) -> Result<Response> {
        self.send("GET", target, None, Payload::None).await
    }

    /// `POST` of a JSON body.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn post(&self, target: &str, body: &Value) -> Result<Response> {
        let body = Payload::Sized(body.to_string().into_bytes());
        self.send("POST", target, Some("application/json"), body).await
    }

    /// `POST` of a form, as OAuth has it.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn form(&self, target: &str, parameters: &[(&str, &str)]) -> Result<Response> {
        let pairs: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let body = Payload::Sized(pairs.join("&").into_bytes());
        self.send("POST", target, Some("application/x-www-form-urlencoded"), body).await
    }

    async fn send(
        &self,
        method: &str,
        target: &str,
        kind: Option<&str>,
        payload: Payload,
    ) -> Result<Response> {
        let field = |name: &str, value: &str| -> Field { (name.into(), value.into()) };
        let mut headers = vec![field("connection", "close")];
        headers.extend(self.authorization.as_deref().map(|value| field("authorization", value)));
        headers.extend(kind.map(|kind| field("content-type", kind)));
        let request = RawRequest {
            method: method.into(),
            target: target.into(),
            authority: Some(b"writ".to_vec()),
            headers,
            payload,
        };
        let bytes = h1::render(&request);
        let response = match &self.to {
            Door::Port(address) => {
                let stream = TcpStream::connect(address).await.context(|| format!("connect to {address}"))?;
                h1::exchange(stream, &bytes).await?
            }
            Door::Socket(path) => {
                let stream =
                    UnixStream::connect(path).await.context(|| format!("open `{}`", path.display()))?;
                h1::exchange(stream, &bytes).await?
            }
        };
        response.ok_or_else(|| unexpected(format!("{method} {target}: closed without an answer")))
    }
}

/// An answer that was not the wanted one, as an error.
pub fn refused(what: &str, response: &Response) -> Error {
    unexpected(format!("{what}: {} {}", response.status, String::from_utf8_lossy(&response.body)))
}

/// The value of a form's parameter (WHATWG URL, "application/x-www-form-urlencoded").
fn escape(value: &str) -> String {
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'*' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(encode).collect()
}
