//! Looking and reading again and again.

use std::{
    io,
    sync::Arc,
    thread::{Builder, JoinHandle},
};

use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot, watch},
    time::{Instant, Interval, MissedTickBehavior, interval, interval_at},
};

use super::{
    Reloader,
    reloader::{Asked, AskedReads},
    watch::Watch,
};

/// The thread that keeps the policy up to date. It ends when this is dropped, whatever it waits for: nothing is published
/// afterwards.
///
/// A thread of its own, because it reads files and compiles; requests never wait for it.
#[derive(Debug)]
pub struct ReloadThread {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl ReloadThread {
    /// Looks at the directory at once, whenever the operating system tells of a change, and from time to time in any
    /// case: symbolic links to files elsewhere and some network file systems change without a word. Reads the store
    /// from time to time and when asked to. To be called in a runtime.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(reloader: Reloader, AskedReads(asked): AskedReads) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let runtime = Handle::current();
        let thread = Builder::new()
            .name("policy".into())
            .spawn(move || runtime.block_on(until(stopped, run(reloader, asked))))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for ReloadThread {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the policy had ceased to be watched");
        }
    }
}

/// Does `work` until it is stopped, by the next moment at which it waits: a store that hangs must not hold up an end.
async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = work => {}
    }
}

async fn run(mut reloader: Reloader, mut asked: Asked) {
    let wake = Arc::new(Notify::new());
    let mut watch = reloader.directory().map(|directory| Watch::new(&directory, Arc::clone(&wake)));
    let mut looks = unhurried(interval(reloader.config().policy_poll_interval));
    let period = reloader.config().store_poll_interval;
    let mut reads = unhurried(interval_at(Instant::now() + period, period));
    loop {
        let mut waiting = Vec::new();
        tokio::select! {
            // A directory that changes all the time must not keep the store from being read.
            biased;
            Some(first) = asked.recv() => {
                waiting.push(first);
                read(&mut reloader, &mut asked, waiting).await;
            }
            _ = reads.tick() => read(&mut reloader, &mut asked, waiting).await,
            // That nothing came in time is as good a reason to look as that something did.
            _ = looks.tick() => look(&mut reloader, watch.as_mut()).await,
            () = wake.notified() => look(&mut reloader, watch.as_mut()).await,
        }
    }
}

/// Who asked before the read began learns that it is done.
async fn read(reloader: &mut Reloader, asked: &mut Asked, mut waiting: Vec<oneshot::Sender<()>>) {
    while let Ok(another) = asked.try_recv() {
        waiting.push(another);
    }
    reloader.read_store().await;
    for asker in waiting {
        // It may have gone.
        let _ = asker.send(());
    }
}

async fn look(reloader: &mut Reloader, watch: Option<&mut Watch>) {
    if let Some(watch) = watch {
        watch.arm();
        reloader.look().await;
    }
}

fn unhurried(mut interval: Interval) -> Interval {
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
