//! A running server.

use std::{
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{sync::watch, time::timeout};

/// Longest that anything awaited may take: only a broken server does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A `writ serve` process, killed when this is dropped.
pub(crate) struct Writ {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) socket: PathBuf,
    /// The operators'.
    pub(crate) operator: PathBuf,
}

/// Lines of one of its outputs as they appear.
type Lines = watch::Receiver<Vec<String>>;

impl Writ {
    pub(crate) async fn start(command: Command, listeners: &Path) -> Self {
        Self::start_to(command, Stdio::piped(), listeners).await
    }

    pub(crate) async fn start_to(mut command: Command, stdout: Stdio, listeners: &Path) -> Self {
        let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().map_or_else(|| watch::channel(Vec::new()).1, read_lines);
        let mut stderr = read_lines(child.stderr.take().unwrap());
        await_line(&mut stderr, " listening").await;
        let listeners: serde_json::Value =
            serde_json::from_slice(&std::fs::read(listeners).unwrap()).unwrap();
        let address = |name: &str| listeners[name].as_str().unwrap().parse().unwrap();
        Self {
            http: address("http"),
            grpc: address("grpc"),
            admin: address("admin"),
            socket: listeners["data_plane"].as_str().unwrap().into(),
            operator: listeners["operator"].as_str().unwrap().into(),
            child,
            stdout,
            stderr,
        }
    }

    /// The secret that was printed for `client` at this start.
    pub(crate) async fn secret(&mut self, client: &str) -> String {
        let prefix = format!("client {client} secret: ");
        let line = await_line(&mut self.stdout, &prefix).await;
        line.strip_prefix(&prefix).unwrap().to_owned()
    }

    /// Waits for a log line that contains `text`.
    pub(crate) async fn log(&mut self, text: &str) -> String {
        await_line(&mut self.stderr, text).await
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end: how, and all that it printed and logged.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String, String) {
        let (stdout, stderr) = (self.stdout.clone(), self.stderr.clone());
        let status = tokio::task::spawn_blocking(move || self.child.wait().unwrap()).await.unwrap();
        (status, rest(stdout).await, rest(stderr).await)
    }

    /// The most memory that it ever had in use, KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) async fn stop(self) -> (ExitStatus, String, String) {
        self.signal(Signal::TERM);
        self.ended().await
    }
}

impl Drop for Writ {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(output: impl Read + Send + 'static) -> Lines {
    let (sender, receiver) = watch::channel(Vec::new());
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            sender.send_modify(|lines| lines.push(line));
        }
    });
    receiver
}

async fn await_line(lines: &mut Lines, text: &str) -> String {
    let matching = |lines: &Vec<String>| lines.iter().find(|line| line.contains(text)).cloned();
    let found = timeout(PATIENCE, lines.wait_for(|lines| matching(lines).is_some()))
        .await
        .is_ok_and(|line| line.is_ok());
    let lines = lines.borrow();
    assert!(found, "no line with `{text}` in {lines:?}");
    matching(&lines).unwrap_or_default()
}

/// All lines, once the output has ended.
async fn rest(mut lines: Lines) -> String {
    while lines.changed().await.is_ok() {}
    let lines = lines.borrow();
    lines.join("\n")
}
