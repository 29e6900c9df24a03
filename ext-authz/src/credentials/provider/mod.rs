//! Where secrets are from.

mod endpoint;
mod exchange;
mod stored;

use std::{future::Future, pin::Pin, time::Duration};

use policy::SecretSource;
use thiserror::Error;

use self::{endpoint::EndpointError, exchange::Exchange, stored::Stored};
use super::{Secret, rendered::Unsendable};
use crate::files::FileError;

/// A place that gives a secret whenever it is asked.
pub(super) trait Provider: Send + Sync {
    /// Asks once. Whoever calls bounds the time.
    fn ask(&self) -> Pin<Box<dyn Future<Output = Result<Provided, ProviderError>> + Send + '_>>;
}

/// A secret, and how long it is good for.
pub(super) struct Provided {
    pub(super) secret: Secret,
    /// From when it was asked for; `None`: until it is replaced.
    pub(super) lifetime: Option<Duration>,
}

/// Why there is no secret. Names the place and holds nothing of what was found there.
#[derive(Debug, Error)]
pub enum ProviderError {
    /// The file.
    #[error(transparent)]
    File(FileError),
    /// The variable.
    #[error("the environment variable `{0}` is not set")]
    Unset(String),
    /// Nothing is there.
    #[error("{0} is empty")]
    Empty(String),
    /// Too much is there.
    #[error("{place} holds more than {limit} bytes")]
    TooLong {
        /// Where.
        place: String,
        /// The most.
        limit: usize,
    },
    /// It is no header value.
    #[error("the secret of {place} {reason}")]
    Unsendable {
        /// Where.
        place: String,
        /// Why.
        reason: Unsendable,
    },
    /// The token endpoint.
    #[error("the token endpoint `{url}` {error}")]
    Endpoint {
        /// Without its query.
        url: String,
        /// What it did.
        error: EndpointError,
    },
    /// It took too long.
    #[error("{place} did not answer within {} s", limit.as_secs())]
    Slow {
        /// Where.
        place: String,
        /// How long it had.
        limit: Duration,
    },
}

/// The provider for what the policy says.
pub(super) fn provider(source: &SecretSource) -> Box<dyn Provider> {
    match source {
        SecretSource::Stored(place) => Box::new(Stored(place.clone())),
        SecretSource::ClientCredentials(asking) => Box::new(Exchange::from(asking)),
        SecretSource::TokenExchange(asking) => Box::new(Exchange::from(asking)),
    }
}

/// The place, for people.
pub(super) fn place(source: &SecretSource) -> String {
    match source {
        SecretSource::Stored(place) => place.to_string(),
        SecretSource::ClientCredentials(policy::ClientCredentials { token_url, .. })
        | SecretSource::TokenExchange(policy::TokenExchange { token_url, .. }) => {
            format!("the token endpoint `{}`", without_query(token_url))
        }
    }
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}
