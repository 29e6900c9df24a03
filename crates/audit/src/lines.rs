//! Events on their way into a batch.

use crate::Event;

/// Events as JSON lines.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    count: u64,
    text: String,
}

impl Lines {
    /// No events yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One event.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        let mut lines = Self::new();
        lines.push(event);
        lines
    }

    /// Adds an event.
    pub fn push(&mut self, event: &Event<'_>) {
        // An event is texts and numbers only, which always have a JSON form.
        if let Ok(line) = serde_json::to_string(event) {
            self.text.push_str(&line);
            self.text.push('\n');
            self.count += 1;
        }
    }

    /// Adds all events of `others`.
    pub fn append(&mut self, others: &Self) {
        self.text.push_str(&others.text);
        self.count += others.count;
    }

    /// How many there are.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.count
    }

    /// The lines, each with its end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Bytes of all lines.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn into_parts(self) -> (u64, String) {
        (self.count, self.text)
    }
}
