//! A real Envoy, started on what ships in `envoy/` with only addresses and paths changed.

mod config;
mod stats;

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path, process::Command};

pub use config::{Config, Shipped};
pub use stats::Stats;

use crate::{
    error::{IoContext, Result, unexpected},
    http::h1,
    paths,
    process::Process,
    wait,
};

/// Worker threads: at least two, so that a verdict never depends on which of them was asked.
pub const WORKERS: u32 = 2;

/// A running Envoy.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    /// Its admin listener.
    pub admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
    workers: u32,
}

impl Envoy {
    /// Starts Envoy on `config` and waits until every listener takes connections. Files go to `directory`.
    ///
    /// # Errors
    /// Envoy is not installed, refuses the configuration, or does not become ready.
    pub async fn start(config: &Config, directory: &Path) -> Result<Self> {
        Self::start_with(config, directory, WORKERS).await
    }

    /// As [`start`](Self::start), with another number of worker threads.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub async fn start_with(config: &Config, directory: &Path, workers: u32) -> Result<Self> {
        let mut envoy = Self::launch_with(config, directory, workers).await?;
        let expected = config.listener_names();
        envoy.listeners = wait::until("Envoy's listeners", || {
            let (alive, expected) = (envoy.process.check(), &expected);
            async move {
                alive?;
                let ready = h1::get(envoy.admin, "/ready").await?.status == 200;
                let listeners = listeners(envoy.admin).await?;
                Ok((ready && expected.iter().all(|name| listeners.contains_key(name))).then_some(listeners))
            }
        })
        .await?;
        Ok(envoy)
    }

    /// Starts Envoy and waits only for its admin listener: for configurations that must not open.
    ///
    /// # Errors
    /// Envoy is not installed, or ends at once.
    pub async fn launch(config: &Config, directory: &Path) -> Result<Self> {
        Self::launch_with(config, directory, WORKERS).await
    }

    async fn launch_with(config: &Config, directory: &Path, workers: u32) -> Result<Self> {
        let address_file = directory.join("admin");
        // A file of an earlier run must not be taken for this one's.
        let _ = fs::remove_file(&address_file);
        let mut process = Self::spawn_with(config, directory, workers)?;
        let admin = wait::until("Envoy's admin listener", || {
            let alive = process.check();
            let address = fs::read_to_string(&address_file).ok().and_then(|text| text.trim().parse().ok());
            std::future::ready(alive.map(|()| address))
        })
        .await?;
        Ok(Self { process, admin, listeners: BTreeMap::new(), workers })
    }

    /// Starts Envoy and waits for nothing: for configurations without an admin port.
    ///
    /// # Errors
    /// Envoy is not installed.
    pub fn spawn(config: &Config, directory: &Path) -> Result<Process> {
        Self::spawn_with(config, directory, WORKERS)
    }

    fn spawn_with(config: &Config, directory: &Path, workers: u32) -> Result<Process> {
        fs::create_dir_all(directory).context(|| format!("make `{}`", directory.display()))?;
        let file = directory.join("envoy.json");
        fs::write(&file, config.to_json()).context(|| format!("write `{}`", file.display()))?;
        let mut command = Command::new(paths::envoy()?);
        command.current_dir(paths::repository()).arg("-c").arg(&file);
        command.arg("--admin-address-path").arg(directory.join("admin"));
        command.args(["--disable-hot-restart", "--log-level", "info", "--concurrency", &workers.to_string()]);
        Process::start("envoy", command, &directory.join("envoy.log"))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The address of the listener `name`.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn listener(&self, name: &str) -> Result<SocketAddr> {
        self.listeners.get(name).copied().ok_or_else(|| unexpected(format!("no listener `{name}`")))
    }

    /// The address of its listener, if it has one only.
    ///
    /// # Errors
    /// It has none, or several.
    pub fn only_listener(&self) -> Result<SocketAddr> {
        let mut addresses = self.listeners.values();
        match (addresses.next(), addresses.next()) {
            (Some(address), None) => Ok(*address),
            _ => Err(unexpected("not one listener")),
        }
    }

    /// How many worker threads it has.
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// The listeners that take connections now, by name.
    ///
    /// # Errors
    /// The admin listener does not answer.
    pub async fn active_listeners(&self) -> Result<BTreeMap<String, SocketAddr>> {
        listeners(self.admin).await
    }

    /// The counters and gauges now.
    ///
    /// # Errors
    /// The admin listener does not answer.
    pub async fn stats(&self) -> Result<Stats> {
        Ok(Stats::parse(&h1::get(self.admin, "/stats?format=json").await?.body))
    }

    /// Everything Envoy has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Fails if it is not running any more.
    ///
    /// # Errors
    /// It ended.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }
}

async fn listeners(admin: SocketAddr) -> Result<BTreeMap<String, SocketAddr>> {
    let page = h1::get(admin, "/listeners?format=json").await?.json().unwrap_or_default();
    let statuses =
        page.get("listener_statuses").and_then(|list| list.as_array()).cloned().unwrap_or_default();
    let read = |status: serde_json::Value| {
        let address = status.pointer("/local_address/socket_address")?;
        let (ip, port) = (address.get("address")?.as_str()?, address.get("port_value")?);
        Some((status.get("name")?.as_str()?.to_owned(), format!("{ip}:{port}").parse().ok()?))
    };
    Ok(statuses.into_iter().filter_map(read).collect())
}
