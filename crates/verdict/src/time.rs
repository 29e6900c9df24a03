//! An instant, passed in: this crate has no clock.

/// Seconds since 1970-01-01T00:00:00Z without leap seconds (RFC 7519 section 2, `NumericDate`, whole seconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// This instant moved forward; saturates at the end of time instead of wrapping back to its start.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}
