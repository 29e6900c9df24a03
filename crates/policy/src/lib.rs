#![doc = include_str!("lib.md")]

mod authenticate;
mod compile;
mod credential;
pub mod diff;
pub mod duration;
mod edit;
mod error;
mod example;
mod instant;
pub mod lint;
mod load;
mod namespaces;
mod pattern;
mod places;
mod policy;
mod report;
mod schema;
pub mod scope;
mod sources;
mod yaml;

pub use authenticate::Authenticate;
pub use credential::{
    ClientCredentials, Credential, Inject, OauthClient, SecretSource, StoredSecret, TokenExchange,
};
pub use edit::{Compiled, Edit};
pub use error::{PolicyError, PolicyErrors};
pub use example::EXAMPLE;
pub use namespaces::{Claims, Namespaces};
pub use pattern::{AgentPattern, HostPattern, NamePattern, PatternError};
pub use places::Place;
pub use policy::{Ceiling, Client, Delegation, Exemption, Policy};
pub use sources::Sources;
