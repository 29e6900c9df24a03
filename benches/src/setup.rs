//! On what a measurement was made, for its record.

use std::{fs, process::Command};

use harness::paths;

/// Lines of a record: machine, versions, commit.
pub(crate) fn lines() -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    vec![
        format!("{cores} cores of \"{}\", {}", cpu_model(), kernel()),
        format!("Envoy {}", envoy_version()),
        format!("commit {}", output("git", &["describe", "--always", "--dirty", "--abbrev=12"])),
        output("rustc", &["--version"]),
    ]
}

fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned())
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", release.trim())
}

/// The version's number out of `<path>  version: <hash>/<number>/...`.
fn envoy_version() -> String {
    let Ok(envoy) = paths::envoy() else { return "not found".to_owned() };
    let line = output(&envoy.display().to_string(), &["--version"]);
    let version = line.split("version: ").last().and_then(|rest| rest.split('/').nth(1));
    version.map_or_else(|| line.clone(), str::to_owned)
}

fn output(program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).current_dir(paths::repository()).output();
    ran.map_or_else(
        |_| format!("{program}: not found"),
        |ran| String::from_utf8_lossy(&ran.stdout).trim().to_owned(),
    )
}
