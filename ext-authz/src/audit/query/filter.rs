//! Which events are asked for.

use std::collections::BTreeSet;

use audit::{Event, EventKind};
use serde::Deserialize;

use super::place::Place;

/// Events of a page, unless fewer are asked for.
const PAGE: usize = 100;
const MOST: usize = 1000;
/// Longest text that is looked for.
const TEXT: usize = 255;
/// Tasks that the store looks for; of more, all batches are looked at here.
const NARROW: usize = 50;
/// Clocks that differ, and tasks that are a little older than the first that is told of them.
const SLACK: u64 = 60_000;
/// How much later than it happened an event may be written: data planes report within the hour, and a store may be away.
const LATENESS: u64 = 24 * 3_600_000;

/// The parameters of `GET /v1/audit`. All that are given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Parameters {
    /// Of this task and those under it.
    task: Option<String>,
    agent: Option<String>,
    client: Option<String>,
    jti: Option<String>,
    event: Option<EventKind>,
    /// `allow` or `deny`.
    verdict: Option<String>,
    /// Happened at this instant or later, Unix milliseconds.
    since: Option<u64>,
    /// Happened before this instant.
    until: Option<u64>,
    /// Written at this instant or later: for whoever follows what comes in.
    written_since: Option<u64>,
    /// Where the page before ended.
    after: Option<Place>,
    /// Events of a page.
    limit: Option<usize>,
}

/// What a page holds.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    parameters: Parameters,
    /// The task and those under it.
    tasks: BTreeSet<String>,
}

impl Parameters {
    /// What cannot be asked, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        let texts = [
            ("task", &self.task),
            ("agent", &self.agent),
            ("client", &self.client),
            ("jti", &self.jti),
            ("verdict", &self.verdict),
        ];
        for (name, text) in texts {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.len() > TEXT) {
                return Err(format!("`{name}` has 1 to {TEXT} bytes"));
            }
        }
        if self.verdict.as_ref().is_some_and(|verdict| verdict != "allow" && verdict != "deny") {
            return Err("`verdict` is `allow` or `deny`".to_owned());
        }
        if self.limit.is_some_and(|limit| !(1..=MOST).contains(&limit)) {
            return Err(format!("`limit` is 1 to {MOST}"));
        }
        Ok(())
    }

    pub(super) fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }

    /// With the tasks that are under the one that is asked for.
    pub(super) fn with_tasks(self, below: impl IntoIterator<Item = String>) -> Filter {
        let tasks = self.task.iter().cloned().chain(below).collect();
        Filter { parameters: self, tasks }
    }
}

impl Filter {
    pub(super) fn limit(&self) -> usize {
        self.parameters.limit.unwrap_or(PAGE)
    }

    pub(super) fn after(&self) -> Option<&Place> {
        self.parameters.after.as_ref()
    }

    /// The earliest instant at which a batch with such events was sealed, Unix milliseconds. Nothing is written before it
    /// happens, and the id of a task says when that began (RFC 9562 section 5.7).
    pub(super) fn sealed_from(&self) -> Option<u64> {
        let Parameters { since, written_since, task, .. } = &self.parameters;
        let begun = task.as_deref().and_then(|task| uuid::Uuid::parse_str(task).ok()).and_then(begun);
        [*written_since, since.map(|since| since.saturating_sub(SLACK)), begun].into_iter().flatten().max()
    }

    /// The instant from which on no such batch was sealed.
    pub(super) fn sealed_until(&self) -> Option<u64> {
        self.parameters.until.map(|until| until.saturating_add(LATENESS))
    }

    /// What a batch with such an event holds: of each list one text.
    pub(super) fn texts(&self) -> Vec<Vec<String>> {
        let Parameters { agent, client, jti, event, verdict, .. } = &self.parameters;
        let named = [("agent", agent), ("client", client), ("jti", jti), ("verdict", verdict)];
        let mut texts: Vec<Vec<String>> = named
            .into_iter()
            .filter_map(|(name, value)| Some(vec![format!("\"{name}\":{}", json(value.as_ref()?))]))
            .collect();
        texts.extend(event.map(|event| vec![format!("\"event\":{}", json(&event))]));
        if !self.tasks.is_empty() && self.tasks.len() <= NARROW {
            // As a task, or as the name of what is revoked.
            texts.push(self.tasks.iter().map(|task| format!(":{}", json(task))).collect());
        }
        texts
    }

    /// Whether `event` is asked for.
    pub(super) fn matches(&self, event: &Event<'_>) -> bool {
        let Parameters {
            task: _,
            agent,
            client,
            jti,
            event: kind,
            verdict,
            since,
            until,
            written_since: _,
            after: _,
            limit: _,
        } = &self.parameters;
        let is = |asked: &Option<String>, found: &Option<_>| {
            asked.is_none() || asked.as_deref() == found.as_deref()
        };
        is(agent, &event.agent)
            && is(client, &event.client)
            && is(jti, &event.jti)
            && is(verdict, &event.verdict)
            && kind.is_none_or(|kind| kind == event.event)
            && since.is_none_or(|since| event.at >= since)
            && until.is_none_or(|until| event.at < until)
            && (self.tasks.is_empty() || self.is_of_tasks(event))
    }

    fn is_of_tasks(&self, event: &Event<'_>) -> bool {
        let is_one = |name: Option<&str>| name.is_some_and(|name| self.tasks.contains(name));
        let revoked = event.name.as_deref().filter(|_| event.level.as_deref() == Some("task"));
        is_one(event.task.as_deref()) || is_one(revoked)
    }
}

/// As it is in a line: events are made by one serializer, which always writes a text in the same way.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn begun(id: uuid::Uuid) -> Option<u64> {
    let (seconds, _) = id.get_timestamp()?.to_unix();
    Some(seconds.saturating_mul(1000).saturating_sub(SLACK))
}

#[cfg(test)]
mod tests {
    use audit::Lines;

    use super::*;

    fn parameters(query: &str) -> Result<Parameters, String> {
        let pairs: serde_json::Map<_, _> = form_urlencoded::parse(query.as_bytes())
            .map(|(k, v)| (k.into_owned(), v.into_owned().into()))
            .collect();
        serde_json::from_value(pairs.into()).map_err(|error: serde_json::Error| error.to_string())
    }

    fn filter(query: &str) -> Filter {
        parameters(query).unwrap().with_tasks([])
    }

    #[test]
    fn what_is_no_question_is_refused() {
        for query in ["tasks=x", "event=nothing", "after=x"] {
            assert!(parameters(query).is_err(), "{query}");
        }
        for query in ["task=", "verdict=maybe", &format!("jti={}", "x".repeat(256))] {
            assert!(parameters(query).unwrap().check().is_err(), "{query}");
        }
        for limit in [0, MOST + 1] {
            let parameters = Parameters { limit: Some(limit), ..Parameters::default() };
            assert!(parameters.check().is_err(), "{limit}");
        }
    }

    /// The store must not leave out what would match here.
    #[test]
    fn a_batch_with_a_match_holds_the_texts() {
        let odd = "a\"b\\c\n%_é";
        let event = Event {
            event: EventKind::Decision,
            task: Some(odd.into()),
            agent: Some(odd.into()),
            verdict: Some("deny".into()),
            ..Event::default()
        };
        let asked = Parameters {
            task: Some(odd.into()),
            agent: Some(odd.into()),
            verdict: Some("deny".into()),
            event: Some(EventKind::Decision),
            ..Parameters::default()
        };
        let filter = asked.with_tasks(["other".to_owned()]);
        assert!(filter.matches(&event));
        let lines = Lines::of(&event);
        let texts = filter.texts();
        assert_eq!(texts.len(), 4);
        for text in texts {
            assert!(text.iter().any(|text| lines.text().contains(text)), "{text:?}");
        }
    }

    #[test]
    fn a_revocation_of_a_task_is_of_the_task() {
        let revoked = Event::revoked(1, "ops", "task", "t", None, None);
        assert!(filter("task=t").matches(&revoked));
        assert!(!filter("task=t").matches(&Event::revoked(1, "ops", "agent", "t", None, None)));
        assert!(!filter("task=u").matches(&revoked));
        assert!(filter("").matches(&revoked));
    }

    #[test]
    fn time_narrows_what_is_read() {
        let none = filter("");
        assert_eq!((none.sealed_from(), none.sealed_until()), (None, None));
        let narrow = Parameters { since: Some(100_000), until: Some(200_000), ..Parameters::default() };
        let narrow = narrow.with_tasks([]);
        assert_eq!((narrow.sealed_from(), narrow.sealed_until()), (Some(40_000), Some(200_000 + LATENESS)));
        let at = |at| Event { at, ..Event::default() };
        assert!(narrow.matches(&at(100_000)) && narrow.matches(&at(199_999)));
        assert!(!narrow.matches(&at(99_999)) && !narrow.matches(&at(200_000)));
        let task = uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_000, 0));
        assert_eq!(filter(&format!("task={task}")).sealed_from(), Some(940_000));
    }
}
