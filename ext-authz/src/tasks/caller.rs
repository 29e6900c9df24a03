//! Who is calling.

use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};

use crate::{
    clients::{AuthenticatedClient, ClientCredentials, CredentialsError},
    identity::bearer,
    operators::{Operator, Operators},
    server::Api,
    web::Problem,
};

/// A client that proved who it is. A handler that takes this is for clients alone.
pub(super) struct Client(pub(super) AuthenticatedClient);

/// Somebody who may read tasks.
pub(super) enum Reader {
    /// Its own.
    Client(AuthenticatedClient),
    /// All.
    Operator,
}

impl Reader {
    /// Whose tasks it may see; `None`: everyone's.
    pub(super) fn scope(&self) -> Option<&str> {
        match self {
            Self::Client(client) => Some(client.name()),
            Self::Operator => None,
        }
    }
}

impl FromRequestParts<Api> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        authenticate(&parts.headers, api).await.map(Self)
    }
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let is_local = matches!(parts.extensions.get(), Some(Operators::Socket));
        // What is sent decides what is checked, and that must hold: nothing falls through to the other.
        if is_local || bearer::secret(&parts.headers).is_some() {
            Operator::of(parts).map(|_| Self::Operator)
        } else {
            authenticate(&parts.headers, api).await.map(Self::Client)
        }
    }
}

async fn authenticate(headers: &HeaderMap, api: &Api) -> Result<AuthenticatedClient, Problem> {
    let credentials = ClientCredentials::from_basic(headers)
        .and_then(|found| found.ok_or(CredentialsError::Missing))
        .map_err(|error| Problem::unauthenticated(error.to_string()))?;
    let state = api.current.load();
    Ok(state.clients().authenticate(&credentials).await?)
}
