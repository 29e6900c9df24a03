//! Accepting connections, serving them, letting them go.

use std::time::Duration;

use axum::{Router, serve::Listener};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Shutdown,
    activity::{Activity, Uselessness},
    guard::{Guard, Protocol},
    places::{Admission, Places},
    seats::{Seat, Seats},
};
use crate::{
    config::Limits,
    identity::{ClientCertificate, Identity},
    state::Current,
    telemetry::metrics,
    tls::Doorman,
};

/// Requests that one HTTP/2 connection may have in progress.
const MAX_STREAMS: u32 = 256;
/// What one stream, and one HTTP/2 connection, may send before it is read, bytes.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// How long a peer that was told to go may take to.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long one may take to read the last of a feed: it will be told again elsewhere.
const FEED_FAREWELL: Duration = Duration::from_secs(1);

/// What is behind a listener.
#[derive(Clone, Debug)]
pub struct Door {
    /// For logs and metrics.
    pub name: &'static str,
    /// What it speaks.
    pub protocol: Protocol,
    /// What it proves itself with; `None` for plaintext.
    pub tls: Option<Doorman>,
    /// Its bounds.
    pub limits: Limits,
    /// How callers prove that they are no strangers. `None` where all who get here are alike.
    pub identity: Option<Identity>,
    /// Whose clients may call, too, and are no strangers either; where there is an identity to prove.
    pub clients: Option<Current>,
    /// Its routes.
    pub router: Router,
}

/// Serves `listener` until `shutdown`, then until its last request has ended or the drain timeout has passed.
pub async fn serve<L>(mut listener: L, door: Door, mut shutdown: Shutdown)
where
    L: Listener,
{
    let Door { name, protocol, tls, limits, identity, clients, router } = door;
    let seats = Seats::new(&limits, identity.is_some());
    let places = Places::new(protocol, identity, clients, &limits);
    let guard = Guard { name, protocol, limits, router, places };
    let mut connections = JoinSet::new();
    loop {
        // A vacancy first, then a connection: beyond the bound they wait in the kernel's queue, which is bounded too.
        let accepted = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            place = seats.vacancy() => tokio::select! {
                biased;
                () = shutdown.requested() => break,
                (stream, _) = listener.accept() => (seats.take(place), stream),
            },
        };
        let (seat, stream) = accepted;
        let (guard, tls, shutdown) = (guard.clone(), tls.clone(), shutdown.clone());
        connections.spawn(async move {
            let _counted = metrics::connection_opened(guard.name);
            tokio::select! {
                biased;
                () = seat.lost() => tracing::debug!(listener = guard.name, "closed a newcomer's connection for another's"),
                () = serve_socket(stream, tls, guard.clone(), seat.clone(), shutdown) => {}
            }
        });
    }
    // Nobody can connect any more; whoever is connected is told to leave.
    drop(listener);
    let drained = timeout(limits.drain_timeout, async { while connections.join_next().await.is_some() {} });
    if drained.await.is_err() {
        tracing::warn!(
            listener = name,
            open = connections.len(),
            "closed connections that did not end in time"
        );
    }
}

/// Shakes hands where there is TLS. Whoever does not is let go in time, and has a newcomer's seat meanwhile.
async fn serve_socket<S>(stream: S, tls: Option<Doorman>, guard: Guard, seat: Seat, shutdown: Shutdown)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(tls) = tls else {
        return serve_stream(stream, None, guard, seat, shutdown).await;
    };
    let mut stopping = shutdown.clone();
    let admitted = tokio::select! {
        biased;
        () = stopping.requested() => return,
        admitted = timeout(guard.limits.header_timeout, tls.admit(stream)) => admitted,
    };
    match admitted {
        Ok(Ok((stream, certificate))) => serve_stream(stream, certificate, guard, seat, shutdown).await,
        Ok(Err(error)) => tracing::debug!(listener = guard.name, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(listener = guard.name, "a TLS handshake took too long"),
    }
}

async fn serve_stream<S>(
    stream: S,
    certificate: Option<ClientCertificate>,
    guard: Guard,
    seat: Seat,
    shutdown: Shutdown,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (limits, protocol, activity) = (guard.limits, guard.protocol, Activity::new());
    let requests = activity.clone();
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        let admission = guard.places.take(&mut request, &seat);
        let is_stream = matches!(&admission, Admission::Placed(place) if place.end.is_none());
        guard.clone().answer(request, admission, seat.clone(), requests.begin(is_stream))
    });
    let stream = TokioIo::new(stream);
    match protocol {
        Protocol::Http => {
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(limits.header_timeout)
                .max_buf_size(limits.header_bytes)
                .half_close(false);
            drive(builder.serve_connection(stream, service), &activity, &limits, shutdown).await;
        }
        Protocol::Grpc => {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                // A peer that is stuck within a frame or a header block cannot answer a ping.
                .keep_alive_interval(limits.header_timeout)
                .keep_alive_timeout(limits.header_timeout)
                .max_concurrent_streams(MAX_STREAMS)
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
            drive(builder.serve_connection(stream, service), &activity, &limits, shutdown).await;
        }
    }
}

/// Runs a connection to its end. It is asked to end when the server stops or when it is held open for nothing,
/// and cut when it does not.
async fn drive<C>(connection: C, activity: &Activity, limits: &Limits, mut shutdown: Shutdown)
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        // Serving goes on below, for as long as the listener's drain timeout allows.
        () = shutdown.requested() => None,
        useless = activity.exhausted(limits) => {
            if useless == Uselessness::Idle {
                connection.as_mut().graceful_shutdown();
                // An error means that it did not go by itself; dropping it closes the socket.
                let _ = timeout(FAREWELL, connection.as_mut()).await;
            }
            return;
        }
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = forsaken(activity) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Returns when nothing is left but streams of the feed that nobody reads to their end.
async fn forsaken(activity: &Activity) {
    loop {
        activity.only_streams().await;
        sleep(FEED_FAREWELL).await;
        if activity.is_only_streams() {
            return;
        }
    }
}
