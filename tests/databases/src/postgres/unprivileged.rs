//! Who runs the server where root runs the tests: PostgreSQL refuses to be root's.

use std::{fs, io, os::unix::fs::chown, path::Path, process::Command};

use rustix::process::geteuid;

use super::PostgresError;

/// Debian's package makes the first; the second is everywhere.
const NAMES: [&str; 2] = ["postgres", "nobody"];

#[derive(Debug)]
pub(super) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// `None` if whoever runs the tests may run the server.
    pub(super) fn choose() -> Result<Option<Self>, PostgresError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let account = NAMES.iter().find_map(|name| find(&accounts, name));
        account.map(Some).ok_or(PostgresError::NoAccount)
    }

    pub(super) fn own(&self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.user), Some(self.group))
    }

    /// `setpriv` becomes the program: its process id is the server's.
    pub(super) fn run(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={}", self.user)).arg(format!("--regid={}", self.group));
        command.arg("--clear-groups").arg(program);
        command
    }
}

/// Reads an account in the form of passwd(5).
fn find(accounts: &str, name: &str) -> Option<Account> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2).map(|field| field.parse().ok());
    Some(Account { user: fields.next()??, group: fields.next()?? })
}
