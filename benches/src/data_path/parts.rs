//! The processes of the measurement, all on this machine.

use std::{fs, path::PathBuf, process::Command};

use harness::{
    Result,
    envoy::Envoy,
    error::{IoContext, unexpected},
    forge::Key,
    process::Process,
    server::{Release, Server, Setup},
    wait,
};
use tempfile::TempDir;
use writ_benches::{ISSUER, key};

use super::bootstrap::{Inputs, bootstrap};
use crate::upstream::Upstream;

/// One host with two rules, the same as in the benches of the verdict; its client is here because there must be one.
const POLICY: &str = r#"
namespace: logs
clients:
  log-janitor:
    authenticate: {generated: true}
    may_request: [{actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m}]
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/{bucket}", query: {prefix: optional}, action: "s3:ListBucket", resource: "s3://{bucket}", params: {prefix: query.prefix}}
      - {method: GET, path: "/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}"}
"#;

/// Everything that runs; it stops when dropped.
pub(super) struct Parts {
    pub(super) envoy: Envoy,
    pub(super) upstream: Upstream,
    pub(super) writ: Server,
    pub(super) do_nothing: Process,
    pub(super) key: Key,
    _directory: TempDir,
}

impl Parts {
    /// Starts everything and waits until it is ready.
    ///
    /// # Errors
    /// A part is not built, or does not start.
    pub(super) async fn start() -> Result<Self> {
        // Short, because the path of a Unix socket has at most 108 bytes.
        let directory =
            tempfile::Builder::new().prefix("b").tempdir().context(|| "make a directory".to_owned())?;
        let place = |name: &str| directory.path().join(name);
        let policies = place("policies");
        fs::create_dir(&policies).context(|| "make the policy directory".to_owned())?;
        fs::write(policies.join("logs.yaml"), POLICY).context(|| "write the policy".to_owned())?;
        let setup = Setup {
            data: place("d"),
            policies,
            config: Some(format!("issuer: {ISSUER}\n")),
            release: Release::Current,
        };
        let key = key();
        setup.install_key(&key)?;
        let writ = Server::start(&setup).await?;
        let filter = setup.export_snapshot()?;
        let socket = place("do-nothing");
        let do_nothing = do_nothing(&socket, &place("do-nothing.log")).await?;
        let upstream = Upstream::start().await?;
        let config = bootstrap(&Inputs {
            upstream: upstream.address,
            data: &setup.data,
            filter: &filter,
            do_nothing: &socket,
            key: &key,
        })?;
        let envoy = Envoy::start_with(&config, &place("envoy"), 1).await?;
        Ok(Self { envoy, upstream, writ, do_nothing, key, _directory: directory })
    }
}

/// This program once more: a process of its own, so that its CPU time is its own.
async fn do_nothing(socket: &PathBuf, log: &std::path::Path) -> Result<Process> {
    let mut command = Command::new(std::env::current_exe().map_err(unexpected)?);
    command.arg("do-nothing").arg(socket);
    let mut process = Process::start("the do-nothing server", command, log)?;
    wait::until("the do-nothing server's socket", || {
        let alive = process.check();
        std::future::ready(alive.map(|()| socket.exists().then_some(())))
    })
    .await?;
    Ok(process)
}
