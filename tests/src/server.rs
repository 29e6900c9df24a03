//! A real `writ` server on free ports, with a known signing key.

use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output},
};

use rustix::process::Signal;
use serde::Deserialize;

use crate::{
    error::{IoContext, Result, unexpected},
    forge::Key,
    paths,
    process::Process,
    wait,
};

/// Where a server listens, as it says itself in `listeners.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Listeners {
    /// OAuth and task API.
    pub http: SocketAddr,
    /// gRPC.
    pub grpc: SocketAddr,
    /// Metrics and health.
    pub admin: SocketAddr,
    /// Unix socket of data planes.
    pub data_plane: PathBuf,
}

/// Everything a server is started with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Data directory; made if absent.
    pub data: PathBuf,
    /// Policy directory.
    pub policies: PathBuf,
    /// Content of `writ.yaml`, if there is to be one.
    pub config: Option<String>,
    /// Which release runs.
    pub release: Release,
}

/// A release that is built here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Release {
    /// This one.
    #[default]
    Current,
    /// The one before.
    Previous,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Process,
    /// Where it listens.
    pub listeners: Listeners,
}

impl Setup {
    /// Puts a signing key where the server looks for one before it makes its own.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn install_key(&self, key: &Key) -> Result<()> {
        let keys = self.data.join("keys");
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&keys).context(|| format!("make `{}`", keys.display()))?;
        let file = keys.join(format!("{}.pem", key.kid()));
        fs::write(&file, key.private_pem()).context(|| format!("write `{}`", file.display()))?;
        fs::set_permissions(&file, Permissions::from_mode(0o600))
            .context(|| "restrict the key file".to_owned())
    }

    /// A `writ` command on this setup, `arguments` first.
    ///
    /// # Errors
    /// The binary is not built, or the configuration cannot be written.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(match self.release {
            Release::Current => paths::writ()?,
            Release::Previous => paths::previous_writ()?,
        });
        command.current_dir(paths::repository()).args(arguments);
        command.arg("--data-dir").arg(&self.data).arg("--policy-dir").arg(&self.policies);
        if let Some(config) = &self.config {
            let file = self.data.with_extension("yaml");
            fs::write(&file, config).context(|| format!("write `{}`", file.display()))?;
            command.arg("--config").arg(file);
        }
        Ok(command)
    }

    /// Runs a `writ` command on this setup to its end.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.command(arguments)?.output().context(|| format!("run writ {arguments:?}"))
    }

    /// Writes the snapshot for this release's filter below the data directory.
    ///
    /// # Errors
    /// The command fails.
    pub fn export_snapshot(&self) -> Result<PathBuf> {
        self.export_snapshot_for(&paths::filter()?)
    }

    /// Writes the snapshot for the filter `wasm` below the data directory.
    ///
    /// # Errors
    /// The command fails.
    pub fn export_snapshot_for(&self, wasm: &Path) -> Result<PathBuf> {
        let file = self.data.join("envoy/writ-filter.yaml");
        let directory = file.parent().unwrap_or(&self.data);
        fs::create_dir_all(directory).context(|| "make the export's directory".to_owned())?;
        let (output, wasm) = (file.display().to_string(), wasm.display().to_string());
        let ran =
            self.run(&["snapshot", "export", "--format", "envoy", "--output", &output, "--wasm", &wasm])?;
        if ran.status.success() { Ok(file) } else { Err(unexpected(String::from_utf8_lossy(&ran.stderr))) }
    }
}

impl Server {
    /// Starts a server and waits until all its listeners are bound.
    ///
    /// # Errors
    /// It is not built, or ends.
    pub async fn start(setup: &Setup) -> Result<Self> {
        let addresses = [
            "serve",
            "--http-addr",
            "127.0.0.1:0",
            "--grpc-addr",
            "127.0.0.1:0",
            "--admin-addr",
            "127.0.0.1:0",
        ];
        // A file of an earlier run must not be taken for this one's.
        let file = setup.data.join("listeners.json");
        let _ = fs::remove_file(&file);
        let log = setup.data.with_extension("log");
        let mut process = Process::start("writ", setup.command(&addresses)?, &log)?;
        let listeners = wait::until("the server's listeners", || {
            let alive = process.check();
            std::future::ready(alive.map(|()| read_listeners(&file)))
        })
        .await?;
        Ok(Self { process, listeners })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Everything it has logged, standard output included.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Stops its threads, as a machine without time to spare would: calls to it stay pending.
    ///
    /// # Errors
    /// It is not running.
    pub fn pause(&self) -> Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// It is not running.
    pub fn resume(&self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// Stops it as an operator would, and waits for it.
    ///
    /// # Errors
    /// It does not stop.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        self.process.terminate().await
    }
}

fn read_listeners(file: &Path) -> Option<Listeners> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}
