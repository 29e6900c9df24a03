//! CPU time of a process, all its threads together.

use std::{fs, path::Path, time::Duration};

use harness::{
    Result,
    error::{IoContext, unexpected},
};

/// How long the threads that `process` has now have run on a CPU (`/proc/<pid>/task/*/schedstat`, nanoseconds).
/// The kernel counts a thread when it leaves its CPU, so ask when the process is idle.
///
/// # Errors
/// There is no such process, or the kernel keeps no such counts.
pub(crate) fn time(process: u32) -> Result<Duration> {
    let directory = Path::new("/proc").join(process.to_string()).join("task");
    let threads = fs::read_dir(&directory).context(|| format!("read `{}`", directory.display()))?;
    let mut total = 0;
    for thread in threads {
        let file = thread.context(|| "list threads".to_owned())?.path().join("schedstat");
        // A thread may end between the listing and the reading; what it ran is then not counted.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let ran = text.split_whitespace().next().and_then(|first| first.parse::<u64>().ok());
        total += ran.ok_or_else(|| unexpected(format!("`{}` has no run time", file.display())))?;
    }
    Ok(Duration::from_nanos(total))
}
