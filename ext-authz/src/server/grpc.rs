//! The gRPC services of a listener.

use std::sync::Arc;

use axum::Router;
use tonic::service::Routes;
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_reflection::server::Builder;

use super::{Api, data_plane::DataPlaneServer};
use crate::{
    check::{CheckServer, DESCRIPTORS, SERVICE},
    credentials::Leases,
    feed::{self, Feed, FeedServer},
    identity::Identity,
    rpc::{self, TasksServer},
    uses::Uses,
};

/// Services that are open to everyone.
const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";

/// Health of the services, one value for all listeners.
pub(super) async fn health(serving: bool) -> HealthReporter {
    let reporter = HealthReporter::new();
    set_health(&reporter, serving).await;
    reporter
}

/// The empty name stands for the whole server (grpc.health.v1).
pub(super) async fn set_health(reporter: &HealthReporter, serving: bool) {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    for name in ["", SERVICE, feed::SERVICE, rpc::SERVICE] {
        reporter.set_service_status(name, status).await;
    }
}

/// Check, the feed and what data planes ask for beside, for callers of `identity`; with `tasks`, tasks for clients; health and reflection for everyone.
pub(super) fn router(
    api: &Api,
    feed: &Arc<Feed>,
    identity: Identity,
    tasks: Option<TasksServer>,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let uses = Uses::new(api.current.clone(), api.ledger.clone());
    let check = CheckServer::new(
        api.current.clone(),
        uses.clone(),
        identity.clone(),
        api.audit.recorder.clone(),
        api.credentials.clone(),
        api.config.limits.message_bytes,
    );
    let leases = Leases {
        current: api.current.clone(),
        credentials: api.credentials.clone(),
        recorder: api.audit.recorder.clone(),
    };
    let data_plane =
        DataPlaneServer::new(FeedServer::new(Arc::clone(feed), identity.clone()), uses, leases, identity);
    let mut reflection = Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    if tasks.is_none() {
        // Of what is described, only what is here.
        for name in [SERVICE, feed::SERVICE, HEALTH, REFLECTION] {
            reflection = reflection.with_service_name(name);
        }
    }
    let reflection = reflection.build_v1()?;
    let health = tonic_health::server::HealthService::from_health_reporter(health.clone());
    let health = tonic_health::pb::health_server::HealthServer::new(health);
    let mut routes = Routes::new(check).add_service(data_plane).add_service(health).add_service(reflection);
    if let Some(tasks) = tasks {
        routes = routes.add_service(tasks);
    }
    Ok(routes.prepare().into_axum_router())
}
