//! Being told of changes by the operating system.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::sync::Notify;

/// Device and inode: which directory it is, under whatever name.
type Identity = Option<(u64, u64)>;

/// Watches a directory and its parent: a directory that is renamed away or made anew, or a symbolic link that is set
/// to another one, is a change of the parent only.
pub(super) struct Watch {
    directory: PathBuf,
    /// Told of each change; never more than one waits.
    wake: Arc<Notify>,
    /// Which directories are watched now.
    watched: Option<[Identity; 2]>,
    /// The directory itself came or went. Its successor may even have the same inode.
    is_replaced: Arc<AtomicBool>,
    /// Ends with the watch.
    watcher: Option<RecommendedWatcher>,
}

impl Watch {
    pub(super) fn new(directory: &Path, wake: Arc<Notify>) -> Self {
        // Without a current directory paths stay relative, and the poll alone finds changes.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        Self { directory, wake, watched: None, is_replaced: Arc::default(), watcher: None }
    }

    /// Watches what the directory's name leads to now. To be called before each look: what changes from here on is
    /// told, and what changed before is seen.
    pub(super) fn arm(&mut self) {
        let places = [Some(self.directory.as_path()), self.directory.parent()];
        let identities = places.map(|path| identity(path?));
        let is_replaced = self.is_replaced.swap(false, Ordering::AcqRel);
        if self.watched == Some(identities) && !is_replaced {
            return;
        }
        self.watched = Some(identities);
        self.watcher = None;
        let watched = places.into_iter().zip(identities);
        let watched: Vec<&Path> =
            watched.filter_map(|(path, identity)| path.filter(|_| identity.is_some())).collect();
        self.watcher = self.watcher(&watched).inspect_err(warn).ok();
    }

    /// Watches as many of `places` as can be watched.
    fn watcher(&self, places: &[&Path]) -> notify::Result<RecommendedWatcher> {
        let (directory, wake) = (self.directory.clone(), Arc::clone(&self.wake));
        let is_replaced = Arc::clone(&self.is_replaced);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if is_change(&event, &directory) {
                if event.paths.contains(&directory) {
                    is_replaced.store(true, Ordering::Release);
                }
                wake.notify_one();
            }
        })?;
        for place in places {
            let _ = watcher.watch(place, RecursiveMode::NonRecursive).inspect_err(warn);
        }
        Ok(watcher)
    }
}

fn warn(error: &notify::Error) {
    tracing::warn!(%error, "cannot watch the policy directory: some changes are found only by reading it");
}

/// Whether `event` may change what the directory holds. Reading it is an event too, and must not wake its reader; and
/// the parent's other children are nobody's business.
fn is_change(event: &Event, directory: &Path) -> bool {
    let reads = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    event.need_rescan() || (!reads && event.paths.iter().any(|path| path.starts_with(directory)))
}

fn identity(path: &Path) -> Identity {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
