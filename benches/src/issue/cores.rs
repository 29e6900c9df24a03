//! Which core is whose.

use harness::{Result, error::unexpected};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// One core for the server, another for who asks it.
pub(super) struct Cores {
    server: CpuSet,
    load: CpuSet,
}

impl Cores {
    /// Takes two of those that this process may run on.
    ///
    /// # Errors
    /// There is one only.
    pub(super) fn find() -> Result<Self> {
        let all = sched_getaffinity(None).map_err(unexpected)?;
        let mut found = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        match (found.next(), found.next()) {
            (Some(server), Some(load)) => Ok(Self { server: only(server), load: only(load) }),
            _ => Err(unexpected("two cores are needed: one for the server, one for who asks it")),
        }
    }

    /// Starts a process that has the one core, and moves this thread to the other.
    ///
    /// # Errors
    /// The kernel refuses, or the process does not start.
    pub(super) async fn on_first<T>(&self, starting: impl Future<Output = Result<T>>) -> Result<T> {
        // A process runs where the thread that started it did.
        sched_setaffinity(None, &self.server).map_err(unexpected)?;
        let started = starting.await;
        sched_setaffinity(None, &self.load).map_err(unexpected)?;
        started
    }
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}
