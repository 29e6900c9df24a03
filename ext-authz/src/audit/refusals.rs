//! Denials before a token was verified, counted by minute: whoever has no token gets no line of their own.

use std::{collections::BTreeMap, sync::Arc};

use audit::{Event, Lines};

use super::queue::Queue;

/// Most counters. Codes and hosts are the policy's own, so that these are many.
const MOST: usize = 4096;
const MINUTE: u64 = 60_000;

/// Beginning of the minute, Unix milliseconds; code; host.
type Key = (u64, &'static str, Arc<str>);

/// Counters of one server.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counts: BTreeMap<Key, u64>,
    /// Decisions that data planes did not report, by data plane.
    unreported: BTreeMap<Arc<str>, u64>,
}

impl Refusals {
    /// So many more. `host` as the policy has it; empty for hosts that nobody listed.
    pub(super) fn count(&mut self, now: u64, code: &'static str, host: &str, count: u64) {
        let minute = now - now % MINUTE;
        let mut key = (minute, code, Arc::from(host));
        if self.counts.len() >= MOST && !self.counts.contains_key(&key) {
            key = self.catch_all(minute, code);
        }
        let counter = self.counts.entry(key).or_default();
        *counter = counter.saturating_add(count);
    }

    /// A counter for all hosts, and for all minutes until there is room again. Codes are few: these are all that can come
    /// on top.
    fn catch_all(&self, minute: u64, code: &'static str) -> Key {
        let known = self.counts.keys().find(|(_, known, host)| *known == code && host.is_empty());
        known.cloned().unwrap_or_else(|| (minute, code, Arc::from("")))
    }

    /// A data plane says that it did not report so many decisions.
    pub(super) fn unreported(&mut self, data_plane: &Arc<str>, count: u64) {
        if count > 0 {
            let counter = self.unreported.entry(Arc::clone(data_plane)).or_default();
            *counter = counter.saturating_add(count);
        }
    }

    /// Moves what was counted before the minute of `now` into `queue`, and all if `now` is `None`, as far as there is
    /// room: counters do not grow while they wait.
    pub(super) fn flush(&mut self, at: u64, now: Option<u64>, queue: &mut Queue) {
        let current = now.map_or(u64::MAX, |now| now - now % MINUTE);
        while let Some(first) = self.counts.first_entry().filter(|entry| entry.key().0 < current) {
            let ((minute, code, host), count) = (first.key(), *first.get());
            let lines = Lines::of(&Event::refusals(*minute, code, host, count));
            if !queue.has_room(&lines) {
                return;
            }
            queue.push(&lines);
            first.remove();
        }
        while let Some(first) = self.unreported.first_entry() {
            let lines = Lines::of(&Event::dropped(at, *first.get(), Some(first.key())));
            if !queue.has_room(&lines) {
                return;
            }
            queue.push(&lines);
            first.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::queue::Bounds, *};

    fn flushed(refusals: &mut Refusals, now: Option<u64>) -> Vec<String> {
        let mut queue = Queue::new(Bounds::DEFAULT);
        refusals.flush(7, now, &mut queue);
        queue.begin(0).map_or_else(Vec::new, |part| part.lines.text().lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_flood_is_a_line_for_each_minute_code_and_host() {
        let mut refusals = Refusals::default();
        for request in 0..100_000 {
            refusals.count(request, "missing_token", "a", 1);
        }
        refusals.count(1, "expired", "a", 2);
        assert_eq!(flushed(&mut refusals, Some(59_999)), [""; 0]);
        let lines = flushed(&mut refusals, Some(61_000));
        assert_eq!(
            lines,
            [
                r#"{"at":0,"event":"refusals","host":"a","code":"expired","count":2}"#,
                r#"{"at":0,"event":"refusals","host":"a","code":"missing_token","count":60000}"#,
            ]
        );
        let rest = flushed(&mut refusals, None);
        assert_eq!(
            rest,
            [r#"{"at":60000,"event":"refusals","host":"a","code":"missing_token","count":40000}"#]
        );
        assert_eq!(flushed(&mut refusals, None), [""; 0]);
    }

    #[test]
    fn counters_are_bounded_and_nothing_is_lost() {
        let mut refusals = Refusals::default();
        for minute in 0..10_000 {
            refusals.count(minute * MINUTE, "expired", &format!("host-{minute}"), 1);
            refusals.count(minute * MINUTE, "missing_token", "", 1);
        }
        assert!(refusals.counts.len() <= MOST + 2);
        assert_eq!(refusals.counts.values().sum::<u64>(), 20_000);
    }

    #[test]
    fn what_has_no_room_waits() {
        let mut refusals = Refusals::default();
        refusals.count(0, "expired", "a", 5);
        refusals.unreported(&Arc::from("edge"), 3);
        let mut full = Queue::new(Bounds { bytes: 10, events: 10 });
        refusals.flush(7, None, &mut full);
        assert!(full.is_empty());
        let lines = flushed(&mut refusals, None);
        assert_eq!(lines.last().unwrap(), r#"{"at":7,"event":"dropped","data_plane":"edge","count":3}"#);
        assert_eq!(lines.len(), 2);
    }
}
