//! Permits: the proof that a request may pass, and what happens to its header fields.

use alloc::{string::String, sync::Arc, vec::Vec};

use crate::{
    Denial, Injection, Refusal, UnixTime, Verdict, VerifiedToken,
    document::DEFAULT_MAX_STALENESS,
    request::{credential, fields::Fields},
    route::{Host, Meaning},
};

/// Header that names the task to the upstream.
pub const TASK_HEADER: &str = "x-writ-task";
/// Header that names the holder to the upstream.
pub const AGENT_HEADER: &str = "x-writ-agent";
/// Header that names the client to the upstream.
pub const CLIENT_HEADER: &str = "x-writ-client";
/// Field by which Envoy's router is told how often to try again: a use is counted for one attempt.
pub const RETRIES_HEADER: &str = "x-envoy-max-retries";

/// The verdict yes. Only [`decide()`](crate::decide()) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    reason: Reason,
    /// Names of fields, as sent.
    remove: Vec<Vec<u8>>,
    /// Whether it is for one attempt alone.
    is_single: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Granted(GrantedRequest),
    Exempt,
    /// And when its host begins to enforce.
    Shadowed(Denial, UnixTime),
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
    token: Arc<VerifiedToken>,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// Index of the grant within the token.
    pub grant: usize,
    /// Of the host.
    pub(crate) injection: Option<Arc<Injection>>,
    /// Of the host, seconds.
    pub(crate) max_staleness: u64,
    /// Before this the host only records denials.
    pub(crate) enforced_from: UnixTime,
}

impl GrantedRequest {
    pub(crate) fn new(
        token: Arc<VerifiedToken>,
        meaning: Meaning,
        grant: usize,
        host: Option<&Host>,
    ) -> Self {
        let Meaning { action, resource, .. } = meaning;
        let max_staleness = host.map_or(DEFAULT_MAX_STALENESS, Host::max_staleness);
        let enforced_from = host.map_or(UnixTime(0), Host::enforced_from);
        let injection = host.and_then(Host::injection).cloned();
        Self { token, action, resource, grant, injection, max_staleness, enforced_from }
    }

    pub(crate) fn token(&self) -> &Arc<VerifiedToken> {
        &self.token
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &str {
        self.token.task()
    }

    /// The holder.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.token.holder()
    }

    /// Whoever requested the token.
    #[must_use]
    pub fn client(&self) -> &str {
        self.token.client()
    }

    /// The token's id.
    #[must_use]
    pub fn jti(&self) -> &str {
        self.token.id()
    }

    /// The token's `exp`.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.token.expires_at()
    }

    /// The fields that tell the upstream.
    fn headers(&self) -> [(&'static str, &str); 3] {
        [(TASK_HEADER, self.task()), (AGENT_HEADER, self.agent()), (CLIENT_HEADER, self.client())]
    }
}

/// Edits to make before the request is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits<'p> {
    /// Fields to remove, names as sent, each once. Never one that is set: Envoy's `ext_authz` removes after it
    /// sets.
    pub remove: &'p [Vec<u8>],
    /// Fields to set, replacing every value the client sent.
    pub set: Vec<(&'static str, &'p str)>,
}

impl Permit {
    /// `is_single`: for one attempt, because it was counted as one.
    pub(crate) fn granted(request: GrantedRequest, is_single: bool, fields: &Fields<'_>) -> Self {
        let own =
            [TASK_HEADER, AGENT_HEADER, CLIENT_HEADER].into_iter().chain(is_single.then_some(RETRIES_HEADER));
        let mut remove = removals(fields, |name| own.clone().any(|own| own.as_bytes() == name));
        remove.extend(fields.misleading.iter().map(|name| name.to_vec()));
        remove.push(b"authorization".to_vec());
        // A cookie with a token was refused. This field is for proxies, which Envoy is not.
        if credential::holds_task_token(fields, b"proxy-authorization") {
            remove.push(b"proxy-authorization".to_vec());
        }
        if let Some(injection) = &request.injection {
            for name in fields.alike(injection.header().as_bytes()) {
                if !remove.iter().any(|removed| removed == name) {
                    remove.push(name.to_vec());
                }
            }
        }
        Self { reason: Reason::Granted(request), remove, is_single }
    }

    pub(crate) fn exempt(fields: &Fields<'_>) -> Self {
        Self { reason: Reason::Exempt, remove: unproven_removals(fields), is_single: false }
    }

    pub(crate) fn shadowed(denial: Denial, enforced_from: UnixTime, fields: &Fields<'_>) -> Self {
        Self::exempt(fields).into_shadowed(denial, enforced_from)
    }

    /// With the edits of this one, which rests on no token.
    pub(crate) fn into_shadowed(self, denial: Denial, enforced_from: UnixTime) -> Self {
        Self { reason: Reason::Shadowed(denial, enforced_from), ..self }
    }

    /// Why the request passes.
    #[must_use]
    pub fn kind(&self) -> PermitKind {
        match self.reason {
            Reason::Granted(_) => PermitKind::Granted,
            Reason::Exempt => PermitKind::Exempt,
            Reason::Shadowed(..) => PermitKind::Shadowed,
        }
    }

    /// The edits to make before the request is forwarded.
    #[must_use]
    pub fn edits(&self) -> HeaderEdits<'_> {
        let mut set = self.record().map(|record| record.headers().to_vec()).unwrap_or_default();
        set.extend(self.is_single.then_some((RETRIES_HEADER, "0")));
        HeaderEdits { remove: &self.remove, set }
    }

    /// What the request must carry upstream besides these edits, if anything: without it the request must not go on. It is
    /// set after the removals, among which is whatever a client sent in its place.
    #[must_use]
    pub fn injection(&self) -> Option<&Arc<Injection>> {
        self.record()?.injection.as_ref()
    }

    /// What becomes of a granted request whose credential cannot be had, or may not go where Envoy would send it. On a host
    /// that only records denials it goes on, and without one.
    #[must_use]
    pub fn refused(self, refusal: Refusal, now: UnixTime) -> Verdict {
        let Reason::Granted(request) = self.reason else {
            return Verdict::Deny(Denial::new(refusal, None));
        };
        let denial = Denial::new(refusal, Some(String::from(request.task())));
        if now < request.enforced_from {
            // All that is removed of a granted request is removed of one in shadow, its task token first, and also what
            // would have been replaced.
            let mut remove = self.remove;
            for name in [TASK_HEADER, AGENT_HEADER, CLIENT_HEADER, RETRIES_HEADER] {
                if !remove.iter().any(|removed| removed == name.as_bytes()) {
                    remove.push(name.as_bytes().to_vec());
                }
            }
            let reason = Reason::Shadowed(denial, request.enforced_from);
            Verdict::Allow(Self { reason, remove, is_single: false })
        } else {
            Verdict::Deny(denial)
        }
    }

    /// What was granted; `None` where no token was needed or none convinced.
    #[must_use]
    pub fn record(&self) -> Option<&GrantedRequest> {
        match &self.reason {
            Reason::Granted(request) => Some(request),
            Reason::Exempt | Reason::Shadowed(..) => None,
        }
    }

    /// The denial that shadow mode held back, to be recorded.
    #[must_use]
    pub fn shadowed_denial(&self) -> Option<&Denial> {
        self.shadow().map(|(denial, _)| denial)
    }

    /// The denial that shadow mode held back, and when its host begins to enforce.
    pub(crate) fn shadow(&self) -> Option<(&Denial, UnixTime)> {
        match &self.reason {
            Reason::Shadowed(denial, enforced_from) => Some((denial, *enforced_from)),
            Reason::Granted(_) | Reason::Exempt => None,
        }
    }
}

/// Without a verified token the upstream's own `authorization` stays, but a task token never goes upstream.
fn unproven_removals(fields: &Fields<'_>) -> Vec<Vec<u8>> {
    let mut remove = removals(fields, |_| false);
    for name in credential::CREDENTIAL_FIELDS {
        if credential::holds_task_token(fields, name) {
            remove.push(name.to_vec());
        }
    }
    remove
}

fn removals(fields: &Fields<'_>, is_set: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut remove: Vec<Vec<u8>> =
        fields.reserved.iter().filter(|name| !is_set(name)).map(|name| name.to_vec()).collect();
    if fields.has_dpop {
        remove.push(b"dpop".to_vec());
    }
    remove
}
