//! The policy at the start: the directory's, or the last good one.

use policy::{Compiled, Edit, PolicyErrors, Sources};

use super::{Rejection, last_good::LastGood};
use crate::{
    clock,
    config::{Config, PolicySource},
};

/// What the server starts with.
#[derive(Debug)]
pub struct Opening {
    /// The policy that takes effect.
    pub compiled: Compiled,
    /// Higher than every generation published from this data directory before.
    pub generation: u64,
    /// What is wrong with the directory, if the policy is not all of what it holds.
    pub rejection: Option<Rejection>,
    /// What the directory holds.
    pub(super) seen: Result<Sources, PolicyErrors>,
}

/// Reads the configured policy, and the last good one for what is wrong in it. Changes nothing.
///
/// # Errors
/// Every fault of every file, where there is no last good policy to go on with.
pub fn open_policy(config: &Config) -> Result<Opening, PolicyErrors> {
    let last_good = LastGood::read(&config.data_dir).unwrap_or_else(|error| {
        tracing::warn!(%error, "the last good policy cannot be used");
        None
    });
    let generation = next_generation(last_good.as_ref().map_or(0, |good| good.generation));
    let (seen, good) = match &config.policy {
        PolicySource::Directory(directory) => {
            (Sources::read(directory), last_good.map(|good| good.sources).unwrap_or_default())
        }
        // Whoever names no directory any more means none, and not the one of before.
        PolicySource::Example => {
            tracing::warn!("no `policies` directory here: the example built into the program is the policy");
            (Ok(Sources::example()), Sources::default())
        }
    };
    let edit = match &seen {
        Ok(sources) => Edit::compile(sources.clone(), &good, &config.namespaces),
        Err(errors) => Edit::Bad(errors.clone()),
    };
    let (compiled, errors) = match edit {
        Edit::Good(compiled) => (compiled, None),
        Edit::Partly(compiled, errors) => (compiled, Some(errors)),
        Edit::Bad(errors) if good.is_empty() => return Err(errors),
        // The configuration may have changed since: what was good then need not be now.
        Edit::Bad(errors) => match Edit::compile(good, &Sources::default(), &config.namespaces) {
            Edit::Good(compiled) => (compiled, Some(errors)),
            Edit::Partly(..) | Edit::Bad(_) => {
                tracing::warn!("the last good policy does not fit the configuration any more");
                return Err(errors);
            }
        },
    };
    let rejection = errors.map(|errors| Rejection::new(&errors));
    if let Some(rejection) = &rejection {
        rejection.log();
        tracing::error!("started with the last good policy in place of what is wrong");
    }
    Ok(Opening { compiled, generation, rejection, seen })
}

/// The clock goes on across restarts and data directories, which is what counts: a filter refuses a generation lower
/// than one it has seen. Two generations of one second differ all the same.
pub(super) fn next_generation(previous: u64) -> u64 {
    clock::now().0.max(previous.saturating_add(1))
}
