//! Revoking a signing key is withdrawing it: another one signs from then on.

use store::{Level, Revocation, RevocationFilter};

use crate::{
    clock,
    keys::{ChangeError, KeyControl},
    server::Api,
    tasks::TaskError,
    web::Problem,
};

/// Withdraws a key of this store, and tells its revocation and whether it is new. `None`: nobody knows such a key, and there
/// is nothing to withdraw.
pub(super) async fn withdraw(
    api: &Api,
    by: &str,
    kid: &str,
    reason: Option<&str>,
) -> Result<Option<(Revocation, bool)>, Problem> {
    let withdrawn = match KeyControl::of(api).withdraw(kid, by, reason).await {
        Err(ChangeError::Unknown(_)) => return Ok(None),
        withdrawn => withdrawn?,
    };
    if let Some(revocation) = withdrawn.revocation {
        return Ok(Some((revocation, withdrawn.is_new)));
    }
    let filter = RevocationFilter {
        level: Some(Level::Key),
        name: Some(kid.to_owned()),
        stands: Some(true),
        after: 0,
        limit: 1,
        now: clock::now().0,
    };
    let revocation = api.reads.revocations(&filter).await.map_err(TaskError::from)?.pop();
    let revocation = revocation.ok_or(TaskError::Internal)?;
    Ok(Some((revocation, withdrawn.is_new)))
}
