//! What was decided, encoded as it happens: `writ.v1.Report`, without an allocation for each request.

use verdict::DenialCode;

use super::{
    refused::Refused,
    wire::{header_length, number_length, put_header, put_number, put_text, text_length},
};
use crate::host::UnixMillis;

/// Most bytes of decisions kept until they are sent; beyond, they are only counted.
pub const MAX_BYTES: usize = 128 << 10;
/// From so many bytes on they should be sent, a few hundred decisions at once: sending costs the proxy more than all that
/// is done here.
const WORTH_SENDING: usize = MAX_BYTES / 2;

/// One verdict on a request of a verified token: `writ.v1.Decision`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decision<'d> {
    /// When.
    pub at: UnixMillis,
    /// `allow`, or the denial's code.
    pub verdict: &'d str,
    /// Whether a denial was recorded only.
    pub shadow: bool,
    /// What the request was for.
    pub host: &'d str,
    /// Empty where the verdict came before the request's meaning.
    pub action: &'d str,
    /// Empty where the verdict came before the request's meaning.
    pub resource: &'d str,
    /// The task.
    pub task: &'d str,
    /// The holder of the token.
    pub agent: &'d str,
    /// The client.
    pub client: &'d str,
    /// The token's id.
    pub jti: &'d str,
}

/// What was decided since the last report that was sent.
#[derive(Debug, Default)]
pub struct Report {
    /// Fields `decisions` of the message, one after the other.
    decisions: Vec<u8>,
    count: u64,
    dropped: u64,
    decided: u64,
    refused: Refused,
}

impl Report {
    /// Counts a verdict.
    pub fn count(&mut self) {
        self.decided = self.decided.saturating_add(1);
    }

    /// Counts a denial that rests on no verified token. `host` as the snapshot lists it, else empty.
    pub fn refuse(&mut self, code: DenialCode, host: &str) {
        self.refused.count(code, host);
    }

    /// Adds a decision. `false`: there was no room for it.
    pub fn add(&mut self, decision: &Decision<'_>) -> bool {
        let texts = decision.texts();
        let (second, millis) = (decision.at.seconds().0, decision.at.0 % 1000);
        let length = (texts.iter().map(|(_, text)| text_length(text)).fold(0, usize::saturating_add))
            .saturating_add(number_length(second))
            .saturating_add(number_length(millis))
            .saturating_add(number_length(decision.shadow.into()));
        let whole = header_length(length).saturating_add(length);
        if self.decisions.len().saturating_add(whole) > MAX_BYTES {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        put_header(&mut self.decisions, DECISIONS, length);
        put_number(&mut self.decisions, AT, second);
        put_number(&mut self.decisions, MILLIS, millis);
        put_number(&mut self.decisions, SHADOW, decision.shadow.into());
        for (field, text) in texts {
            put_text(&mut self.decisions, field, text);
        }
        self.count = self.count.saturating_add(1);
        true
    }

    /// Whether it should be sent before its time.
    #[must_use]
    pub fn is_half_full(&self) -> bool {
        self.decisions.len() >= WORTH_SENDING
    }

    /// How many decisions it holds.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.count
    }

    /// The `writ.v1.WatchRequest` with this report; `None` where nothing was decided.
    #[must_use]
    pub fn message(&self) -> Option<Vec<u8>> {
        if self.decided == 0 && self.dropped == 0 && self.decisions.is_empty() {
            return None;
        }
        let refused = self.refused.encode(REFUSED);
        let length = (self.decisions.len())
            .saturating_add(number_length(self.dropped))
            .saturating_add(number_length(self.decided))
            .saturating_add(refused.len());
        let mut message = Vec::with_capacity(length.saturating_add(8));
        put_header(&mut message, REPORT, length);
        message.extend_from_slice(&self.decisions);
        put_number(&mut message, DROPPED, self.dropped);
        put_number(&mut message, DECIDED, self.decided);
        message.extend_from_slice(&refused);
        Some(message)
    }

    /// It was sent; the next begins.
    pub fn clear(&mut self) {
        self.decisions.clear();
        self.refused.clear();
        (self.count, self.dropped, self.decided) = (0, 0, 0);
    }
}

impl Decision<'_> {
    fn texts(&self) -> [(u8, &str); 8] {
        let Self { at: _, verdict, shadow: _, host, action, resource, task, agent, client, jti } = self;
        [(2, verdict), (4, host), (5, action), (6, resource), (7, task), (8, agent), (9, client), (10, jti)]
    }
}

// Field numbers of `data_plane.proto`: of `WatchRequest`, of `Report`, of `Decision`.
const REPORT: u8 = 4;
const DECISIONS: u8 = 1;
const DROPPED: u8 = 2;
const DECIDED: u8 = 3;
const REFUSED: u8 = 4;
const AT: u8 = 1;
const SHADOW: u8 = 3;
const MILLIS: u8 = 11;
