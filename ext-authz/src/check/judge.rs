//! One question, judged.

use std::sync::Arc;

use envoy_types::ext_authz::v3::pb::CheckResponse;
use verdict::{
    Denial, DenialCode, Freshness, Limit, LimitedPermit, Peer, PermitKind, Request, Snapshot, TokenKey, Use,
    Verdict, VerifiedToken, VerifiedTokens, decide, denial::Refusal,
};

use super::{
    inject::{Injected, inject, unavailable as unavailable_credential},
    memory::TokenMemory,
    read::{NotHttp, Question},
    respond,
};
use crate::{
    audit::{self, Recorder},
    clock::{self, UnixMillis},
    credentials::{Credentials, Keeper},
    identity::DataPlane,
    state::State,
    telemetry::{
        metrics,
        quiet::{QUIET, Quiet},
    },
};

/// What there is to say to a question.
pub(super) enum Judged {
    /// This, and it is recorded.
    Answer(Box<CheckResponse>),
    /// Nothing yet: a credential has to be asked for, and then the question again.
    Awaits(Arc<Keeper>),
    /// Nothing yet: a use has to be counted, and then the question again.
    Counts(Box<LimitedPermit>),
}

/// What is known of a request that is judged again.
#[derive(Default)]
pub(super) struct Known {
    /// It has waited for the credential that it needs, so that it is here or cannot be had.
    pub(super) has_waited: bool,
    /// What became of the use of a limited grant.
    pub(super) used: Option<(Limit, Use)>,
}

/// What answers need beside the state.
pub(super) struct Means<'m> {
    pub(super) recorder: &'m Recorder,
    pub(super) credentials: &'m Credentials,
}

/// Answers `question`, and has the answer recorded. Every error on the way is a denial; none opens.
pub(super) fn judge(
    state: &State,
    as_of: UnixMillis,
    plane: &DataPlane,
    means: &Means<'_>,
    question: &Question,
    known: &Known,
) -> Judged {
    let Means { recorder, credentials } = means;
    let answer = |response| Judged::Answer(Box::new(response));
    let DataPlane { name: data_plane, scope, trusted_egress: _ } = plane;
    let data_plane: &str = data_plane;
    let fields = question.fields();
    let request = Request { headers: &fields, body: question.body(), peer: &question.peer };
    let Ok(snapshot) = state.snapshot_in(scope) else {
        tracing::error!(data_plane, "denied a request: its data plane's part of the policy does not compile");
        return answer(unavailable(&request));
    };
    // A server that is cut off from its store does not know what was changed since.
    let freshness = Freshness::AsOf(as_of.seconds());
    let mut tokens = Lookup { memory: state.tokens(), token: None };
    let now = clock::now();
    let mut verdict = decide(&snapshot, &request, now, freshness, &mut tokens);
    let mut kept = None;
    // Before a use is counted: who cannot go on spends none. Where the filter is behind, both are its matter.
    if !question.is_counted_elsewhere
        && let Some(injection) = verdict.injection()
    {
        let refusal = match inject(injection, plane, question.cluster.as_deref(), state, credentials) {
            Ok(Injected::Now(found)) => {
                kept = Some((injection.header().to_owned(), found));
                None
            }
            Ok(Injected::Later(keeper)) if !known.has_waited => return Judged::Awaits(keeper),
            Ok(Injected::Later(_)) => Some(unavailable_credential()),
            Err(refusal) => Some(refusal),
        };
        if let Some(refusal) = refusal {
            warn_of(&refusal, data_plane, injection.name());
            verdict = verdict.refused(refusal, now);
        }
    }
    let verdict = match verdict {
        Verdict::NeedsUse(limited) => match &known.used {
            _ if question.is_counted_elsewhere => limited.settle(Use::Counted),
            Some((limit, outcome)) if limit == limited.limit() => limited.settle(*outcome),
            // What was counted was another grant's, before the policy changed: one request, one use.
            Some(_) => limited.settle(Use::Unavailable),
            None => return Judged::Counts(limited),
        },
        verdict => verdict,
    };
    let record = Record { recorder, data_plane, snapshot: &snapshot, fields: &fields };
    match &verdict {
        Verdict::Allow(permit) => {
            let code = match permit.kind() {
                PermitKind::Granted => metrics::GRANTED,
                PermitKind::Exempt => metrics::EXEMPT,
                PermitKind::Shadowed => metrics::SHADOWED,
            };
            // Only what is granted carries one: shadow may have come in between.
            let injected = permit.injection().and(kept.as_ref());
            let injected = injected.map(|(header, kept)| (header.as_str(), &kept.rendered.value));
            let Ok(response) = respond::allowed(permit, injected) else {
                tracing::warn!(data_plane, "denied a request whose header names cannot be removed");
                return answer(unavailable(&request));
            };
            metrics::check_decided(code);
            record.take(&verdict, tokens.token.as_deref());
            if let Some(denial) = permit.shadowed_denial() {
                log(denial, data_plane, &fields, "would deny");
            }
            answer(response)
        }
        Verdict::Deny(denial) => {
            log(denial, data_plane, &fields, "denied");
            record.take(&verdict, tokens.token.as_deref());
            answer(refused(denial, &request))
        }
        // What Envoy sends of a body is all that there is to judge by, so none is asked for.
        Verdict::NeedsBody(_) | Verdict::NeedsUse(_) => answer(unavailable(&request)),
    }
}

/// The answer to a message that is no question about an HTTP request.
pub(super) fn not_http(data_plane: &DataPlane, error: NotHttp) -> CheckResponse {
    let data_plane = &*data_plane.name;
    tracing::warn!(data_plane, %error, "denied a Check that is not about an HTTP request");
    unavailable(&Request { headers: &[], body: verdict::Body::Absent, peer: &Peer::none() })
}

/// Keeps the token that a verdict rests on.
struct Lookup<'m> {
    memory: &'m TokenMemory,
    token: Option<Arc<VerifiedToken>>,
}

impl VerifiedTokens for Lookup<'_> {
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        self.token = self.memory.find(key);
        self.token.clone()
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
        self.token = Some(Arc::clone(token));
        self.memory.insert(&key, token);
    }
}

/// What a record of a verdict says beside the verdict.
struct Record<'r> {
    recorder: &'r Recorder,
    data_plane: &'r str,
    snapshot: &'r Snapshot,
    fields: &'r [(&'r [u8], &'r [u8])],
}

impl Record<'_> {
    /// Everything that rests on a verified token is told, denials of strangers are counted, and requests that need no
    /// token leave no trace.
    fn take(&self, verdict: &Verdict, token: Option<&VerifiedToken>) {
        let Self { recorder, data_plane, snapshot, fields } = self;
        let host = audit::host_name(fields);
        if let Some(event) = audit::judged(clock::now_millis(), data_plane, host, verdict, token) {
            recorder.decided(&event);
            return;
        }
        let denial = match verdict {
            Verdict::Deny(denial) => Some(denial),
            Verdict::Allow(permit) => permit.shadowed_denial(),
            Verdict::NeedsBody(_) | Verdict::NeedsUse(_) => None,
        };
        if let Some(denial) = denial {
            let listed = snapshot.listed_host(host.as_bytes()).unwrap_or_default();
            recorder.refused(denial.code().as_str(), listed, 1);
        }
    }
}

fn refused(denial: &Denial, request: &Request<'_>) -> CheckResponse {
    metrics::check_decided(denial.code().as_str());
    respond::denied(denial, request)
}

fn unavailable(request: &Request<'_>) -> CheckResponse {
    refused(&Denial::new(Refusal::new(DenialCode::ServerUnavailable, "no verdict"), None), request)
}

/// A granted request goes without its credential: that is the operator's to know, and not as often as an agent asks.
fn warn_of(refusal: &Refusal, data_plane: &str, credential: &str) {
    static SAID: Quiet = Quiet::new();
    if SAID.is_over() {
        let reason = &*refusal.detail;
        tracing::warn!(
            data_plane,
            credential,
            reason,
            "no credential was injected; others within {QUIET} s are not logged"
        );
    }
}

/// Code, host and detail: no value of any header field but the host, and no path, as both may carry tokens.
fn log(denial: &Denial, data_plane: &str, fields: &[(&[u8], &[u8])], outcome: &'static str) {
    let host = fields.iter().find(|(name, _)| *name == b":authority").map_or(&b""[..], |(_, value)| value);
    let host = host.escape_ascii();
    let (code, detail) = (denial.code().as_str(), denial.detail());
    tracing::debug!(data_plane, code, %host, task = denial.task(), detail, outcome, "check");
}
