//! What the callbacks have told of a request's body.

use verdict::Body;

/// How much of a body has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bytes.
    pub size: usize,
    /// Nothing comes after them.
    pub whole: bool,
}

impl Seen {
    /// Whether there is a body. `None`: that is still to be seen.
    #[must_use]
    pub fn body(self) -> Option<Body<'static>> {
        match (self.size, self.whole) {
            (0, false) => None,
            (0, true) => Some(Body::Absent),
            (_, _) => Some(Body::Present),
        }
    }

    /// What both have told; trailers do not tell the size.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { size: self.size.max(other.size), whole: self.whole || other.whole }
    }
}
