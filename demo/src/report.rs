//! What the demo says: a line a step, with a tick where it went as expected.

/// Counts what was as expected and what was not.
#[derive(Debug, Default)]
pub(crate) struct Report {
    expected: usize,
    surprises: Vec<String>,
}

/// How one request went, and how it should have gone.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) what: &'static str,
    pub(crate) request: String,
    pub(crate) wanted: String,
    pub(crate) got: String,
    pub(crate) why: &'static str,
}

impl Report {
    pub(crate) fn chapter(&self, title: &str) {
        println!("\n{title}");
    }

    pub(crate) fn note(&self, text: &str) {
        println!("  {text}");
    }

    pub(crate) fn add(&mut self, outcome: Outcome) {
        let Outcome { what, request, wanted, got, why } = outcome;
        let tick = if wanted == got { "✓" } else { "✗" };
        println!("  {tick} {what}\n      {request}\n      {got}: {why}");
        if wanted == got {
            self.expected += 1;
        } else {
            println!("      expected: {wanted}");
            self.surprises.push(format!("{what}: {got} instead of {wanted}"));
        }
    }

    /// Prints the sum; whether all was as expected.
    pub(crate) fn close(&self) -> bool {
        println!("\n{} of {} as expected", self.expected, self.expected + self.surprises.len());
        for surprise in &self.surprises {
            println!("  ✗ {surprise}");
        }
        // A story that played nothing proved nothing.
        self.surprises.is_empty() && self.expected > 0
    }
}
