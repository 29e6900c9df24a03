//! What the presenter of a token has to prove (RFC 7800).

use verdict::{peer::is_spiffe_id, token::claims::Confirmation};

use super::IssueError;

/// A `cnf` that nothing could satisfy, or that nothing here checks, must not be signed.
pub(super) fn check(cnf: Option<&Confirmation>) -> Result<(), IssueError> {
    match cnf {
        None => Ok(()),
        Some(Confirmation { jkt: Some(_), .. }) => {
            Err(IssueError::Binding("`jkt` (DPoP) is not supported by this version"))
        }
        Some(Confirmation { x5t_s256: None, spiffe: None, jkt: None }) => {
            Err(IssueError::Binding("names nothing to prove: give `spiffe` or `x5t#S256`"))
        }
        Some(Confirmation { x5t_s256, spiffe, jkt: None }) => {
            if x5t_s256.as_ref().is_some_and(|thumbprint| !is_thumbprint(thumbprint)) {
                return Err(IssueError::Binding("`x5t#S256` is not the base64url SHA-256 of a certificate"));
            }
            if spiffe.as_ref().is_some_and(|id| !is_spiffe_id(id)) {
                return Err(IssueError::Binding("`spiffe` is not a SPIFFE ID"));
            }
            Ok(())
        }
    }
}

/// What was bound stays bound: to whom it was, where nobody else is named.
pub(crate) fn narrowed(asked: Option<Confirmation>, parent: Option<&Confirmation>) -> Option<Confirmation> {
    asked.or_else(|| parent.cloned())
}

/// 32 bytes in base64url (RFC 8705 section 3.1).
fn is_thumbprint(text: &str) -> bool {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}
