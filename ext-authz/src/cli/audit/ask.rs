//! Asking a server for events, page by page.

use serde::Deserialize;
use serde_json::Value;

use super::args::{NarrowArgs, Verdict};
use crate::cli::{exit::Failure, remote::Api};

/// Events of one answer: the most that a server gives.
const PAGE: u32 = 1000;

/// What is asked for, as parameters of `GET /v1/audit`.
#[derive(Default)]
pub(super) struct Question(Vec<(&'static str, String)>);

/// Which of the answers: all, unless something else is said.
#[derive(Default)]
pub(super) struct Part {
    /// Those after this place.
    pub(super) after: Option<String>,
    /// At most so many.
    pub(super) most: Option<u32>,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Value>,
    #[serde(default)]
    next: Option<String>,
}

impl Question {
    pub(super) fn new(narrow: &NarrowArgs) -> Self {
        let NarrowArgs { agent, client, event, verdict } = narrow;
        Self::default()
            .with("agent", agent.as_deref())
            .with("client", client.as_deref())
            .with("event", event.as_deref())
            .with("verdict", verdict.map(Verdict::name))
    }

    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Calls `take` with each event until it says that this is enough. Returns the place after which there is more.
    pub(super) fn ask(
        &self,
        api: &Api,
        Part { mut after, most }: Part,
        mut take: impl FnMut(Value) -> bool,
    ) -> Result<Option<String>, Failure> {
        let mut left = most.unwrap_or(u32::MAX);
        loop {
            let limit = left.min(PAGE).to_string();
            let mut parameters: Vec<(&str, Option<&str>)> =
                self.0.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
            parameters.extend([("after", after.as_deref()), ("limit", Some(&limit))]);
            let page: Page = serde_json::from_value(api.get("/v1/audit", &parameters)?)
                .map_err(|error| Failure::failed(&format!("not what this version reads: {error}")))?;
            left = left.saturating_sub(u32::try_from(page.events.len()).unwrap_or(u32::MAX));
            if !page.events.into_iter().all(&mut take) {
                return Ok(None);
            }
            after = page.next;
            if after.is_none() || (left == 0 && most.is_some()) {
                return Ok(after);
            }
            left = if most.is_some() { left } else { u32::MAX };
        }
    }
}
