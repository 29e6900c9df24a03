//! Listening, until told to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use store::Ledger;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::{Data, ServerError, data::Readers, entrance::Entrance, grpc, upkeep::keep_small};
use crate::{
    admin::{self, Admin},
    audit::keep_anchors,
    config::Config,
    feed::{Feed, Publications, Refresh, Registry},
    identity::{DataPlanes, Identity},
    keys::Rotation,
    listen::{
        Addresses, Door, Port, Protocol, Shutdown, StopSignals, Trigger, raise_descriptor_limit, serve,
    },
    oauth,
    operators::{self, Operators},
    reload::ReloadThread,
    revocations::{Told, count_tasks},
    rpc::TasksServer,
    tasks,
    tls::Tls,
};

/// Serves `data` until `SIGTERM` or `SIGINT`, then lets requests in progress end.
///
/// # Errors
/// The server does not start. Once it runs, nothing ends it but a signal.
pub async fn run(data: Data, metrics: PrometheusHandle) -> Result<(), ServerError> {
    let Data { api, entrance, private_entrance, readers, writing, lock } = data;
    let Readers { reloader, asked, tail, ask_tail } = readers;
    let Entrance { tls, http, grpc, admin } = entrance;
    let config: &Config = &api.config;
    let mut signals = StopSignals::listen().map_err(ServerError::Signals)?;
    raise_descriptor_limit(&config.limits);
    let (tls, renewal) = tls.unzip();
    let [http_addr, grpc_addr, admin_addr] = [&http, &grpc, &admin].map(Port::address);
    let [http, grpc, admin] = [http.listen()?, grpc.listen()?, admin.listen()?];
    let (data_plane, socket) = private_entrance.data_plane.listen()?;
    let (operator, operator_socket) = private_entrance.operator.listen()?;

    let (trigger, shutdown) = Trigger::new();
    let health = grpc::health(true).await;
    let (publications, follower) = Publications::new(api.current.clone(), &config.data_planes)?;
    let watchers = Registry::default();
    let store = api.store.clone();
    let refresh = Refresh::new(move || {
        let (store, tail) = (store.clone(), ask_tail.clone());
        Box::pin(async move {
            tokio::join!(store.read_now(), tail.read_now());
        })
    });
    let told = Told {
        current: api.current.clone(),
        publications: Arc::clone(&publications),
        registry: watchers.clone(),
        status: api.store.clone(),
    };
    let feed = Arc::new(Feed {
        publications,
        registry: watchers.clone(),
        refresh,
        shutdown: shutdown.clone(),
        limits: config.limits,
        recorder: api.audit.recorder.clone(),
    });
    let listed = Identity::Listed(DataPlanes::new(&config.data_planes));
    // Who opens the data planes' socket is no client: what is beside it is on the TCP listener alone.
    let tasks_rpc = TasksServer::new(api.clone(), shutdown.clone());
    let remote = grpc::router(&api, &feed, listed.clone(), Some(tasks_rpc), &health)?;
    let local = grpc::router(
        &api,
        &feed,
        Identity::socket(config.listeners.data_plane_trusted_egress),
        None,
        &health,
    )?;
    let named = Operators::listed(&config.operators);
    let public = oauth::router().merge(tasks::router(named.clone())).merge(operators::router(named));
    let public = public.with_state(api.clone());
    let local_operators = operators::router(Operators::Socket).merge(tasks::reading(Operators::Socket));
    let local_operators = local_operators.with_state(api.clone());
    let admin_routes = admin::router(Admin {
        api: api.clone(),
        metrics: metrics.clone(),
        watchers: watchers.clone(),
        shutdown: shutdown.clone(),
    });

    let rotation = Rotation::new(&api, watchers);

    let addresses = Addresses {
        http: http_addr,
        grpc: grpc_addr,
        admin: admin_addr,
        data_plane: socket.path().to_owned(),
        operator: operator_socket.path().to_owned(),
    };
    let published = addresses.publish(&config.data_dir.join("listeners.json"))?;
    tracing::info!(
        http = %addresses.http,
        grpc = %addresses.grpc,
        admin = %addresses.admin,
        operator = %addresses.operator.display(),
        data_plane = %addresses.data_plane.display(),
        issuer = config.issuer,
        "listening"
    );

    warn_of_plaintext(config);

    let reloading = ReloadThread::start(reloader, asked).map_err(ServerError::Thread)?;

    let door = |name, protocol, router: Router| Door {
        name,
        protocol,
        tls: None,
        limits: config.limits,
        identity: None,
        clients: None,
        router,
    };
    let public = Door { tls: tls.as_ref().map(Tls::http), ..door("http", Protocol::Http, public) };
    let remote = Door {
        tls: tls.as_ref().map(Tls::grpc),
        identity: Some(listed),
        clients: Some(api.current.clone()),
        ..door("grpc", Protocol::Grpc, remote)
    };
    let renewing = async {
        if let Some(renewal) = renewal {
            renewal.run(shutdown.clone()).await;
        }
    };
    let stopping = async {
        signals.received().await;
        tracing::info!("stopping: no new connections, requests in progress may end");
        grpc::set_health(&health, false).await;
        trigger.pull();
    };
    tokio::join!(
        stopping,
        renewing,
        follower.run(shutdown.clone()),
        tail.run(told, api.ledger.committed(), config.store_poll_interval, shutdown.clone()),
        count_tasks(&api.scans, shutdown.clone()),
        rotation.run(shutdown.clone()),
        keep_metrics(&metrics, shutdown.clone()),
        keep_small(Arc::clone(&api.scans), Arc::clone(&api.config), api.audit.key.clone(), shutdown.clone()),
        keep_anchors(&api, shutdown.clone()),
        api.audit.recorder.run(&api.ledger, shutdown.clone()),
        serve(http, public, shutdown.clone()),
        serve(grpc, remote, shutdown.clone()),
        serve(data_plane, door("data_plane", Protocol::Grpc, local), shutdown.clone()),
        serve(operator, door("operator", Protocol::Http, local_operators), shutdown.clone()),
        serve(admin, door("admin", Protocol::Http, admin_routes), shutdown.clone()),
    );
    drop((published, socket, operator_socket));
    // Last the hold on the data directory, when nothing writes there any more.
    drop(reloading);
    api.audit.recorder.finish(&api.ledger).await;
    finish(&api.ledger, writing).await;
    drop(lock);
    tracing::info!("stopped");
    Ok(())
}

/// Lets what was taken be written. A store that hangs does not hold up the end for long.
async fn finish(ledger: &Ledger, writing: JoinHandle<()>) {
    const PATIENCE: Duration = Duration::from_secs(5);
    ledger.close();
    match tokio::time::timeout(PATIENCE, writing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the ledger had ceased to write"),
        Err(_) => tracing::error!("the store did not take the last operations in time"),
    }
}

/// What others on the network can read, and at the admin interface change nothing but read all.
fn warn_of_plaintext(config: &Config) {
    let is_open = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
    if is_open(&config.listeners.http) && config.tls.is_none() {
        tracing::warn!(
            "`listeners.http` is no loopback address and has no `tls`: secrets of clients are sent in clear"
        );
    }
    if is_open(&config.listeners.admin) {
        tracing::warn!("`listeners.admin` is no loopback address: it has neither TLS nor authentication");
    }
}

/// Sums up what was measured, so that it does not grow while nobody asks for it.
async fn keep_metrics(metrics: &PrometheusHandle, mut shutdown: Shutdown) {
    const INTERVAL: Duration = Duration::from_secs(5);
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.requested() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}
