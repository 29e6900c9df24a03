//! From a directory to texts.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    error::PolicyErrors,
    report::{Report, Reported},
    yaml::{self, MAX_FILE_BYTES, Position},
};

/// Policy files of one directory at most.
const MAX_FILES: usize = 256;

/// Reads every policy file of `dir`, by name.
///
/// # Errors
/// What cannot be read, is too large, too many, or not text.
pub(crate) fn read(dir: &Path) -> Result<Vec<(String, String)>, PolicyErrors> {
    let mut report = Report::default();
    let mut sources = Vec::new();
    if let Ok(paths) = list(dir, &mut report) {
        for path in paths {
            let name = path.display().to_string();
            if let Ok(text) = read_file(&path, &name, &mut report) {
                sources.push((name, text));
            }
        }
    }
    report.finish(sources)
}

fn list(dir: &Path, report: &mut Report) -> Result<Vec<PathBuf>, Reported> {
    let name = dir.display().to_string();
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| report.whole_file(&name, unreadable(&error)))?;
    let mut paths: Vec<PathBuf> =
        entries.iter().map(fs::DirEntry::path).filter(|path| is_policy(path, report)).collect();
    if paths.len() > MAX_FILES {
        return Err(report.whole_file(&name, format!("more than {MAX_FILES} policy files")));
    }
    if paths.is_empty() {
        return Err(report.whole_file(&name, "holds no policy file: none is named `*.yaml` or `*.yml`"));
    }
    // The order of a directory is the file system's; errors and snapshots must not depend on it.
    paths.sort();
    Ok(paths)
}

/// Whether `path` is a policy file. What looks like policy but is none of this version's is an error.
fn is_policy(path: &Path, report: &mut Report) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        report.whole_file(&path.display().to_string(), "the name is not UTF-8");
        return false;
    };
    // Hidden entries are editors' swap files and what Kubernetes keeps behind a ConfigMap's files: `..data` and
    // the directory it points to.
    if name.starts_with('.') {
        return false;
    }
    // Follows symbolic links, as the files of a ConfigMap are.
    if path.is_dir() {
        let reason = "a directory inside the policy directory is not read; policy files stand side by side";
        report.whole_file(&path.display().to_string(), reason);
        return false;
    }
    if name.ends_with(".rego") {
        report.whole_file(&path.display().to_string(), "Rego modules are not supported by this version");
        return false;
    }
    let is_cases = name.ends_with(".cases.yaml") || name.ends_with(".cases.yml");
    (name.ends_with(".yaml") || name.ends_with(".yml")) && !is_cases
}

fn read_file(path: &Path, name: &str, report: &mut Report) -> Result<String, Reported> {
    // Opening a pipe waits for a writer, and a device may never end.
    if !path.is_file() {
        return Err(report.whole_file(name, "is not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte over is enough to know that the file is too large.
    let limit = MAX_FILE_BYTES as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| report.whole_file(name, unreadable(&error)))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(report.whole_file(name, yaml::too_large()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        report.record(name, end_of(&String::from_utf8_lossy(valid)), "", "not UTF-8")
    })
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

/// The place after `text`.
fn end_of(text: &str) -> Position {
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    Position {
        line: narrow(text.matches('\n').count().saturating_add(1)),
        column: narrow(last_line.chars().count().saturating_add(1)),
    }
}
