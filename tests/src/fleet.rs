//! Servers that share one store, and Envoys that follow them.

use std::{fs, path::PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    api::{Caller, Client, Operator},
    envoy::{Config, Envoy, Shipped},
    error::{IoContext, Result, unexpected},
    http::RawRequest,
    paths,
    server::{Release, Server, Setup},
    surface::Check,
    upstream::Echo,
    wait,
    workers::{Answer, Worker},
};

/// Workers of each Envoy.
const WORKERS: u32 = 4;

/// What the servers are started with.
#[derive(Debug, Clone)]
pub struct Plan<'p> {
    /// The store, as each server reaches it: one URL a server.
    pub stores: &'p [String],
    /// The one policy file.
    pub policy: &'p str,
    /// Lines of `writ.yaml` besides those that servers of one store need.
    pub config: &'p str,
}

/// Servers of one store; dropping this ends them.
#[derive(Debug)]
pub struct Fleet {
    setups: Vec<Setup>,
    servers: Vec<Option<Server>>,
    directory: TempDir,
}

impl Fleet {
    /// Starts every server.
    ///
    /// # Errors
    /// One is not built, or ends.
    pub async fn start(plan: &Plan<'_>) -> Result<Self> {
        // Short, because the path of a Unix socket has at most 108 bytes.
        let directory = tempfile::Builder::new().prefix("w").tempdir();
        let directory = directory.context(|| "make a directory".to_owned())?;
        let policies = directory.path().join("p");
        fs::create_dir(&policies).context(|| "make a policy directory".to_owned())?;
        fs::write(policies.join("policy.yaml"), plan.policy).context(|| "write a policy".to_owned())?;
        let keys = directory.path().join("keys");
        let setup = |(number, store): (usize, &String)| Setup {
            data: directory.path().join(format!("s{number}")),
            policies: policies.clone(),
            config: Some(format!("{}store: {store}\nkeys_dir: {}\n", plan.config, keys.display())),
            release: Release::Current,
        };
        let setups: Vec<Setup> = plan.stores.iter().enumerate().map(setup).collect();
        let servers = setups.iter().map(|_| None).collect();
        let mut fleet = Self { setups, servers, directory };
        for number in 0..fleet.setups.len() {
            fleet.run(number).await?;
        }
        Ok(fleet)
    }

    /// Starts the server `number`, which does not run.
    ///
    /// # Errors
    /// It ends.
    pub async fn run(&mut self, number: usize) -> Result<()> {
        let server = Server::start(self.setup(number)?).await?;
        let place = self.servers.get_mut(number).ok_or_else(|| unexpected("no such server"))?;
        *place = Some(server);
        Ok(())
    }

    /// Ends the server `number` at once, as a crash would.
    pub fn kill(&mut self, number: usize) {
        self.take(number).map(Server::kill).unwrap_or_default();
    }

    /// Stops the server `number` as an operator would.
    ///
    /// # Errors
    /// It does not stop.
    pub async fn stop(&mut self, number: usize) -> Result<()> {
        match self.take(number) {
            Some(server) => server.stop().await.map(drop),
            None => Ok(()),
        }
    }

    fn take(&mut self, number: usize) -> Option<Server> {
        self.servers.get_mut(number).and_then(Option::take)
    }

    /// The server `number`.
    ///
    /// # Errors
    /// It does not run.
    pub fn server(&self, number: usize) -> Result<&Server> {
        let server = self.servers.get(number).and_then(Option::as_ref);
        server.ok_or_else(|| unexpected(format!("server {number} does not run")))
    }

    /// What the server `number` is started with.
    ///
    /// # Errors
    /// There is none.
    pub fn setup(&self, number: usize) -> Result<&Setup> {
        self.setups.get(number).ok_or_else(|| unexpected(format!("no server {number}")))
    }

    /// A directory for whatever belongs to this fleet.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// A client of the server `number`.
    ///
    /// # Errors
    /// It does not run.
    pub fn client(&self, number: usize, name: &str, secret: &str) -> Result<Client> {
        Ok(Client(Caller::basic(self.server(number)?.listeners.http, name, secret)))
    }

    /// The operator of the server `number`, who may open its socket.
    ///
    /// # Errors
    /// There is none of that number.
    pub fn operator(&self, number: usize) -> Result<Operator> {
        Ok(Operator(Caller::local(self.setup(number)?.data.join("operator.sock"))))
    }

    /// Check of the server `number`.
    ///
    /// # Errors
    /// It does not run.
    pub async fn check(&self, number: usize) -> Result<Check> {
        Check::connect(&self.server(number)?.listeners.data_plane).await
    }

    /// An Envoy of four workers as it ships, that follows these servers.
    ///
    /// # Errors
    /// It does not start.
    pub async fn gate(&self, name: &str, which: Shipped, servers: &[usize]) -> Result<Gate> {
        self.gate_before(Echo::start("upstream").await?, name, which, servers, |_| Ok(())).await
    }

    /// The same before another upstream, with changes to what ships.
    ///
    /// # Errors
    /// It does not start.
    pub async fn gate_before(
        &self,
        echo: Echo,
        name: &str,
        which: Shipped,
        servers: &[usize],
        change: impl FnOnce(&mut Config) -> Result<()>,
    ) -> Result<Gate> {
        let mut config = Config::shipped(which, &self.setup(0)?.data)?;
        config.upstream("upstream", echo.address)?;
        config.node(name);
        if which != Shipped::ExtAuthz {
            config.filter_resource(&paths::repository().join("envoy/writ-filter.yaml"))?;
        }
        let mut endpoints = Vec::new();
        for number in servers {
            let path = &self.server(*number)?.listeners.data_plane;
            endpoints.push(json!({"endpoint": {"address": {"pipe": {"path": path}}}}));
        }
        config.cluster("writ")?["load_assignment"]["endpoints"] = json!([{"lb_endpoints": endpoints}]);
        change(&mut config)?;
        let envoy = Envoy::start_with(&config, &self.directory.path().join(name), WORKERS).await?;
        let workers = Worker::each(&envoy).await?;
        Ok(Gate { envoy, echo, workers })
    }
}

/// An Envoy, asked worker by worker.
#[derive(Debug)]
pub struct Gate {
    /// Envoy.
    pub envoy: Envoy,
    /// What is behind it.
    pub echo: Echo,
    /// A connection to each worker.
    pub workers: Vec<Worker>,
}

impl Gate {
    /// Every worker's verdict, in order.
    ///
    /// # Errors
    /// A connection ended.
    pub async fn ask(&mut self, request: &RawRequest) -> Result<Vec<Answer>> {
        let mut answers = Vec::new();
        for worker in &mut self.workers {
            answers.push(worker.ask_again(request).await?);
        }
        Ok(answers)
    }

    /// Waits until every worker says `wanted`. Until then each may say one of `before`, and whoever has said `wanted` once
    /// stays with it.
    ///
    /// # Errors
    /// Another verdict, or not in time.
    pub async fn until(
        &mut self,
        request: &RawRequest,
        wanted: (u16, &str),
        before: &[(u16, &str)],
    ) -> Result<()> {
        let mut settled = vec![false; self.workers.len()];
        wait::until(&format!("{wanted:?} at every worker"), async || {
            for (worker, settled) in self.workers.iter_mut().zip(&mut settled) {
                let (status, code) = worker.ask(request).await?;
                let got = (status, code.as_str());
                if got != wanted && (*settled || !before.contains(&got)) {
                    let number = worker.number;
                    return Err(unexpected(format!("worker {number}: {got:?}; it was to be {wanted:?}")));
                }
                *settled |= got == wanted;
            }
            Ok((!settled.contains(&false)).then_some(()))
        })
        .await
    }
}
