//! What a server is started with.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use super::{POLICY, Writ, sha256};

/// A directory with policy, configuration and data, gone when this is.
pub(crate) struct Setup {
    directory: TempDir,
}

impl Setup {
    /// The test policy, and no configuration file.
    pub(crate) fn new() -> Self {
        let setup = Self::bare();
        setup.write("policies/logs.yaml", &POLICY.replace("HASHED", &sha256("hashed-secret")))
    }

    /// No policy directory.
    pub(crate) fn bare() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn config(self, yaml: &str) -> Self {
        self.write("writ.yaml", yaml)
    }

    /// Adds to the configuration.
    pub(crate) fn config_too(self, yaml: &str) -> Self {
        let before = fs::read_to_string(self.path("writ.yaml")).unwrap();
        self.config(&format!("{before}{yaml}"))
    }

    pub(crate) fn write(self, name: &str, content: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes a file that only its owner may use.
    pub(crate) fn write_secret(self, name: &str, content: &str) -> Self {
        let setup = self.write(name, content);
        setup.set_mode(name, 0o600);
        setup
    }

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where the server keeps its data by default.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.path("writ-data").join(name)
    }

    /// A `writ` command in this directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts a server on free ports and waits until it listens.
    pub(crate) async fn serve(&self) -> Writ {
        self.serve_with(&[]).await
    }

    pub(crate) async fn serve_with(&self, arguments: &[&str]) -> Writ {
        Writ::start(self.serve_command(arguments), &self.data("listeners.json")).await
    }

    /// Starts a server that prints to `stdout`.
    pub(crate) async fn serve_to(&self, stdout: Stdio) -> Writ {
        Writ::start_to(self.serve_command(&[]), stdout, &self.data("listeners.json")).await
    }

    fn serve_command(&self, arguments: &[&str]) -> Command {
        let free = [
            "serve",
            "--http-addr",
            "127.0.0.1:0",
            "--grpc-addr",
            "127.0.0.1:0",
            "--admin-addr",
            "127.0.0.1:0",
        ];
        let arguments: Vec<&str> = free.iter().chain(arguments).copied().collect();
        self.command(&arguments)
    }

    /// A `serve` that is expected to fail: exit code and what it said.
    pub(crate) fn refuse_to_serve(&self) -> (i32, String) {
        let any = "127.0.0.1:0";
        let output = self.run(&["serve", "--http-addr", any, "--grpc-addr", any, "--admin-addr", any]);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}
