//! What is reported of a verdict: everything is counted, and what rests on a verified token is told.

use std::sync::Arc;

use verdict::{Denial, Permit, Verdict, VerifiedToken};

use crate::{
    feed::report::Decision,
    host::{ContextId, Host, UnixMillis},
    plugin::Plugin,
};

/// Longest host name (RFC 1035 section 3.1) with a port.
const MAX_HOST: usize = 259;

/// A verdict, when it was made, and the token it rests on.
#[derive(Debug)]
pub struct Judged {
    /// Whether the request passes.
    pub verdict: Verdict,
    /// When.
    pub at: UnixMillis,
    /// The token, once it was verified.
    pub token: Option<Arc<VerifiedToken>>,
}

/// Records a request that was forwarded.
pub fn permit(
    host: &impl Host,
    context: ContextId,
    plugin: &Plugin,
    headers: &[(&[u8], &[u8])],
    judged: &Judged,
    permit: &Permit,
) {
    let Some(shared) = plugin.feed() else { return };
    let decision = match (permit.record(), permit.shadowed_denial()) {
        (Some(granted), _) => decision(headers, judged).map(|decision| Decision {
            verdict: "allow",
            action: &granted.action,
            resource: &granted.resource,
            ..decision
        }),
        (None, Some(denial)) => {
            of_denial(headers, judged, denial).map(|decision| Decision { shadow: true, ..decision })
        }
        (None, None) => None,
    };
    shared.record(host, context, decision.as_ref());
}

/// Records a request that was answered; `judged` where a verdict was made on it.
pub fn denial(
    host: &impl Host,
    context: ContextId,
    plugin: &Plugin,
    headers: &[(&[u8], &[u8])],
    judged: Option<&Judged>,
    denial: &Denial,
) {
    let Some(shared) = plugin.feed() else { return };
    match judged.and_then(|judged| of_denial(headers, judged, denial)) {
        Some(decision) => shared.record(host, context, Some(&decision)),
        None => plugin.with_listed_host(authority(headers), |listed| shared.refuse(denial.code(), listed)),
    }
}

/// A denial names its task once the token is verified; before that, nothing of the token counts.
fn of_denial<'d>(headers: &[(&[u8], &'d [u8])], judged: &'d Judged, denial: &Denial) -> Option<Decision<'d>> {
    denial.task()?;
    decision(headers, judged).map(|decision| Decision { verdict: denial.code().as_str(), ..decision })
}

fn decision<'d>(headers: &[(&[u8], &'d [u8])], judged: &'d Judged) -> Option<Decision<'d>> {
    let token = judged.token.as_deref()?;
    Some(Decision {
        at: judged.at,
        host: host_name(headers),
        task: token.task(),
        agent: token.holder(),
        client: token.client(),
        jti: token.id(),
        ..Decision::default()
    })
}

/// As the client wrote it, if it may be one at all.
fn host_name<'h>(headers: &[(&[u8], &'h [u8])]) -> &'h str {
    let authority = authority(headers);
    if authority.len() > MAX_HOST || !authority.iter().all(u8::is_ascii_graphic) {
        return "";
    }
    std::str::from_utf8(authority).unwrap_or_default()
}

/// Empty where there is none.
fn authority<'h>(headers: &[(&[u8], &'h [u8])]) -> &'h [u8] {
    let authority = headers.iter().find(|(name, _)| matches!(*name, b":authority" | b"host"));
    authority.map_or(b"", |(_, value)| value)
}
