//! What a client asks for, whichever way it asked.

use verdict::{grant::Grant, token::claims::Confirmation};

/// A request for one token of one new task.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// What the token shall allow.
    pub grants: Vec<Grant>,
    /// For whom; the client itself where nobody is named.
    pub subject: Option<String>,
    /// Who shall present it; the subject where nobody is named.
    pub agent: Option<String>,
    /// Lifetime in seconds; the server's default where none is given.
    pub expires_in: Option<u64>,
    /// The audience; may be left out where the policy has only one.
    pub audience: Option<String>,
    /// What the presenter shall prove.
    pub cnf: Option<Confirmation>,
}
