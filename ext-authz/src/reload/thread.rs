//! Looking again and again.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use super::{Reloader, watch::Watch};

/// The thread that keeps the policy up to date. It ends when this is dropped, a look in progress included: nothing is
/// written to the data directory afterwards.
///
/// A thread of its own, because it reads files and compiles; requests never wait for it.
#[derive(Debug)]
pub struct ReloadThread {
    stopped: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl ReloadThread {
    /// Looks at once, whenever the operating system tells of a change, and every `poll` in any case: symbolic links
    /// to files elsewhere and some network file systems change without a word.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(reloader: Reloader, poll: Duration) -> io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let stopped = Arc::new(AtomicBool::new(false));
        let watch = Watch::new(reloader.directory(), wake.clone());
        let flag = Arc::clone(&stopped);
        let thread =
            Builder::new().name("policy".into()).spawn(move || run(reloader, watch, &woken, poll, &flag))?;
        Ok(Self { stopped, wake, thread: Some(thread) })
    }
}

impl Drop for ReloadThread {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // A full channel will wake it as well.
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the policy had ceased to be watched");
        }
    }
}

fn run(mut reloader: Reloader, mut watch: Watch, woken: &Receiver<()>, poll: Duration, stopped: &AtomicBool) {
    let is_stopped = || stopped.load(Ordering::Acquire);
    while !is_stopped() {
        watch.arm();
        reloader.look(is_stopped);
        // That nothing came in time is as good a reason to look as that something did.
        let _ = woken.recv_timeout(poll);
    }
}
