//! Asking a server for events, page by page.

use serde::Deserialize;
use serde_json::Value;

use super::args::{NarrowArgs, Verdict};
use crate::cli::{exit::Failure, remote::Api};

/// Events of one answer: the most that a server gives.
const PAGE: &str = "1000";

/// What is asked for, as parameters of `GET /v1/audit`.
#[derive(Default)]
pub(super) struct Question(Vec<(&'static str, String)>);

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

    /// Calls `take` with each event until it says that this is enough.
    pub(super) fn ask(&self, api: &Api, mut take: impl FnMut(Value) -> bool) -> Result<(), Failure> {
        let mut after: Option<String> = None;
        loop {
            let mut parameters: Vec<(&str, Option<&str>)> =
                self.0.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
            parameters.extend([("after", after.as_deref()), ("limit", Some(PAGE))]);
            let page: Page = serde_json::from_value(api.get("/v1/audit", &parameters)?)
                .map_err(|error| Failure::failed(&format!("not what this version reads: {error}")))?;
            if !page.events.into_iter().all(&mut take) {
                return Ok(());
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
