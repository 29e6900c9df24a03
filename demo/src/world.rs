//! The parts of the stories: services, the Writ server, two Envoys.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use harness::{
    Result,
    envoy::{Config, Envoy, Shipped},
    error::{IoContext, unexpected},
    http::h1,
    paths,
    server::{Release, Server, Setup},
    upstream::FileServer,
    wait,
};
use serde_json::{Value, json};

use crate::{
    report::Report,
    service::{Service, database, flights, logs, warehouse},
};

/// The policies of the stories, and the clients that they name.
const POLICIES: [(&str, &str); 4] = [
    ("logs.yaml", "log-janitor"),
    ("flights.yaml", "trip-planner"),
    ("database.yaml", "db-inspector"),
    ("warehouse.yaml", "stock-keeper"),
];
/// Where the warehouse's key is in the shipped policy; the stories have one of their own.
const SHIPPED_KEY: &str = "/etc/writ/secrets/warehouse";

/// Worker threads of each Envoy.
const WORKERS: u32 = 4;

/// Everything that runs. Dropping it ends every process.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) wasm: Envoy,
    pub(crate) ext_authz: Envoy,
    pub(crate) server: Server,
    /// What the server was started with.
    pub(crate) setup: Setup,
    /// The files of the log store.
    pub(crate) buckets: PathBuf,
    /// Client and secret.
    secrets: BTreeMap<&'static str, String>,
    services: Services,
    directory: tempfile::TempDir,
}

/// What Envoy protects.
#[derive(Debug)]
struct Services {
    logs: FileServer,
    flights: Service,
    database: Service,
    warehouse: Service,
    keys: warehouse::Keys,
}

impl World {
    /// Starts everything.
    ///
    /// # Errors
    /// A part is missing or does not start.
    pub(crate) async fn start(report: &mut Report) -> Result<Self> {
        report.chapter("Starting real parts");
        // Keys and tokens go there.
        let mut builder = tempfile::Builder::new();
        let directory = builder.permissions(Permissions::from_mode(0o700)).tempdir();
        let directory = directory.context(|| "make a temporary directory".to_owned())?;
        let buckets = directory.path().join("buckets");
        logs::write(&buckets)?;
        let keys = warehouse::Keys::default();
        let services = Services {
            logs: FileServer::start(&buckets, 0).await?,
            flights: Service::start(flights::router()).await?,
            database: Service::start(database::router()).await?,
            warehouse: Service::start(warehouse::router(keys.clone())).await?,
            keys,
        };
        report.note(&format!(
            "log store            http://{}  ({})",
            services.logs.address,
            buckets.display()
        ));
        report.note(&format!("flight search        http://{}", services.flights.address));
        report.note(&format!("databases            http://{}", services.database.address));
        report.note(&format!("warehouse            http://{}", services.warehouse.address));

        let setup = Setup {
            data: directory.path().join("writ-data"),
            policies: copy_policies(directory.path())?,
            // Without leeway a token ends the second it says, which keeps the wait for expiry short.
            // The Envoys on this machine are handed the warehouse's key.
            config: Some("leeway: 0s\nlisteners: {data_plane_trusted_egress: true}\n".into()),
            release: Release::Current,
        };
        let server = Server::start(&setup).await?;
        let mut secrets = BTreeMap::new();
        for (_, client) in POLICIES {
            secrets.insert(client, printed_secret(&server, client).await?);
        }
        report.note(&format!("writ server          http://{}", server.listeners.http));

        let wasm = start_envoy(Shipped::Wasm, "envoy-wasm", &setup.data, directory.path(), &services).await?;
        report.note(&format!("envoy + wasm filter  http://{}", wasm.listener("writ")?));
        let ext_authz =
            start_envoy(Shipped::ExtAuthz, "envoy-ext-authz", &setup.data, directory.path(), &services)
                .await?;
        report.note(&format!("envoy + ext_authz    http://{}", ext_authz.listener("writ")?));
        Ok(Self { wasm, ext_authz, server, setup, buckets, secrets, services, directory })
    }

    /// How many tickets the airline has sold.
    ///
    /// # Errors
    /// It does not say.
    pub(crate) async fn bookings(&self) -> Result<usize> {
        let tickets = h1::get(self.services.flights.address, "/bookings").await?.json();
        let tickets = tickets.as_ref().and_then(|body| body.get("tickets")?.as_u64());
        tickets.and_then(|tickets| tickets.try_into().ok()).ok_or_else(|| unexpected("no number of tickets"))
    }

    /// Where scratch files may go.
    pub(crate) fn scratch(&self) -> &Path {
        self.directory.path()
    }

    /// The policy directory of the running server.
    pub(crate) fn policies(&self) -> PathBuf {
        self.directory.path().join("policies")
    }

    /// The keys that the warehouse takes.
    pub(crate) fn warehouse(&self) -> &warehouse::Keys {
        &self.services.keys
    }

    /// Where it listens, past Envoy.
    pub(crate) fn warehouse_address(&self) -> SocketAddr {
        self.services.warehouse.address
    }

    /// The file with the key that is sent to it.
    pub(crate) fn api_key(&self) -> PathBuf {
        api_key(self.directory.path())
    }

    /// The secret of a client.
    ///
    /// # Errors
    /// There is no such client.
    pub(crate) fn secret(&self, client: &str) -> Result<&str> {
        let secret = self.secrets.get(client).map(String::as_str);
        secret.ok_or_else(|| unexpected(format!("no client `{client}`")))
    }
}

/// Another server of the same store, and an Envoy with the filter that follows it.
#[derive(Debug)]
pub(crate) struct Second {
    pub(crate) envoy: Envoy,
    pub(crate) server: Server,
}

impl Second {
    /// Starts both; dropping this ends them.
    ///
    /// # Errors
    /// One does not start.
    pub(crate) async fn start(world: &World) -> Result<Self> {
        let data = world.scratch().join("writ-data-2");
        let first = world.setup.data.display();
        let setup = Setup {
            data: data.clone(),
            policies: world.policies(),
            config: Some(format!("leeway: 0s\nstore: sqlite:{first}/writ.db\nkeys_dir: {first}/keys\n")),
            release: Release::Current,
        };
        let server = Server::start(&setup).await?;
        let envoy =
            start_envoy(Shipped::Wasm, "envoy-wasm-2", &data, world.scratch(), &world.services).await?;
        Ok(Self { envoy, server })
    }
}

fn api_key(scratch: &Path) -> PathBuf {
    scratch.join("warehouse-key")
}

/// The shipped policies alone, as they are but for the key's place: the stories are about them, whatever else lies beside
/// them.
fn copy_policies(scratch: &Path) -> Result<PathBuf> {
    let policies = scratch.join("policies");
    fs::create_dir(&policies).context(|| "make a policy directory".to_owned())?;
    for (name, _) in POLICIES {
        let shipped = paths::repository().join("policies").join(name);
        let copy = || {
            let key = api_key(scratch).display().to_string();
            fs::write(policies.join(name), fs::read_to_string(&shipped)?.replace(SHIPPED_KEY, &key))
        };
        copy().context(|| format!("copy `{}`", shipped.display()))?;
    }
    Ok(policies)
}

/// The secret that the server made for `client` and printed at its first start.
async fn printed_secret(server: &Server, client: &str) -> Result<String> {
    let marker = format!("client {client} secret: ");
    wait::until("the client's secret", || {
        let log = server.log();
        let line =
            log.lines().find_map(|line| line.split_once(&marker).map(|(_, secret)| secret.trim().to_owned()));
        std::future::ready(Ok(line))
    })
    .await
    .map_err(|error| unexpected(format!("{error}; the server printed no line `{marker}`")))
}

async fn start_envoy(
    which: Shipped,
    name: &str,
    data: &Path,
    directory: &Path,
    services: &Services,
) -> Result<Envoy> {
    let mut config = Config::shipped(which, data)?;
    config.upstream("upstream", services.logs.address)?;
    route(&mut config, which, "flights", services.flights.address)?;
    route(&mut config, which, "database", services.database.address)?;
    route(&mut config, which, "warehouse", services.warehouse.address)?;
    config.node(name);
    Envoy::start_with(&config, &directory.join(name), WORKERS).await
}

/// Sends requests for `<name>.internal` to `address`; all others go where they went.
fn route(config: &mut Config, which: Shipped, name: &str, address: SocketAddr) -> Result<()> {
    config.copy_cluster("upstream", name, address)?;
    let hosts = config.connection_manager()?.pointer_mut("/route_config/virtual_hosts");
    let hosts = hosts.and_then(Value::as_array_mut).ok_or_else(|| unexpected("no virtual hosts"))?;
    let mut route = json!({"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "30s"}});
    if which == Shipped::ExtAuthz {
        // Where the route leads, for hosts with a credential of their own.
        route["typed_per_filter_config"] = json!({"envoy.filters.http.ext_authz": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
            "check_settings": {"context_extensions": {"writ_cluster": name}},
        }});
    }
    hosts.push(json!({
        "name": name,
        "domains": [format!("{name}.internal"), format!("{name}.internal:*")],
        "routes": [route],
    }));
    Ok(())
}
