//! CPU time of a process, all its threads together, and its memory.

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

/// Resident memory of a process, bytes (`VmRSS` of proc(5)).
///
/// # Errors
/// There is no such process.
pub(crate) fn resident(process: u32) -> Result<u64> {
    let file = format!("/proc/{process}/status");
    let status = fs::read_to_string(&file).context(|| format!("read `{file}`"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| unexpected(format!("`{file}` says nothing of memory")))
}
