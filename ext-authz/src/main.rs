//! The `writ` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A token takes some two dozen allocations, most of them freed on another thread than they were made on.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ext_authz::cli::run()
}
