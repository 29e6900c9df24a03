//! Denials of tokens that are good for nothing any more: the first of a kind in a minute gets a line, the others are counted.
//! Whoever replays a dead token must not fill the log with it.

use std::collections::BTreeMap;

use audit::{Event, EventKind, Lines};
use verdict::DenialCode;

use super::queue::Queue;

/// Most kinds that are told apart. Those beyond it are counted by code alone.
const MOST: usize = 8192;
const MINUTE: u64 = 60_000;
/// The bearer has no rights, whatever is asked for.
const DEAD: [DenialCode; 3] = [DenialCode::Expired, DenialCode::Revoked, DenialCode::SenderMismatch];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// Beginning of the minute, Unix milliseconds.
    minute: u64,
    code: &'static str,
    is_shadow: bool,
    /// Empty, as the host, for all that have no place of their own.
    jti: String,
    host: String,
}

/// What is told of a kind beside itself.
#[derive(Debug, Default)]
struct Repeated {
    task: Option<String>,
    agent: Option<String>,
    client: Option<String>,
    /// After the first one.
    count: u64,
}

/// Counters of one server.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<Kind, Repeated>);

impl Repeats {
    /// Whether `event`, which is recorded at `now`, gets a line of its own. Otherwise it is counted.
    pub(super) fn is_first(&mut self, now: u64, event: &Event<'_>) -> bool {
        let Some(code) = dead(event) else { return true };
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let (jti, host) = (owned(&event.jti).unwrap_or_default(), owned(&event.host).unwrap_or_default());
        let kind =
            Kind { minute: now - now % MINUTE, code, is_shadow: event.shadow == Some(true), jti, host };
        if let Some(known) = self.0.get_mut(&kind) {
            known.count = known.count.saturating_add(1);
            return false;
        }
        if self.0.len() >= MOST {
            let rest = Kind { jti: String::new(), host: String::new(), ..kind };
            let rest = self.0.entry(rest).or_default();
            rest.count = rest.count.saturating_add(1);
            return false;
        }
        let Event { task, agent, client, .. } = event;
        let [task, agent, client] = [task, agent, client].map(owned);
        self.0.insert(kind, Repeated { task, agent, client, count: 0 });
        true
    }

    /// Moves what was counted before the minute of `now` into `queue`, and all if `now` is `None`, as far as there is room:
    /// there is no more of it while it waits.
    pub(super) fn flush(&mut self, now: Option<u64>, queue: &mut Queue) {
        let current = now.map_or(u64::MAX, |now| now - now % MINUTE);
        while let Some(first) = self.0.first_entry().filter(|entry| entry.key().minute < current) {
            if first.get().count > 0 {
                let lines = Lines::of(&told(first.key(), first.get()));
                if !queue.has_room(&lines) {
                    return;
                }
                queue.push(&lines);
            }
            first.remove();
        }
    }
}

fn dead(event: &Event<'_>) -> Option<&'static str> {
    let code = event.code.as_deref().filter(|_| event.event == EventKind::Decision)?;
    DEAD.iter().map(|dead| dead.as_str()).find(|dead| *dead == code)
}

fn told<'r>(kind: &'r Kind, repeated: &'r Repeated) -> Event<'r> {
    let Kind { minute, code, is_shadow, jti, host } = kind;
    let Repeated { task, agent, client, count } = repeated;
    let some = |text: &'r String| Some(text.as_str().into()).filter(|_| !text.is_empty());
    Event {
        at: *minute,
        event: EventKind::Decision,
        task: task.as_deref().map(Into::into),
        agent: agent.as_deref().map(Into::into),
        client: client.as_deref().map(Into::into),
        jti: some(jti),
        host: some(host),
        verdict: Some("deny".into()),
        code: Some((*code).into()),
        shadow: is_shadow.then_some(true),
        count: Some(*count),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::queue::Bounds, *};

    fn denial<'e>(code: &'e str, jti: &'e str) -> Event<'e> {
        Event {
            event: EventKind::Decision,
            task: Some("t".into()),
            jti: Some(jti.into()),
            host: Some("h".into()),
            verdict: Some("deny".into()),
            code: Some(code.into()),
            ..Event::default()
        }
    }

    fn flushed(repeats: &mut Repeats, now: Option<u64>) -> Vec<String> {
        let mut queue = Queue::new(Bounds::DEFAULT);
        repeats.flush(now, &mut queue);
        queue.begin(0).map_or_else(Vec::new, |part| part.lines.text().lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_dead_token_has_two_lines_a_minute() {
        let mut repeats = Repeats::default();
        let firsts = (0..90_000).filter(|now| repeats.is_first(*now, &denial("revoked", "a"))).count();
        assert_eq!(firsts, 2);
        assert!(repeats.is_first(0, &denial("revoked", "b")) && repeats.is_first(0, &denial("expired", "a")));
        let line = r#"{"at":0,"event":"decision","task":"t","jti":"a","host":"h","verdict":"deny","code":"revoked","count":59999}"#;
        assert_eq!(flushed(&mut repeats, Some(60_000)), [line]);
        let rest = line.replace("\"at\":0", "\"at\":60000").replace("59999", "29999");
        assert_eq!(flushed(&mut repeats, None), [rest]);
        assert_eq!(flushed(&mut repeats, None), [""; 0]);
    }

    #[test]
    fn a_living_token_has_a_line_each_time() {
        let mut repeats = Repeats::default();
        for event in [denial("not_granted", "a"), Event { code: None, ..denial("", "a") }] {
            assert!((0..3).all(|now| repeats.is_first(now, &event)), "{event:?}");
        }
        assert_eq!(flushed(&mut repeats, None), [""; 0]);
    }

    #[test]
    fn kinds_are_bounded_and_none_is_lost() {
        let mut repeats = Repeats::default();
        let total = MOST as u64 + 500;
        let firsts = (0..total).filter(|id| repeats.is_first(0, &denial("expired", &id.to_string()))).count();
        assert_eq!((firsts, repeats.0.len()), (MOST, MOST + 1));
        let rest = r#"{"at":0,"event":"decision","verdict":"deny","code":"expired","count":500}"#;
        assert_eq!(flushed(&mut repeats, None), [rest]);
    }

    #[test]
    fn what_has_no_room_waits() {
        let mut repeats = Repeats::default();
        assert!(
            repeats.is_first(0, &denial("expired", "a")) && !repeats.is_first(0, &denial("expired", "a"))
        );
        let mut full = Queue::new(Bounds { bytes: 10, events: 10 });
        repeats.flush(None, &mut full);
        assert_eq!(flushed(&mut repeats, None).len(), 1);
    }
}
