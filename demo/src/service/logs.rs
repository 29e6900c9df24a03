//! The log files of the store, which a file server serves as they are.

use std::{fs, path::Path};

use harness::{Result, error::IoContext};

/// Two buckets; `my-bucket` has May and June.
const FILES: [(&str, &str, u32); 5] = [
    ("my-bucket/logs/2026-05/app.log", "2026-05-03", 40),
    ("my-bucket/logs/2026-05/worker.log", "2026-05-17", 25),
    ("my-bucket/logs/2026-06/app.log", "2026-06-01", 30),
    ("my-bucket/secrets/keys.log", "2026-05-09", 3),
    ("other-bucket/logs/2026-05/app.log", "2026-05-22", 12),
];

/// Writes them below `root`.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write(root: &Path) -> Result<()> {
    for (name, day, lines) in FILES {
        let file = root.join(name);
        let directory = file.parent().unwrap_or(root);
        fs::create_dir_all(directory).context(|| format!("make `{}`", directory.display()))?;
        fs::write(&file, content(day, lines)).context(|| format!("write `{}`", file.display()))?;
    }
    Ok(())
}

fn content(day: &str, lines: u32) -> String {
    (0..lines)
        .map(|line| {
            let (hour, minute) = (line * 7 % 24, line * 13 % 60);
            let (path, status) = [("/cart", 200), ("/checkout", 201), ("/login", 401), ("/health", 200)][line as usize % 4];
            format!("{day}T{hour:02}:{minute:02}:00Z level=info method=GET path={path} status={status} duration_ms={}\n", line * 3 % 41 + 1)
        })
        .collect()
}
