//! The stream there is, or the time until the next. All times are Unix milliseconds.

use crate::host::StreamId;

/// Without a heartbeat, for how long a server may say nothing.
const FIRST_INTERVAL: u64 = 3_000;
/// How many intervals a server may miss.
const MISSED: u64 = 3;
/// Least and most time until a server counts as silent.
const LEAST_SILENCE: u64 = 1_000;
const MOST_SILENCE: u64 = 3_600_000;
/// A stream that lived so long was no failure.
const LASTING: u64 = 5_000;
/// No delay is longer; a clock that was set back must not make one.
const MAX_DELAY: u64 = 130_000;

/// A stream, or none.
#[derive(Debug)]
pub(super) enum Link {
    /// None until then.
    Down { retry_at: u64 },
    /// This one.
    Up(Up),
}

/// A stream that is open as far as this side knows.
#[derive(Debug)]
pub(super) struct Up {
    stream: StreamId,
    opened: u64,
    heard: u64,
    answered: bool,
    interval: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self::Down { retry_at: 0 }
    }
}

impl Link {
    /// The stream, if it is this one: callbacks for an old one may still come.
    pub(super) fn up(&mut self, stream: StreamId) -> Option<&mut Up> {
        match self {
            Self::Up(up) if up.stream == stream => Some(up),
            Self::Up(_) | Self::Down { .. } => None,
        }
    }

    /// Whether another stream should be opened.
    pub(super) fn is_due(&self, now: u64) -> bool {
        match self {
            Self::Down { retry_at } => *retry_at <= now || retry_at.saturating_sub(now) > MAX_DELAY,
            Self::Up(_) => false,
        }
    }

    /// Whether the server has been silent for so long that it is taken for gone.
    pub(super) fn is_silent(&mut self, now: u64) -> bool {
        let Self::Up(up) = self else { return false };
        // A clock that was set back starts anew.
        up.heard = up.heard.min(now);
        let silence = up.interval.saturating_mul(MISSED).clamp(LEAST_SILENCE, MOST_SILENCE);
        now.saturating_sub(up.heard) >= silence
    }

    /// Whether a server has answered on this stream.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self, Self::Up(up) if up.answered)
    }

    /// Whether this stream was a success, however it ends.
    pub(super) fn has_lasted(&self, now: u64) -> bool {
        matches!(self, Self::Up(up) if up.answered && now.saturating_sub(up.opened) >= LASTING)
    }

    /// Puts the next attempt off.
    pub(super) fn delay(&mut self, milliseconds: u64) {
        if let Self::Down { retry_at } = self {
            *retry_at = retry_at.saturating_add(milliseconds);
        }
    }

    /// The server has said how often it will be heard.
    pub(super) fn set_interval(&mut self, milliseconds: u64) {
        if let Self::Up(up) = self {
            up.interval = milliseconds;
        }
    }
}

impl Up {
    pub(super) fn new(stream: StreamId, now: u64) -> Self {
        Self { stream, opened: now, heard: now, answered: false, interval: FIRST_INTERVAL }
    }

    pub(super) fn stream(&self) -> StreamId {
        self.stream
    }

    /// The server was heard; whether for the first time.
    pub(super) fn hear(&mut self, now: u64) -> bool {
        self.heard = now;
        !std::mem::replace(&mut self.answered, true)
    }
}
