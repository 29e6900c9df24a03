//! One question, judged.

use envoy_types::ext_authz::v3::pb::CheckResponse;
use verdict::{Denial, DenialCode, Freshness, Peer, PermitKind, Request, Verdict, decide, denial::Refusal};

use super::{read::Question, respond, wire::CheckRequest};
use crate::{
    clock::{self, UnixMillis},
    identity::DataPlane,
    state::State,
    telemetry::metrics,
};

/// Answers `message`. Every error on the way is a denial; none opens.
pub(super) fn judge(
    state: &State,
    as_of: UnixMillis,
    data_plane: &DataPlane,
    message: CheckRequest,
) -> CheckResponse {
    let DataPlane { name: data_plane, scope } = data_plane;
    let data_plane: &str = data_plane;
    let question = match Question::read(message) {
        Ok(question) => question,
        Err(error) => {
            tracing::warn!(data_plane, %error, "denied a Check that is not about an HTTP request");
            return unavailable(&Request { headers: &[], body: verdict::Body::Absent, peer: &Peer::none() });
        }
    };
    let fields = question.fields();
    let request = Request { headers: &fields, body: question.body, peer: &question.peer };
    let Ok(snapshot) = state.snapshot_in(scope) else {
        tracing::error!(data_plane, "denied a request: its data plane's part of the policy does not compile");
        return unavailable(&request);
    };
    // A server that is cut off from its store does not know what was changed since.
    let freshness = Freshness::AsOf(as_of.seconds());
    match decide(&snapshot, &request, clock::now(), freshness, &mut state.tokens()) {
        Verdict::Allow(permit) => {
            let code = match permit.kind() {
                PermitKind::Granted => metrics::GRANTED,
                PermitKind::Exempt => metrics::EXEMPT,
                PermitKind::Shadowed => metrics::SHADOWED,
            };
            let Ok(response) = respond::allowed(&permit) else {
                tracing::warn!(data_plane, "denied a request whose header names cannot be removed");
                return unavailable(&request);
            };
            metrics::check_decided(code);
            if let Some(denial) = permit.shadowed_denial() {
                log(denial, data_plane, &fields, "would deny");
            }
            response
        }
        Verdict::Deny(denial) => {
            log(&denial, data_plane, &fields, "denied");
            refused(&denial, &request)
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

/// Code, host and detail: no value of any header field but the host, and no path, as both may carry tokens.
fn log(denial: &Denial, data_plane: &str, fields: &[(&[u8], &[u8])], outcome: &'static str) {
    let host = fields.iter().find(|(name, _)| *name == b":authority").map_or(&b""[..], |(_, value)| value);
    let host = host.escape_ascii();
    let (code, detail) = (denial.code().as_str(), denial.detail());
    tracing::debug!(data_plane, code, %host, task = denial.task(), detail, outcome, "check");
}
