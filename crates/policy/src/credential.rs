//! A service's own credential: what is sent instead of a task token, where to, and where the secret is.

use std::{fmt, path::PathBuf, time::Duration};

/// What the requests of a host carry upstream. Holds where a secret is, never the secret. It stays at the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credential {
    /// Envoy clusters that it may reach. No other one does.
    pub clusters: Vec<String>,
    /// How the secret becomes a header field.
    pub inject: Inject,
    /// Where the secret is from.
    pub secret: SecretSource,
    /// How long a data plane may use what it was given before it asks again. So long at most is a secret in use that was
    /// replaced where it is kept.
    pub lease: Duration,
}

/// How a secret becomes a header field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inject {
    /// A field with the secret in it.
    Header {
        /// Its name, in lower case.
        name: String,
        /// What stands before the secret.
        before: String,
        /// What stands behind it.
        after: String,
    },
    /// HTTP basic authentication (RFC 7617), the secret being the password.
    Basic {
        /// The user, without a colon.
        username: String,
    },
}

impl Inject {
    /// The name of the header field, in lower case.
    #[must_use]
    pub fn header(&self) -> &str {
        match self {
            Self::Header { name, .. } => name,
            Self::Basic { .. } => "authorization",
        }
    }
}

/// Where a secret is from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretSource {
    /// It is kept on the server's machine.
    Stored(StoredSecret),
    /// A token endpoint gives it to a client (RFC 6749 section 4.4).
    ClientCredentials(ClientCredentials),
    /// A token endpoint gives it in exchange for another token (RFC 8693).
    TokenExchange(TokenExchange),
}

/// A secret on the server's machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoredSecret {
    /// A file, for its owner alone.
    File(PathBuf),
    /// An environment variable of the server.
    Environment(String),
}

impl fmt::Display for StoredSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "the file `{}`", path.display()),
            Self::Environment(name) => write!(formatter, "the environment variable `{name}`"),
        }
    }
}

/// A client of a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OauthClient {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: StoredSecret,
}

/// The client credentials grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientCredentials {
    /// An `https` URL, or `http` on a loopback address.
    pub token_url: String,
    /// Who asks.
    pub client: OauthClient,
    /// `scope`, as it is sent.
    pub scope: Option<String>,
    /// `audience`, as many token endpoints want it.
    pub audience: Option<String>,
}

/// The token exchange grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenExchange {
    /// As in [`ClientCredentials`].
    pub token_url: String,
    /// Who asks; `None`: the subject token is proof enough.
    pub client: Option<OauthClient>,
    /// What is exchanged, such as a workload's own token.
    pub subject_token: StoredSecret,
    /// What it is, a URI (RFC 8693 section 3).
    pub subject_token_type: String,
    /// As in [`ClientCredentials`].
    pub scope: Option<String>,
    /// Likewise.
    pub audience: Option<String>,
}

impl SecretSource {
    /// The secrets on this machine that it reads.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &StoredSecret> {
        let (one, other) = match self {
            Self::Stored(stored) => (Some(stored), None),
            Self::ClientCredentials(asking) => (Some(&asking.client.secret), None),
            Self::TokenExchange(asking) => {
                (Some(&asking.subject_token), asking.client.as_ref().map(|client| &client.secret))
            }
        };
        one.into_iter().chain(other)
    }
}
