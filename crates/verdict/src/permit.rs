//! Permits: the proof that a request may pass, and what happens to its header fields.

use alloc::{string::String, vec::Vec};

use crate::{
    Denial,
    request::{credential, fields::Fields},
};

/// Header that names the task to the upstream.
pub const TASK_HEADER: &str = "x-writ-task";
/// Header that names the holder to the upstream.
pub const AGENT_HEADER: &str = "x-writ-agent";
/// Header that names the client to the upstream.
pub const CLIENT_HEADER: &str = "x-writ-client";

/// The verdict yes. Only [`decide()`](crate::decide()) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    reason: Reason,
    edits: HeaderEdits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Granted(GrantedRequest),
    Exempt,
    Shadowed(Denial),
}

/// Why a request passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitKind {
    /// A grant covers it.
    Granted,
    /// Its rule needs no token.
    Exempt,
    /// It is denied, on a host that only records denials so far.
    Shadowed,
}

/// What was granted, for records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedRequest {
    /// The task.
    pub task: String,
    /// The holder.
    pub agent: String,
    /// Whoever requested the token.
    pub client: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The token's id.
    pub jti: String,
    /// Index of the grant within the token.
    pub grant: usize,
    /// The token's `exp`, Unix seconds.
    pub expires_at: u64,
}

/// Edits to make before the request is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Fields to remove, names as sent, each once. Never one that is set: Envoy's `ext_authz` removes after it
    /// sets.
    pub remove: Vec<Vec<u8>>,
    /// Fields to set, replacing every value the client sent.
    pub set: Vec<(&'static str, String)>,
}

impl Permit {
    pub(crate) fn granted(request: GrantedRequest, fields: &Fields<'_>) -> Self {
        let set = alloc::vec![
            (TASK_HEADER, request.task.clone()),
            (AGENT_HEADER, request.agent.clone()),
            (CLIENT_HEADER, request.client.clone()),
        ];
        let mut remove = removals(fields, |name| set.iter().any(|(own, _)| own.as_bytes() == name));
        remove.extend(fields.misleading.iter().map(|name| name.to_vec()));
        remove.push(b"authorization".to_vec());
        // A cookie with a token was refused. This field is for proxies, which Envoy is not.
        if credential::holds_task_token(fields, b"proxy-authorization") {
            remove.push(b"proxy-authorization".to_vec());
        }
        Self { reason: Reason::Granted(request), edits: HeaderEdits { remove, set } }
    }

    pub(crate) fn exempt(fields: &Fields<'_>) -> Self {
        Self { reason: Reason::Exempt, edits: unproven_edits(fields) }
    }

    pub(crate) fn shadowed(denial: Denial, fields: &Fields<'_>) -> Self {
        Self { reason: Reason::Shadowed(denial), edits: unproven_edits(fields) }
    }

    /// Why the request passes.
    #[must_use]
    pub fn kind(&self) -> PermitKind {
        match self.reason {
            Reason::Granted(_) => PermitKind::Granted,
            Reason::Exempt => PermitKind::Exempt,
            Reason::Shadowed(_) => PermitKind::Shadowed,
        }
    }

    /// The edits to make before the request is forwarded.
    #[must_use]
    pub fn edits(&self) -> &HeaderEdits {
        &self.edits
    }

    /// What was granted; `None` where no token was needed or none convinced.
    #[must_use]
    pub fn record(&self) -> Option<&GrantedRequest> {
        match &self.reason {
            Reason::Granted(request) => Some(request),
            Reason::Exempt | Reason::Shadowed(_) => None,
        }
    }

    /// The denial that shadow mode held back, to be recorded.
    #[must_use]
    pub fn shadowed_denial(&self) -> Option<&Denial> {
        match &self.reason {
            Reason::Shadowed(denial) => Some(denial),
            Reason::Granted(_) | Reason::Exempt => None,
        }
    }
}

/// Without a verified token the upstream's own `authorization` stays, but a task token never goes upstream.
fn unproven_edits(fields: &Fields<'_>) -> HeaderEdits {
    let mut remove = removals(fields, |_| false);
    for name in credential::CREDENTIAL_FIELDS {
        if credential::holds_task_token(fields, name) {
            remove.push(name.to_vec());
        }
    }
    HeaderEdits { remove, set: Vec::new() }
}

fn removals(fields: &Fields<'_>, is_set: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut remove: Vec<Vec<u8>> =
        fields.reserved.iter().filter(|name| !is_set(name)).map(|name| name.to_vec()).collect();
    if fields.has_dpop {
        remove.push(b"dpop".to_vec());
    }
    remove
}
