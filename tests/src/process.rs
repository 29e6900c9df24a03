//! A child process with its output in a file, killed when its handle is dropped.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    error::{Error, IoContext, Result, unexpected},
    wait,
};

/// How much of a log an error shows.
const TAIL: usize = 4000;

/// A running child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with standard output and error appended to `log`.
    ///
    /// # Errors
    /// [`Error::Io`] if the log cannot be made or the program cannot be started.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .context(|| format!("open `{}`", log.display()))?;
        let copy = file.try_clone().context(|| "duplicate the log's descriptor".to_owned())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::from(file))
            .stderr(Stdio::from(copy))
            .spawn()
            .context(|| format!("start {name}"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has written so far; bytes that are not UTF-8 are replaced.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Fails with [`Error::Ended`] if it is not running any more.
    ///
    /// # Errors
    /// [`Error::Ended`], or [`Error::Io`] if its state cannot be read.
    pub fn check(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => Err(Error::Ended {
                name: self.name.clone(),
                status: status.to_string(),
                log: tail(&self.log()),
            }),
        }
    }

    /// Its exit status, if it has ended.
    ///
    /// # Errors
    /// [`Error::Io`] if its state cannot be read.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context(|| format!("look after {}", self.name))
    }

    /// Asks it to stop with SIGTERM and waits until it has.
    ///
    /// # Errors
    /// [`Error::TimedOut`] if it does not stop.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        // It may have ended on its own already; then there is nothing to signal and the wait returns at once.
        let _ = self.signal(Signal::TERM);
        self.finished().await
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// There is no such process any more.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| unexpected("a process id out of range"))?;
        kill_process(pid, signal).map_err(|errno| unexpected(format!("signal {}: {errno}", self.name)))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// [`Error::TimedOut`] if it does not.
    pub async fn finished(&mut self) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        wait::until(&what, || std::future::ready(self.child.try_wait().context(|| "wait".to_owned()))).await
    }

    /// Ends it at once with SIGKILL, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn tail(text: &str) -> String {
    let start = text.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
    text.get(start..).unwrap_or_default().to_owned()
}
