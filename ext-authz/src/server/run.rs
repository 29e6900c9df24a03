//! Listening, until told to stop.

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{Data, ServerError, grpc};
use crate::{
    admin::{self, Admin},
    check::{DataPlanes, Identity},
    config::Config,
    listen::{
        Addresses, DataPlaneSocket, Door, Protocol, StopSignals, Trigger, bind_tcp, raise_descriptor_limit,
        serve,
    },
    oauth,
    reload::ReloadThread,
    tasks,
};

/// Serves `data` until `SIGTERM` or `SIGINT`, then lets requests in progress end.
///
/// # Errors
/// The server does not start. Once it runs, nothing ends it but a signal.
pub async fn run(data: Data, metrics: PrometheusHandle) -> Result<(), ServerError> {
    let (api, (reloader, asked), lock) = data.into_parts();
    let config: &Config = &api.config;
    let mut signals = StopSignals::listen().map_err(ServerError::Signals)?;
    raise_descriptor_limit(&config.limits);
    let (http, http_addr) = bind_tcp(config.listeners.http).await?;
    let (grpc, grpc_addr) = bind_tcp(config.listeners.grpc).await?;
    let (admin, admin_addr) = bind_tcp(config.listeners.admin).await?;
    let (data_plane, socket) = DataPlaneSocket::bind(&config.listeners.data_plane)?;

    let (trigger, shutdown) = Trigger::new();
    let health = grpc::health(true).await;
    let bearer = Identity::Bearer(DataPlanes::new(config.data_planes.clone()));
    let remote = grpc::router(&api, bearer.clone(), &health)?;
    let local = grpc::router(&api, Identity::Socket, &health)?;
    let public = oauth::router().merge(tasks::router()).with_state(api.clone());
    let operators = admin::router(Admin { api: api.clone(), metrics, shutdown: shutdown.clone() });

    let addresses = Addresses {
        http: http_addr,
        grpc: grpc_addr,
        admin: admin_addr,
        data_plane: socket.path().to_owned(),
    };
    let listed = addresses.publish(&config.data_dir.join("listeners.json"))?;
    tracing::info!(
        http = %addresses.http,
        grpc = %addresses.grpc,
        admin = %addresses.admin,
        data_plane = %addresses.data_plane.display(),
        issuer = config.issuer,
        "listening"
    );

    let reloading = ReloadThread::start(reloader, asked).map_err(ServerError::Thread)?;

    let door = |name, protocol, router: Router| Door {
        name,
        protocol,
        limits: config.limits,
        identity: None,
        router,
    };
    let remote = Door { identity: Some(bearer), ..door("grpc", Protocol::Grpc, remote) };
    let stopping = async {
        signals.received().await;
        tracing::info!("stopping: no new connections, requests in progress may end");
        grpc::set_health(&health, false).await;
        trigger.pull();
    };
    tokio::join!(
        stopping,
        serve(http, door("http", Protocol::Http, public), shutdown.clone()),
        serve(grpc, remote, shutdown.clone()),
        serve(data_plane, door("data_plane", Protocol::Grpc, local), shutdown.clone()),
        serve(admin, door("admin", Protocol::Http, operators), shutdown),
    );
    drop((listed, socket));
    // Last the hold on the data directory, when nothing writes there any more.
    drop(reloading);
    drop(lock);
    tracing::info!("stopped");
    Ok(())
}
