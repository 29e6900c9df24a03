//! From a request to its verdict.

use std::mem;

use verdict::{Body, Peer, Request, Verdict};

use super::{Headers, Stream, no_snapshot};
use crate::{
    host::{Host, HostError},
    peer,
    plugin::{Judgement, Plugin, depends_on_peer},
    record::Judged,
};

impl<H: Host + Clone> Stream<H> {
    /// The denial that comes with a body and without one, if there is one: whoever has no token gets it here
    /// and cannot hold requests open.
    pub(super) fn judge_before_body(
        &mut self,
        plugin: &Plugin,
        headers: Headers<'_, '_>,
    ) -> Result<Option<Judged>, HostError> {
        let without = self.judge(plugin, headers, Body::Absent)?;
        let Verdict::Deny(denial) = &without.verdict else { return Ok(None) };
        let with = self.judge(plugin, headers, Body::Present)?;
        let same = matches!(&with.verdict, Verdict::Deny(other) if other.code() == denial.code());
        Ok(same.then_some(without))
    }

    /// The verdict by what is in force now.
    pub(super) fn judge(
        &mut self,
        plugin: &Plugin,
        headers: Headers<'_, '_>,
        body: Body<'_>,
    ) -> Result<Judged, HostError> {
        let at = self.host.now_millis()?;
        let now = at.seconds();
        let judge = |peer: &Peer| {
            plugin
                .judge(&Request { headers, body, peer }, now)
                .unwrap_or_else(|| Judgement::deny(no_snapshot()))
        };
        let Judgement { verdict, lookup, token } = judge(&Peer::none());
        if let Some(outcome) = lookup
            && !mem::replace(&mut self.lookup_counted, true)
        {
            plugin.metrics().count_lookup(&self.host, outcome);
        }
        // Handing a certificate over costs more than a second reading, and few tokens are bound to one.
        if !depends_on_peer(&verdict) {
            return Ok(Judged { verdict, token, at });
        }
        let verdict = match peer::read(&self.host)? {
            Some(peer) => judge(&peer).verdict,
            None => verdict,
        };
        Ok(Judged { verdict, token, at })
    }
}
