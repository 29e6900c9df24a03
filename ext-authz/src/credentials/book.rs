//! The credentials of the policy.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use policy::Policy;

use super::Keeper;

/// A keeper for each credential that was asked for. One outlives an edit of the policy that leaves it as it was.
#[derive(Clone, Debug, Default)]
pub struct Credentials(Arc<Mutex<BTreeMap<String, Arc<Keeper>>>>);

impl Credentials {
    /// The keeper of the credential that `policy` knows by its full name; `None` if it has none.
    #[must_use]
    pub fn find(&self, policy: &Policy, name: &str) -> Option<Arc<Keeper>> {
        let credential = policy.credentials().get(name)?;
        let mut keepers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keeper) = keepers.get(name).filter(|keeper| keeper.is_of(credential)) {
            return Some(Arc::clone(keeper));
        }
        // What the policy has no more is forgotten with its secret.
        keepers.retain(|name, keeper| {
            policy.credentials().get(name).is_some_and(|credential| keeper.is_of(credential))
        });
        let keeper = Keeper::new(name, credential);
        keepers.insert(name.to_owned(), Arc::clone(&keeper));
        Some(keeper)
    }
}
