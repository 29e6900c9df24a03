//! What a snapshot alone says of a token.

use super::VerifiedToken;
use crate::{
    Snapshot, UnixTime,
    denial::{DenialCode, Refusal},
};

impl VerifiedToken {
    /// Checks what needs no request: the age of a static snapshot, the key's presence, an audience if one is given,
    /// time, and revocation. A verdict checks the sender and the request besides.
    ///
    /// # Errors
    /// `stale_snapshot`, `unknown_key`, `wrong_audience`, `not_yet_valid`, `expired` or `revoked`, in this order.
    pub fn check_standing(
        &self,
        snapshot: &Snapshot,
        audience: Option<&str>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        if snapshot.not_after().is_some_and(|end| now >= end) {
            return Err(Refusal::new(DenialCode::StaleSnapshot, "the snapshot's `not_after` has passed"));
        }
        self.check_current(snapshot, audience, now)?;
        self.check_revocation(snapshot.hash_key(), snapshot.revocations(), snapshot.min_iat())
    }
}
