//! Events in words.

use serde_json::Value;

use crate::cli::{
    output::{BAD, GOOD, NOTE, paint},
    words::{Plain, date},
};

/// An event in one line: when, what, and what else there is to say.
pub(super) fn line(event: &Value) -> String {
    let event = Event(event);
    let (what, more) = event.told();
    let what = format!("{:<16}", Plain(what).to_string());
    let what = match (event.text("event"), event.text("verdict")) {
        ("decision", "deny") if event.is_shadow() => paint(NOTE, what),
        ("decision", "deny") | ("task_revoked" | "revoked" | "key_withdrawn", _) => paint(BAD, what),
        ("decision", "allow") | ("task_started", _) => paint(GOOD, what),
        ("dropped" | "refusals", _) => paint(NOTE, what),
        _ => what,
    };
    let more = more.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    format!("{}  {what}  {}", event.at(), Plain(&more)).trim_end().to_owned()
}

struct Event<'v>(&'v Value);

impl<'v> Event<'v> {
    /// What happened, and the parts of what else there is to say of it.
    fn told(&self) -> (&'v str, Vec<String>) {
        let task = || self.after("task", "task");
        let by = || self.after("by", "by");
        let name = || self.text("name").to_owned();
        let reason = || self.after("because", "reason");
        match self.text("event") {
            "decision" => self.decided(),
            "task_started" => (
                "task started",
                vec![
                    by(),
                    self.after("for", "subject"),
                    task(),
                    self.after("under", "parent"),
                    self.after("token", "jti"),
                    self.after("held by", "agent"),
                    self.expiry(),
                    self.after("note", "reason"),
                ],
            ),
            "token_issued" => (
                "token issued",
                vec![by(), task(), self.after("token", "jti"), self.after("held by", "agent"), self.expiry()],
            ),
            "token_delegated" => (
                "token delegated",
                vec![
                    self.after("to", "agent"),
                    by(),
                    task(),
                    self.after("token", "jti"),
                    self.after("from token", "parent_jti"),
                    self.expiry(),
                ],
            ),
            "grant_used" => (
                "grant used",
                vec![
                    name(),
                    self.after("agent", "agent"),
                    task(),
                    self.after("token", "jti"),
                    self.after("by data plane", "data_plane"),
                ],
            ),
            "task_completed" => ("task completed", vec![by(), task(), reason()]),
            "task_revoked" => ("task revoked", vec![by(), task(), reason()]),
            "revoked" => ("revoked", vec![self.named(), by(), reason(), self.expiry()]),
            "lifted" => ("lifted", vec![self.named(), by()]),
            "policy_published" => ("policy published", vec![self.after("generation", "seq"), by()]),
            "key_made" => ("key made", vec![name(), by()]),
            "key_activated" => ("key signs", vec![name(), by()]),
            "key_withdrawn" => ("key withdrawn", vec![name(), by(), reason()]),
            "credential_leased" => {
                ("credential leased", vec![name(), self.after("to", "data_plane"), self.expiry()])
            }
            "refusals" => (
                "refused",
                vec![
                    self.requests(),
                    self.text("code").to_owned(),
                    self.at_host(),
                    "in this minute".to_owned(),
                ],
            ),
            "dropped" => (
                "not recorded",
                vec![format!("{} decisions", self.after("", "count").trim()), self.after("of", "data_plane")],
            ),
            "anchor" => ("anchor", vec![name(), self.after("at batch", "seq")]),
            "writer_started" => ("server started", vec![name(), by()]),
            "restored" => ("store restored", vec![self.after("epoch", "seq"), by()]),
            other => (other, vec![by(), task()]),
        }
    }

    /// A request, and what became of it.
    fn decided(&self) -> (&'v str, Vec<String>) {
        let what = match self.text("verdict") {
            "allow" => "allowed",
            _ if self.is_shadow() => "would be denied",
            _ => "denied",
        };
        let request = match (self.text("action"), self.text("resource")) {
            ("", _) => self.at_host(),
            (action, resource) => format!("{action} on {resource}"),
        };
        let code = self.text("code").to_owned();
        (
            what,
            vec![
                code,
                request,
                self.after("agent", "agent"),
                task_of(self),
                self.after("by data plane", "data_plane"),
                self.repeated(),
            ],
        )
    }

    /// How often the same came again, where that is told and not each time.
    fn repeated(&self) -> String {
        let requests = self.requests();
        if requests.is_empty() { requests } else { format!("{requests} more in this minute") }
    }

    /// With milliseconds, where they are known: data planes tell of seconds.
    fn at(&self) -> String {
        let at = self.0.get("at").and_then(Value::as_u64).unwrap_or(0);
        let second = date(at / 1000);
        match second.strip_suffix('Z') {
            Some(second) => format!("{second}.{:03}Z", at % 1000),
            None => second,
        }
    }

    fn expiry(&self) -> String {
        let expires_at = self.0.get("expires_at").and_then(Value::as_u64);
        expires_at.map_or_else(String::new, |expires_at| format!("until {}", date(expires_at)))
    }

    fn requests(&self) -> String {
        match self.0.get("count").and_then(Value::as_u64) {
            Some(1) => "1 request".to_owned(),
            Some(count) => format!("{count} requests"),
            None => String::new(),
        }
    }

    fn at_host(&self) -> String {
        match self.text("host") {
            "" => "at a host that nobody listed".to_owned(),
            host => format!("at {host}"),
        }
    }

    fn named(&self) -> String {
        format!("{} {}", self.text("level"), self.text("name"))
    }

    /// A member with a word before it; empty if it is not there.
    fn after(&self, word: &str, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => format!("{word} {text}"),
            Some(Value::Number(number)) => format!("{word} {number}"),
            _ => String::new(),
        }
    }

    fn text(&self, name: &str) -> &'v str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_shadow(&self) -> bool {
        self.0.get("shadow").and_then(Value::as_bool).unwrap_or(false)
    }
}

fn task_of(event: &Event<'_>) -> String {
    event.after("task", "task")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(event: &Value) -> String {
        anstream::adapter::strip_str(&line(event)).to_string()
    }

    #[test]
    fn events_read_like_sentences() {
        for (event, told) in [
            (
                json!({"at": 1_000, "event": "decision", "verdict": "allow", "action": "s3:GetObject",
                    "resource": "s3://b/k", "agent": "a", "task": "t", "data_plane": "edge"}),
                "1970-01-01T00:00:01.000Z  allowed           s3:GetObject on s3://b/k, agent a, task t, by data plane edge",
            ),
            (
                json!({"at": 1_500, "event": "decision", "verdict": "deny", "code": "revoked", "host": "h", "agent": "a"}),
                "1970-01-01T00:00:01.500Z  denied            revoked, at h, agent a",
            ),
            (
                json!({"at": 0, "event": "task_completed", "by": "c", "task": "t"}),
                "1970-01-01T00:00:00.000Z  task completed    by c, task t",
            ),
            (
                json!({"at": 0, "event": "refusals", "code": "missing_token", "count": 7}),
                "1970-01-01T00:00:00.000Z  refused           7 requests, missing_token, at a host that nobody listed, in this minute",
            ),
            (
                json!({"at": 0, "event": "dropped", "count": 7, "data_plane": "edge"}),
                "1970-01-01T00:00:00.000Z  not recorded      7 decisions, of edge",
            ),
            (
                json!({"at": 0, "event": "of_later\n", "by": "c"}),
                "1970-01-01T00:00:00.000Z  of_later\\u{a}     by c",
            ),
        ] {
            assert_eq!(plain(&event), told);
        }
    }
}
