//! What each namespace may claim, as the operator's `writ.yaml` says.
//!
//! A namespace is a team. Its files may route only its own hosts, speak only of its own actions, define only
//! its own clients and send only its own secrets: otherwise one team's file could open another team's service.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pattern::{HostPattern, NamePattern};

/// The `namespaces` member of `writ.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, Claims>")]
pub struct Namespaces {
    /// `None`: there is no such member, and every namespace may claim anything.
    claims: Option<BTreeMap<String, Claims>>,
}

/// What one namespace may claim. Nothing, where a list is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Hosts its routes may be for.
    #[serde(default)]
    pub hosts: Vec<HostPattern>,
    /// Actions its rules may yield and its clients may request, such as `s3:*`.
    #[serde(default)]
    pub actions: Vec<NamePattern>,
    /// Clients it may define.
    #[serde(default)]
    pub clients: Vec<NamePattern>,
    /// Secrets its credentials may be made of: paths such as `/etc/writ/secrets/logs/*`, and `env:` with names of
    /// variables. What a team names here it can have sent to an upstream of its own.
    #[serde(default)]
    pub secrets: Vec<NamePattern>,
}

impl Namespaces {
    /// Every namespace may claim anything: for a server without `writ.yaml`, where one operator writes all files.
    #[must_use]
    pub fn open() -> Self {
        Self { claims: None }
    }

    /// Only these namespaces exist, and each may claim what is said here.
    #[must_use]
    pub fn closed(claims: BTreeMap<String, Claims>) -> Self {
        Self { claims: Some(claims) }
    }

    /// What `namespace` may claim; `None` if there is no such namespace.
    pub(crate) fn claims_of(&self, namespace: &str) -> Option<Scope<'_>> {
        match &self.claims {
            None => Some(Scope::Everything),
            Some(claims) => claims.get(namespace).map(Scope::Only),
        }
    }
}

impl From<BTreeMap<String, Claims>> for Namespaces {
    fn from(claims: BTreeMap<String, Claims>) -> Self {
        Self::closed(claims)
    }
}

/// The claims of one namespace, to hold a file against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'c> {
    Everything,
    Only(&'c Claims),
}

impl Scope<'_> {
    pub(crate) fn has_host(self, host: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(claims) => claims.hosts.iter().any(|pattern| pattern.matches(host)),
        }
    }

    pub(crate) fn has_client(self, client: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(claims) => claims.clients.iter().any(|pattern| pattern.matches(client)),
        }
    }

    /// `secret`: an absolute path, or a variable after `env:`.
    pub(crate) fn has_secret(self, secret: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(claims) => claims.secrets.iter().any(|pattern| pattern.matches(secret)),
        }
    }

    /// Whether every action that `action` can become is claimed. `action` is a literal, a pattern with a final `*`,
    /// or a template: what a placeholder will hold is the caller's choice, so only the text before it counts.
    pub(crate) fn has_action(self, action: &str) -> bool {
        let Self::Only(claims) = self else { return true };
        let open_at = action.find(['{', '*']);
        claims.actions.iter().any(|pattern| match open_at.and_then(|index| action.get(..index)) {
            Some(stem) => pattern.covers_prefix(stem),
            None => pattern.matches(action),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_claimed_by_what_is_fixed_in_it() {
        let claims = Claims {
            actions: vec!["rds:*".parse().unwrap(), "s3:GetObject".parse().unwrap()],
            ..Claims::default()
        };
        let scope = Scope::Only(&claims);
        assert!(scope.has_action("rds:{query.Action}") && scope.has_action("rds:Describe*"));
        assert!(scope.has_action("s3:GetObject"));
        for outside in ["{query.Action}", "s3:{query.Action}", "s3:Get*", "s3:GetObject*", "rds", "r*"] {
            assert!(!scope.has_action(outside), "{outside}");
        }
    }
}
