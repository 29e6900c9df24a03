//! The `writ` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ext_authz::cli::run()
}
