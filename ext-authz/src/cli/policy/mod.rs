//! `writ policy`: policy tried out before it counts, and what became of it.

mod args;
mod check;
mod diff;
mod explain;
mod lint;
mod opens;
mod opens_shown;
mod status;
mod test;

use policy::Policy;

pub(super) use self::args::PolicyCommand;
use super::{Done, exit::Failure, places::PolicyPlaces};
use crate::{
    config::{Config, resolve},
    publish::load_policy,
};

pub(super) fn run(command: &PolicyCommand) -> Done {
    match command {
        PolicyCommand::Check(args) => check::run(args).map_err(|failure| failure.shown_as(args.json)),
        PolicyCommand::Diff(args) => diff::run(args).map_err(|failure| failure.shown_as(args.json)),
        PolicyCommand::Explain(args) => explain::run(args).map_err(|failure| failure.shown_as(args.json)),
        PolicyCommand::Lint(args) => lint::run(args).map_err(|failure| failure.shown_as(args.json)),
        PolicyCommand::Status(args) => status::run(args).map_err(|failure| failure.shown_as(args.json)),
        PolicyCommand::Test(args) => test::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}

/// The configured policy, without faults.
fn load(places: &PolicyPlaces) -> Result<(Config, Policy), Failure> {
    let config = resolve(places.overrides())?;
    let policy = load_policy(&config).map_err(|errors| Failure::bad_configuration(&errors))?;
    Ok((config, policy))
}
