//! Which operator is calling.

use std::sync::Arc;

use http::HeaderMap;
use thiserror::Error;

use crate::{config, identity::bearer};

/// What whoever opens the operators' Unix socket is called.
pub const LOCAL: &str = "local";

/// How callers of a listener prove to be operators.
#[derive(Clone, Debug)]
pub enum Operators {
    /// Whoever reached the listener: a Unix socket that only its owner may open. All are one operator.
    Socket,
    /// By bearer secret, one of these.
    Listed(Arc<[config::Operator]>),
}

/// A caller that is no operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "this is for operators: send `authorization: Bearer` with a secret of `operators`, or use the operators' socket"
)]
pub struct NotAnOperator;

impl Operators {
    /// Those of the configuration.
    #[must_use]
    pub fn listed(operators: &[config::Operator]) -> Self {
        Self::Listed(operators.into())
    }

    /// The name of the operator that sent a request with these header fields.
    ///
    /// # Errors
    /// It is none. What is wrong is not told.
    pub fn prove(&self, headers: &HeaderMap) -> Result<Arc<str>, NotAnOperator> {
        match self {
            Self::Socket => Ok(LOCAL.into()),
            Self::Listed(listed) => {
                let hash = bearer::hash(bearer::secret(headers).ok_or(NotAnOperator)?);
                let mut found = None;
                // With every hash, in a time that does not depend on which one fits.
                for operator in listed.iter() {
                    if bearer::fits(&operator.secret_sha256, &hash) {
                        found = Some(operator);
                    }
                }
                found.map(|operator| operator.name.as_str().into()).ok_or(NotAnOperator)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    fn prove(values: &[&str]) -> Option<String> {
        let operator = |name: &str, secret: &str| config::Operator {
            name: name.into(),
            secret_sha256: bearer::hash(secret.as_bytes()),
        };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        let operators = Operators::listed(&[operator("ada", "one"), operator("bob", "two")]);
        operators.prove(&headers).ok().map(|name| name.to_string())
    }

    #[test]
    fn a_secret_names_its_operator_and_anything_else_nobody() {
        assert_eq!(prove(&["Bearer one"]).as_deref(), Some("ada"));
        assert_eq!(prove(&["bearer two"]).as_deref(), Some("bob"));
        for values in [&[][..], &["one"], &["Bearer "], &["Bearer three"], &["Basic one"], &["Bearer one"; 2]]
        {
            assert_eq!(prove(values), None, "{values:?}");
        }
    }
}
