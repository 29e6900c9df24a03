//! A real PostgreSQL server of its own: in a temporary directory, on a Unix socket.

mod binaries;
mod unprivileged;

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use thiserror::Error;

use self::{binaries::Binaries, unprivileged::Account};

/// The database that is there from the start, and its owner.
const DATABASE: &str = "postgres";
const READY: &str = "database system is ready to accept connections";
/// Longest that a start may take: only a broken machine needs it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server. It runs from [`Postgres::start`] to [`Postgres::stop`] or the end of this value.
#[derive(Debug)]
pub struct Postgres {
    directory: TempDir,
    binaries: Binaries,
    account: Option<Account>,
    running: Option<Child>,
}

/// Why there is no server.
#[derive(Debug, Error)]
pub enum PostgresError {
    /// It is not installed.
    #[error("PostgreSQL is missing: run `scripts/setup-system`, or install Debian's package `postgresql`")]
    Missing,
    /// It does not run as root, and there is no one else.
    #[error("PostgreSQL does not run as root, and this machine has neither `postgres` nor `nobody`")]
    NoAccount,
    /// A file or a process.
    #[error("cannot {what}: {reason}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The cause.
        reason: std::io::Error,
    },
    /// It said something else than that it is ready.
    #[error("{what} failed:\n{output}")]
    Failed {
        /// Which program.
        what: &'static str,
        /// What it wrote.
        output: String,
    },
}

type Result<T> = std::result::Result<T, PostgresError>;

impl Postgres {
    /// Makes a database cluster and starts its server.
    ///
    /// # Errors
    /// See [`PostgresError`].
    pub fn start() -> Result<Self> {
        let binaries = Binaries::find().ok_or(PostgresError::Missing)?;
        let account = Account::choose()?;
        let directory = TempDir::with_prefix("writ-postgres-").map_err(io("make a directory"))?;
        if let Some(account) = &account {
            account.own(directory.path()).map_err(io("give a directory away"))?;
        }
        let mut postgres = Self { directory, binaries, account, running: None };
        postgres.initialize()?;
        postgres.restart()?;
        Ok(postgres)
    }

    /// `postgres://...` of its one database, over its socket.
    #[must_use]
    pub fn url(&self) -> String {
        let socket = self.directory.path().display().to_string().replace('/', "%2F");
        format!("postgres://{DATABASE}@{socket}/{DATABASE}")
    }

    /// Where its socket is, and its data.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs statements in it, and returns what `psql` prints without headings.
    ///
    /// # Errors
    /// It does not run, or refuses.
    pub fn query(&self, statements: &str) -> Result<String> {
        let mut command = Command::new(&self.binaries.psql);
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        command.arg("--host").arg(self.directory.path());
        command.args(["--username", DATABASE, "--dbname", DATABASE, "--command", statements]);
        run("psql", command)
    }

    /// Ends the server at once, as a crash would. Its data stays for [`Postgres::restart`].
    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        // An immediate shutdown: the server ends its own children, which a kill would leave behind.
        let signalled = kill_process(Pid::from_child(&child), Signal::QUIT);
        if signalled.is_err() {
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    /// Starts the server on its data, and returns when it takes connections.
    ///
    /// # Errors
    /// See [`PostgresError`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        let mut command = self.command(&self.binaries.postgres);
        command.arg("-D").arg(self.cluster()).arg("-k").arg(self.directory.path());
        // No port that another could have, no writes that a test has to wait for, no work in the background.
        for setting in
            ["listen_addresses=", "fsync=off", "autovacuum=off", "shared_buffers=4MB", "max_connections=20"]
        {
            command.args(["-c", setting]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(io("start postgres"))?;
        let stderr = child.stderr.take();
        self.running = Some(child);
        stderr.map_or(Ok(()), await_ready)
    }

    fn initialize(&self) -> Result<()> {
        let mut command = self.command(&self.binaries.initdb);
        command.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username", DATABASE]);
        command.arg("-D").arg(self.cluster());
        run("initdb", command).map(|_| ())
    }

    /// A program run by whoever may run it, in a directory that everyone may enter.
    fn command(&self, program: &Path) -> Command {
        let mut command =
            self.account.as_ref().map_or_else(|| Command::new(program), |account| account.run(program));
        command.current_dir("/");
        command
    }

    fn cluster(&self) -> PathBuf {
        self.directory.path().join("cluster")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> PostgresError {
    move |reason| PostgresError::Io { what, reason }
}

fn run(what: &'static str, mut command: Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(io("run a program of PostgreSQL"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(PostgresError::Failed { what, output: text(&output.stderr) })
    }
}

/// Reads the log until the server is ready, and on until it ends: a full pipe would hold it up.
fn await_ready(log: ChildStderr) -> Result<()> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut read = String::new();
        let mut lines = BufReader::new(log).lines().map_while(std::result::Result::ok);
        let is_ready = lines.by_ref().any(|line| {
            read.push_str(&line);
            read.push('\n');
            line.contains(READY)
        });
        let _ = sender.send(if is_ready { Ok(()) } else { Err(read) });
        lines.for_each(drop);
    });
    let failed = |output| PostgresError::Failed { what: "postgres", output };
    match receiver.recv_timeout(PATIENCE) {
        Ok(said) => said.map_err(failed),
        Err(_) => Err(failed("it did not get ready".into())),
    }
}
