//! Clients: who may start tasks, and the proof that a request is theirs.

mod authenticate;
mod credentials;
mod earlier;
mod generated;
mod password;

pub(crate) use authenticate::ClientProof;
pub use authenticate::{AuthenticatedClient, AuthenticationError, Clients};
pub use credentials::{ClientCredentials, CredentialsError};
pub use earlier::{EarlierError, move_earlier_secrets};
pub use generated::{GeneratedError, GeneratedSecrets, NewSecret};
