//! The policy at the start: the directory's if it is new, and what the store says otherwise.

use policy::{Policy, PolicyErrors};
use store::Head;

use super::{
    Publisher, StoreFault,
    decision::{Decision, Occasion, decide},
    found::{Found, place},
    publisher::Published,
    shared::Latest,
};
use crate::{
    clock::Moment,
    config::{Config, PolicySource},
    server::ServerError,
    state::State,
};

/// Attempts to publish before other replicas are left to it.
pub(super) const ATTEMPTS: usize = 8;

/// How the server is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Publish the directory's policy also if the store knows it as an older one.
    pub republish_policy: bool,
}

/// What the server starts with.
pub struct Opening {
    pub(super) publisher: Publisher,
    pub(super) state: State,
    pub(super) head: Head,
    pub(super) latest: Latest,
    pub(super) found: Found,
    pub(super) held: Option<u64>,
    pub(super) as_of: Moment,
}

/// Compiles the configured policy before anything is made, where no store could help a bad one.
///
/// # Errors
/// Every fault of every file.
pub fn check_first_policy(config: &Config) -> Result<(), PolicyErrors> {
    let is_first = config.store.path().is_some_and(|path| !path.exists());
    if is_first {
        Policy::compile(&Found::first(config).sources?, &config.namespaces)?;
    }
    Ok(())
}

/// Reads the configured policy and the store, and publishes the policy if it is new.
///
/// # Errors
/// Every fault of every file, where the store holds no policy; a store that cannot be read or that holds what this
/// server cannot serve; see also [`Publisher`].
pub async fn open_policy(mut publisher: Publisher, start: Start) -> Result<Opening, ServerError> {
    let config = std::sync::Arc::clone(&publisher.config);
    let mut found = Found::first(&config);
    let occasion = if start.republish_policy { Occasion::Republish } else { Occasion::Start };
    for _ in 0..ATTEMPTS {
        let as_of = Moment::now();
        let contents = publisher.store.contents().await.map_err(StoreFault::from)?;
        let latest = contents.policy.map(|policy| Latest::read(policy, &place(&config))).transpose()?;
        if occasion == Occasion::Start && is_other_example(&config, &found, latest.as_ref()) {
            // A mount that failed, or another working directory, sooner than a wish for the example.
            found = Found::look(&place(&config));
        }
        let known = match &found.digest {
            Some(digest) => publisher.store.known(digest).await.map_err(StoreFault::from)?,
            None => None,
        };
        let head = contents.head;
        let opened = match (decide(&found, known, latest.as_ref(), occasion, &config.namespaces)?, latest) {
            (Decision::Publish { compiled, rejection }, _) => {
                let digest = found.digest.as_deref().unwrap_or_default();
                let published = publisher.publish(compiled, digest, head, None).await?;
                published.map(|Published { state, latest }| {
                    let head = Head { latest: latest.number, ..head };
                    (state, head, Some(latest.number), latest, rejection)
                })
            }
            (Decision::Latest { rejection, held }, Some(latest)) => {
                let policy = Policy::compile(&latest.sources, &config.namespaces);
                let policy = policy.map_err(|errors| {
                    rejection.iter().for_each(super::Rejection::log);
                    ServerError::Unfit { generation: latest.number, errors }
                })?;
                let state = publisher.state(policy, head, latest.published_at, None).await?;
                Some((state, head, held, latest, rejection))
            }
            // Only a policy that is there is decided for.
            (Decision::Latest { .. }, None) => None,
        };
        if let Some((state, head, held, latest, rejection)) = opened {
            if let Some(rejection) = &rejection {
                rejection.log();
                tracing::error!("started with the last good policy in place of what is wrong");
            }
            if config.policy == PolicySource::Example && found.sources.is_ok() {
                tracing::warn!(
                    "no `policies` directory here: the example built into the program is the policy"
                );
            }
            let state = state.with_rejection(rejection);
            return Ok(Opening { publisher, state, head, latest, found, held, as_of });
        }
    }
    Err(ServerError::Outpaced)
}

/// Whether the example stands for a directory that is not there, although the store has had another policy.
fn is_other_example(config: &Config, found: &Found, latest: Option<&Latest>) -> bool {
    config.policy == PolicySource::Example
        && latest.is_some_and(|latest| found.digest.as_ref() != Some(&latest.digest))
}
