//! The service's own credential for a request that was granted.

use std::sync::Arc;

use verdict::{DenialCode, Injection, denial::Refusal};

use crate::{
    credentials::{Credentials, Keeper, Kept},
    identity::DataPlane,
    state::State,
};

/// What becomes of a request that needs a credential.
pub(super) enum Injected {
    /// It is here.
    Now(Kept),
    /// It has to be asked for; afterwards the request is judged again.
    Later(Arc<Keeper>),
}

/// The credential, if `plane` is trusted with it and the route leads to a cluster that it is for.
///
/// # Errors
/// It is not, it does not, or nobody says where the route leads.
pub(super) fn inject(
    injection: &Injection,
    plane: &DataPlane,
    cluster: Option<&[u8]>,
    state: &State,
    credentials: &Credentials,
) -> Result<Injected, Refusal> {
    if !plane.trusted_egress {
        return Err(Refusal::new(DenialCode::ServerUnavailable, "the data plane is not `trusted_egress`"));
    }
    let Some(cluster) = cluster else {
        let detail = "the route does not say where it leads: `context_extensions` has no `writ_cluster`";
        return Err(Refusal::new(DenialCode::ServerUnavailable, detail));
    };
    if !injection.may_reach(cluster) {
        return Err(injection.misrouted());
    }
    let keeper = credentials.find(state.policy(), injection.name());
    let keeper = keeper.ok_or(Refusal::new(DenialCode::ServerUnavailable, "no such credential"))?;
    Ok(match keeper.now() {
        Some(kept) => Injected::Now(kept),
        None => Injected::Later(keeper),
    })
}

/// It was asked for, and is not here.
pub(super) const fn unavailable() -> Refusal {
    Refusal::new(DenialCode::ServerUnavailable, "the credential cannot be had now: the server's log says why")
}
