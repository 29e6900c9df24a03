//! HTTP/1.1, byte for byte.

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::{
    message::{Field, Payload, RawRequest, Response},
    wire::{Wire, value},
};
use crate::error::{IoContext, Result, unexpected};

/// The exact bytes of `request` on a wire; `connection: close` is not added.
pub fn render(request: &RawRequest) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&request.method);
    bytes.push(b' ');
    bytes.extend_from_slice(&request.target);
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    if let Some(authority) = &request.authority {
        field(&mut bytes, b"host", authority);
    }
    for (name, value) in &request.headers {
        field(&mut bytes, name, value);
    }
    match &request.payload {
        Payload::None | Payload::Open => bytes.extend_from_slice(b"\r\n"),
        Payload::Sized(body) => {
            field(&mut bytes, b"content-length", body.len().to_string().as_bytes());
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(body);
        }
        Payload::Streamed(body) => {
            chunked(&mut bytes, body);
            bytes.extend_from_slice(b"\r\n");
        }
        Payload::Trailers(body, (name, value)) => {
            chunked(&mut bytes, body);
            field(&mut bytes, name, value);
            bytes.extend_from_slice(b"\r\n");
        }
        Payload::Unframed(early) => {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(early);
        }
    }
    bytes
}

/// Sends `bytes` and reads one response; `None` if the peer closed without an answer.
///
/// # Errors
/// A response that cannot be read.
pub async fn exchange<S>(stream: S, bytes: &[u8]) -> Result<Option<Response>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut wire = Wire::new(stream);
    // The peer may answer and close before all was sent; its answer is still to be read.
    let _ = wire.stream().write_all(bytes).await;
    let _ = wire.stream().flush().await;
    let headless = bytes.starts_with(b"HEAD ");
    match receive(&mut wire, headless).await {
        Err(crate::Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::ConnectionReset => {
            Ok(None)
        }
        other => other,
    }
}

/// Reads the next final response from `wire`, passing over 1xx other than 101.
///
/// # Errors
/// A response that cannot be read.
pub async fn receive<S: AsyncRead + Unpin>(wire: &mut Wire<S>, headless: bool) -> Result<Option<Response>> {
    loop {
        let Some(head) = wire.head().await? else { return Ok(None) };
        let (status, headers) = parse(&head)?;
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let bodiless = headless || status == 101 || status == 204 || status == 304;
        let body = if bodiless { Vec::new() } else { wire.body(&headers, true).await? };
        return Ok(Some(Response { status, headers, body }));
    }
}

/// A plain `GET` on a fresh connection: for admin pages and other trusted places.
///
/// # Errors
/// No connection, no answer, or one that cannot be read.
pub async fn get(address: std::net::SocketAddr, target: &str) -> Result<Response> {
    let stream = tokio::net::TcpStream::connect(address).await.context(|| format!("connect to {address}"))?;
    let bytes = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    exchange(stream, bytes.as_bytes()).await?.ok_or_else(|| unexpected(format!("{address} closed unasked")))
}

/// Whether a response to these fields leaves the connection open.
pub fn keeps_alive(fields: &[Field]) -> bool {
    !value(fields, b"connection").is_some_and(|option| option.eq_ignore_ascii_case(b"close"))
}

/// The end of the header section and one chunk, up to where trailers begin.
fn chunked(bytes: &mut Vec<u8>, body: &[u8]) {
    field(bytes, b"transfer-encoding", b"chunked");
    bytes.extend_from_slice(b"\r\n");
    if !body.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n");
}

fn field(bytes: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

fn parse(head: &[u8]) -> Result<(u16, Vec<Field>)> {
    let mut slots = vec![httparse::EMPTY_HEADER; 200];
    let mut response = httparse::Response::new(&mut slots);
    response.parse(head).map_err(unexpected)?;
    let status = response.code.ok_or_else(|| unexpected("a response without a status"))?;
    let fields = response
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase().into_bytes(), header.value.to_vec()));
    Ok((status, fields.collect()))
}
