//! A look at the policy directory, and what follows from it.

use std::{path::PathBuf, thread, time::Duration};

use policy::{Compiled, Edit, PolicyErrors, Sources};

use super::{Opening, Publisher, Rejection, last_good::LastGood, opening::next_generation};
use crate::{
    server::ServerError,
    state::{Current, State},
    telemetry::metrics,
};

/// A change counts once the directory reads the same twice, this far apart: an editor or a copy may be half way.
const QUIET: Duration = Duration::from_millis(100);
/// Reads of a directory that changes all the time, before it is taken as it is.
const RESTLESS: usize = 20;

/// Publishes what changes in the policy directory. The only one to do so.
pub struct Reloader {
    directory: PathBuf,
    publisher: Publisher,
    current: Current,
    good: LastGood,
    /// What the last look found, so that each edit is tried and logged once.
    seen: Result<Sources, PolicyErrors>,
}

impl Reloader {
    /// Publishes what the server starts with, and goes on from there. `None` in place of the reloader where there
    /// is no `directory` that could change.
    ///
    /// # Errors
    /// See [`Publisher::state`].
    pub fn start(
        directory: Option<PathBuf>,
        mut publisher: Publisher,
        opening: Opening,
    ) -> Result<(Current, Option<Self>), ServerError> {
        let Opening { compiled: Compiled { policy, sources }, generation, rejection, seen } = opening;
        let state = publisher.state(policy, generation, None)?;
        let current = Current::new(state.with_rejection(rejection));
        let Some(directory) = directory else {
            return Ok((current, None));
        };
        let reloader = Self {
            directory,
            publisher,
            current: current.clone(),
            good: LastGood { generation, sources },
            seen,
        };
        reloader.persist();
        Ok((current, Some(reloader)))
    }

    /// Where policy is read from.
    pub(super) fn directory(&self) -> &PathBuf {
        &self.directory
    }

    /// Looks at the directory, and publishes what changed since the last look.
    pub(super) fn look(&mut self, is_stopped: impl Fn() -> bool) {
        let mut found = Sources::read(&self.directory);
        if found == self.seen {
            return;
        }
        for _ in 0..RESTLESS {
            thread::sleep(QUIET);
            if is_stopped() {
                return;
            }
            let again = Sources::read(&self.directory);
            if again == found {
                break;
            }
            found = again;
        }
        if found != self.seen {
            self.apply(&found);
            self.seen = found;
        }
    }

    fn apply(&mut self, found: &Result<Sources, PolicyErrors>) {
        let namespaces = &self.publisher.config.namespaces;
        let edit = match found {
            Ok(sources) => Edit::compile(sources.clone(), &self.good.sources, namespaces),
            Err(errors) => Edit::Bad(errors.clone()),
        };
        let done = match edit {
            Edit::Good(compiled) => self.publish(compiled, None).map_err(|error| Rejection::new(&error)),
            Edit::Partly(compiled, errors) => {
                let rejection = Rejection::new(&errors);
                match self.publish(compiled, Some(rejection.clone())) {
                    Ok(()) => Err(rejection),
                    Err(error) => Err(Rejection::new(&error)),
                }
            }
            Edit::Bad(errors) => Err(Rejection::new(&errors)),
        };
        if let Err(rejection) = done {
            self.reject(rejection);
        }
    }

    /// One swap, counted before it shows. Requests that began earlier end with the state they began with.
    fn publish(&mut self, compiled: Compiled, rejection: Option<Rejection>) -> Result<(), ServerError> {
        let Compiled { policy, sources } = compiled;
        let current = self.current.load();
        if sources == self.good.sources {
            // A bad edit was taken back: what counts did not change.
            metrics::policy_accepted();
            self.current.store(current.with_rejection(rejection));
            return Ok(());
        }
        let generation = next_generation(self.good.generation);
        let state = self.publisher.state(policy, generation, Some(&current))?;
        if rejection.is_none() {
            metrics::policy_accepted();
        }
        let (hosts, clients) = (state.policy().hosts().len(), state.policy().clients().len());
        self.current.store(state.with_rejection(rejection));
        self.good = LastGood { generation, sources };
        tracing::info!(generation, hosts, clients, "policy published");
        self.persist();
        Ok(())
    }

    /// The policy that counts goes on.
    fn reject(&self, rejection: Rejection) {
        rejection.log();
        metrics::policy_rejected();
        let current: &State = &self.current.load();
        let generation = current.snapshot().version().generation;
        tracing::error!(generation, "the last good policy goes on in place of what is wrong");
        self.current.store(current.with_rejection(Some(rejection)));
    }

    /// Only a start with a bad directory needs it: that it cannot be written must not hold up an edit.
    fn persist(&self) {
        if let Err(error) = self.good.write(&self.publisher.config.data_dir) {
            tracing::error!(%error, "the policy cannot be kept as the last good one");
        }
    }
}
