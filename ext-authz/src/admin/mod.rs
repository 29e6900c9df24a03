//! The operator's listener: metrics, health, what is running.

mod data_planes;
mod running;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use store::Figures;

use crate::{
    feed::Registry,
    listen::Shutdown,
    reload::{Rejection, StoreView},
    server::Api,
    telemetry::{audit, feed, revocations},
};

/// What this side knows.
#[derive(Clone)]
pub struct Admin {
    /// The rest of the server.
    pub api: Api,
    /// The counters.
    pub metrics: PrometheusHandle,
    /// Who follows the feed.
    pub watchers: Registry,
    /// Whether it is time to stop.
    pub shutdown: Shutdown,
}

/// Routes of this side.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/config", get(running::config))
        .route("/dataplanes", get(data_planes::list))
        .with_state(admin)
}

/// Prometheus text format, version 0.0.4.
async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    let figures = admin.api.ledger.figures();
    revocations::store_writes_are(figures);
    let Figures { batches, events, committed_at, .. } = figures;
    audit::committed(batches, events, committed_at);
    let newest = admin.api.current.load().snapshot().version();
    feed::lag_is(admin.watchers.lag(newest));
    for (data_plane, lag) in admin.watchers.revocation_lags(newest) {
        feed::revocation_lag_is(&data_plane, lag);
    }
    admin.api.audit.recorder.measure();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], admin.metrics.render())
}

#[derive(Serialize)]
struct Readiness<'s> {
    status: &'static str,
    policy_generation: u64,
    policy_rejected: Option<&'s Rejection>,
    store: StoreView,
}

/// Ready until the server is told to stop: a load balancer must send no more then. Nor is a server ready that cannot
/// serve the store's latest generation, as other replicas may: what it serves grows stale. A rejected policy is for
/// operators to know, and no reason to send requests elsewhere: the last good one serves them. Nor is a store that is
/// away: it is as far from every other replica.
async fn ready(State(admin): State<Admin>) -> Response {
    // In this order: what is said of the store holds for this state or one before.
    let store = admin.api.store.view(&admin.api.current);
    let state = admin.api.current.load();
    let (code, status) = if admin.shutdown.is_requested() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if store.unserved_generation.is_some() {
        (StatusCode::SERVICE_UNAVAILABLE, "outdated")
    } else {
        (StatusCode::OK, "ready")
    };
    let policy_generation = state.snapshot().version().generation;
    let policy_rejected = state.rejection();
    (code, Json(Readiness { status, policy_generation, policy_rejected, store })).into_response()
}
