//! A real Envoy with a real upstream behind it: the filter or ext_authz inside.

use std::{io::ErrorKind, time::Duration};

use tokio::net::TcpStream;

use crate::{
    corpus::{Case, Forwarded, Listener, Outcome, Over, Prepared},
    envoy::Envoy,
    error::{Error, IoContext, Result, unexpected},
    http::{RawRequest, Response, h1, h2},
    pki::Pki,
    upstream::Echo,
    wait,
};

/// No request of the corpus takes this long, unless it hangs.
const ANSWER: Duration = Duration::from_secs(20);

/// An Envoy surface.
#[derive(Debug)]
pub struct Proxy {
    /// Envoy.
    pub envoy: Envoy,
    /// What is behind it.
    pub echo: Echo,
    /// Name of the listener without TLS.
    pub plain: String,
}

impl Proxy {
    /// Name of the added listener that verifies client certificates.
    pub const VERIFIED: &'static str = "tls-verified";
    /// Name of the added listener that takes client certificates of anybody.
    pub const PRESENTED: &'static str = "tls-presented";

    /// The verdict on a case, over a connection of its own: connections are what Envoy spreads over workers.
    ///
    /// # Errors
    /// Envoy ended, or its answer cannot be read.
    pub async fn judge(&mut self, case: &Case, prepared: &Prepared, pki: &Pki) -> Result<Outcome> {
        let listener = case.peer.as_ref().map_or(Listener::Plain, |peer| peer.listener);
        let address = self.envoy.listener(match listener {
            Listener::Plain => &self.plain,
            Listener::Verified => Self::VERIFIED,
            Listener::Presented => Self::PRESENTED,
        })?;
        self.echo.take();
        let answer = async {
            if listener == Listener::Plain {
                return exchange(self.connect().await?, "http", case.over, &prepared.request).await;
            }
            let identity = case.peer.as_ref().and_then(|peer| peer.identity.as_deref());
            let identity = identity.map(|name| pki.identity(name)).transpose()?;
            let protocol = if case.over == Over::H1 { "http/1.1" } else { "h2" };
            // A handshake that Envoy breaks off refuses the request.
            match pki.connect(address, identity, protocol).await {
                // With TLS 1.3 Envoy's alert arrives when the client reads, after its own side of the handshake.
                Ok(stream) => match exchange(stream, "https", case.over, &prepared.request).await {
                    Err(Error::Io { source, .. }) if source.kind() == ErrorKind::InvalidData => Ok(None),
                    other => other,
                },
                Err(_) => Ok(None),
            }
        };
        let response = wait::within(ANSWER, "an answer", answer).await?;
        self.envoy.check()?;
        let seen = self.echo.take();
        match (response?, seen.as_slice()) {
            (response, []) => match response {
                Some(response) if from_upstream(&response) => {
                    Err(unexpected("an answer from an upstream that saw nothing"))
                }
                other => Ok(Outcome::of_response(other)),
            },
            (Some(_), [seen]) => Ok(Outcome::Forwarded(Forwarded { headers: seen.headers.clone() })),
            // The upstream was reached: whatever the client got, the request was let through.
            (None, [seen, ..]) | (_, [seen, _, ..]) => {
                Ok(Outcome::Forwarded(Forwarded { headers: seen.headers.clone() }))
            }
        }
    }
}

impl Proxy {
    /// Sends a request over a new connection without TLS; `None` if it was closed without an answer.
    ///
    /// # Errors
    /// No connection, no answer in time, or one that cannot be read.
    pub async fn send(&self, request: &RawRequest) -> Result<Option<Response>> {
        let stream = self.connect().await?;
        wait::within(ANSWER, "an answer", exchange(stream, "http", Over::H1, request)).await?
    }

    /// A connection to the listener without TLS.
    ///
    /// # Errors
    /// Envoy does not take it.
    pub async fn connect(&self) -> Result<TcpStream> {
        let address = match self.envoy.listener(&self.plain) {
            Ok(address) => address,
            // It was not ready when Envoy started.
            Err(error) => self.envoy.active_listeners().await?.get(&self.plain).copied().ok_or(error)?,
        };
        TcpStream::connect(address).await.context(|| "connect to Envoy".to_owned())
    }
}

fn from_upstream(response: &Response) -> bool {
    response.json().is_some_and(|body| body.get("upstream").is_some())
}

async fn exchange<S>(stream: S, scheme: &str, over: Over, request: &RawRequest) -> Result<Option<Response>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    match over {
        Over::H1 => h1::exchange(stream, &h1::render(request)).await,
        Over::H2 => h2::exchange(stream, scheme, request).await,
    }
}
