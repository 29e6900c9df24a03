//! A task as servers tell of it.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use verdict::Grant;

use crate::cli::{
    exit::Failure,
    words::{Plain, grant_lines, instant},
};

/// What is shown of it.
#[derive(Deserialize)]
pub(super) struct Task {
    pub(super) id: String,
    #[serde(default)]
    pub(super) parent: Option<String>,
    pub(super) client: String,
    pub(super) subject: String,
    pub(super) agent: String,
    #[serde(default)]
    pub(super) audience: Option<String>,
    #[serde(default)]
    pub(super) note: Option<String>,
    pub(super) state: String,
    pub(super) created_at: u64,
    pub(super) expires_at: u64,
    #[serde(default)]
    pub(super) ended_at: Option<u64>,
    #[serde(default)]
    pub(super) grants: Vec<Grant>,
    #[serde(default)]
    pub(super) cnf: Option<Value>,
}

/// `answer`, or what is at fault in it.
pub(super) fn read<T: DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        Failure::failed(&format!("the server's answer is not what this version reads: {error}"))
    })
}

/// JSON as it was typed, to be sent on as it is.
pub(super) fn raw(option: &str, text: String) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text).map_err(|error| Failure::failed(&format!("{option}: {error}")))
}

impl Task {
    /// One thing a line.
    pub(super) fn lines(&self, now: u64) -> Vec<String> {
        let Self {
            id, parent, client, subject, agent, audience, note, state, created_at, expires_at, ..
        } = self;
        let mut rows = vec![("task", id.clone()), ("state", self.state_in_words(now))];
        rows.extend(parent.clone().map(|parent| ("below", parent)));
        rows.push(("client", client.clone()));
        rows.push(("agent", agent.clone()));
        if subject != agent {
            rows.push(("subject", subject.clone()));
        }
        rows.extend(audience.clone().map(|audience| ("audience", audience)));
        rows.extend(note.clone().map(|note| ("note", note)));
        rows.push(("started", instant(*created_at, now)));
        if state == "active" {
            rows.push(("expires", instant(*expires_at, now)));
        }
        rows.extend(self.cnf.as_ref().map(|cnf| ("must prove", cnf.to_string())));
        for grant in &self.grants {
            let mut name = "grant";
            for line in grant_lines(grant) {
                rows.push((name, line));
                name = "";
            }
        }
        rows.into_iter().map(|(name, value)| format!("{name:<11} {}", Plain(&value))).collect()
    }

    fn state_in_words(&self, now: u64) -> String {
        let when = match (self.state.as_str(), self.ended_at) {
            ("expired", _) => instant(self.expires_at, now),
            (_, Some(ended_at)) => instant(ended_at, now),
            _ => return self.state.clone(),
        };
        format!("{}, {when}", self.state)
    }
}
