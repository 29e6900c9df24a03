//! The audit log that was written meanwhile.

use std::{path::Path, process::Command};

use harness::{
    Result,
    error::{IoContext, unexpected},
    paths,
};
use serde_json::Value;

/// How many events the log has, once all of it is verified.
///
/// # Errors
/// It is not as it was written, or cannot be read.
pub(super) fn verified(data: &Path) -> Result<u64> {
    let mut command = Command::new(paths::writ()?);
    command.args(["audit", "verify", "--json", "--data-dir"]).arg(data);
    let ran = command.output().context(|| "run writ audit verify".to_owned())?;
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    match (&report["verified"], report["events"].as_u64()) {
        (Value::Bool(true), Some(events)) => Ok(events),
        _ => Err(unexpected(format!("the audit log: {report} {}", String::from_utf8_lossy(&ran.stderr)))),
    }
}
