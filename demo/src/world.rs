//! The parts of the story: files and their server, the Writ server, two Envoys.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use harness::{
    Result,
    envoy::{Config, Envoy, Shipped},
    error::{IoContext, unexpected},
    paths,
    server::{Server, Setup},
    upstream::FileServer,
    wait,
};

use crate::{logs, report::Report};

/// The client of `policies/logs.yaml`.
pub(crate) const CLIENT: &str = "log-janitor";

/// Everything that runs. Dropping it ends every process.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) wasm: Envoy,
    pub(crate) ext_authz: Envoy,
    pub(crate) server: Server,
    pub(crate) secret: String,
    pub(crate) buckets: PathBuf,
    _files: FileServer,
    directory: tempfile::TempDir,
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
        let files = FileServer::start(&buckets, 0).await?;
        report.note(&format!("file server  http://{}  (log files in {})", files.address, buckets.display()));

        let data = directory.path().join("writ-data");
        // The shipped policy alone: the story is about it, whatever else lies beside it.
        let policies = directory.path().join("policies");
        fs::create_dir(&policies).context(|| "make a policy directory".to_owned())?;
        let shipped = paths::repository().join("policies/logs.yaml");
        fs::copy(&shipped, policies.join("logs.yaml")).context(|| format!("copy `{}`", shipped.display()))?;
        let setup = Setup {
            data: data.clone(),
            policies,
            // Without leeway a token ends the second it says, which keeps the wait for expiry short.
            config: Some("leeway: 0s\n".into()),
        };
        let server = Server::start(&setup).await?;
        let secret = printed_secret(&server).await?;
        report.note(&format!(
            "writ server  http://{}  (client `{CLIENT}`, secret printed once)",
            server.listeners.http
        ));

        setup.export_snapshot()?;
        let wasm = start_envoy(Shipped::Wasm, &data, directory.path(), &files).await?;
        report.note(&format!("envoy + wasm filter  http://{}", wasm.listener("writ")?));
        let ext_authz = start_envoy(Shipped::ExtAuthz, &data, directory.path(), &files).await?;
        report.note(&format!("envoy + ext_authz    http://{}", ext_authz.listener("writ")?));
        Ok(Self { wasm, ext_authz, server, secret, buckets, _files: files, directory })
    }

    /// Where scratch files may go.
    pub(crate) fn scratch(&self) -> &Path {
        self.directory.path()
    }
}

async fn start_envoy(which: Shipped, data: &Path, directory: &Path, files: &FileServer) -> Result<Envoy> {
    let mut config = Config::shipped(which, data)?;
    config.upstream("upstream", files.address)?;
    let name = if which == Shipped::Wasm { "envoy-wasm" } else { "envoy-ext-authz" };
    Envoy::start(&config, &directory.join(name)).await
}

/// The secret that the server made for the client and printed at its first start.
async fn printed_secret(server: &Server) -> Result<String> {
    let marker = format!("client {CLIENT} secret: ");
    wait::until("the client's secret", || {
        let log = server.log();
        let line =
            log.lines().find_map(|line| line.split_once(&marker).map(|(_, secret)| secret.trim().to_owned()));
        std::future::ready(Ok(line))
    })
    .await
    .map_err(|error| unexpected(format!("{error}; the server printed no line `{marker}`")))
}
