//! `writ completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::{Done, exit::Failure, output};

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Done {
    let mut script = Vec::new();
    generate(args.shell, &mut super::args::Args::command(), "writ", &mut script);
    output::result(String::from_utf8_lossy(&script).trim_end()).map_err(|error| Failure::failed(&error))
}
