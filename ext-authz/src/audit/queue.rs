//! Events that wait to be written.

use std::collections::VecDeque;

use audit::{Event, Lines};

/// Bytes from which on a part is written by itself: what is written at once must not hold up others for long.
const PART: usize = 256 << 10;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) bytes: usize,
    pub(super) events: u64,
}

impl Bounds {
    /// Of a server: minutes of a busy one, without its store.
    pub(super) const DEFAULT: Self = Self { bytes: 8 << 20, events: 50_000 };
}

/// Events in parts, first in first out. What has no room is counted.
#[derive(Debug)]
pub(super) struct Queue {
    bounds: Bounds,
    parts: VecDeque<Lines>,
    /// Whether the first part is being written: nothing is added to it any more.
    is_writing: bool,
    bytes: usize,
    events: u64,
    /// Not told of yet.
    dropped: u64,
}

/// What is to be written next.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) lines: Lines,
    /// Events that the last line says are missing.
    dropped: u64,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, parts: VecDeque::new(), is_writing: false, bytes: 0, events: 0, dropped: 0 }
    }

    /// Adds events, all or none. `false`: there was no room, and they are counted as dropped.
    pub(super) fn push(&mut self, lines: &Lines) -> bool {
        if !self.has_room(lines) {
            self.dropped = self.dropped.saturating_add(lines.events());
            return false;
        }
        self.bytes += lines.bytes();
        self.events += lines.events();
        let is_open = self.parts.len() > usize::from(self.is_writing);
        match self.parts.back_mut().filter(|last| is_open && last.bytes() + lines.bytes() <= PART) {
            Some(last) => last.append(lines),
            None => self.parts.push_back(lines.clone()),
        }
        true
    }

    pub(super) fn has_room(&self, lines: &Lines) -> bool {
        let Bounds { bytes, events } = self.bounds;
        self.bytes + lines.bytes() <= bytes && self.events + lines.events() <= events
    }

    /// The next part, which stays here until [`Queue::written`] or [`Queue::refused`]; `None` if there is none.
    pub(super) fn begin(&mut self, now: u64) -> Option<Part> {
        let mut lines = self.parts.front()?.clone();
        self.is_writing = true;
        let dropped = self.dropped;
        if dropped > 0 {
            lines.push(&Event::dropped(now, dropped, None));
        }
        Some(Part { lines, dropped })
    }

    /// `part` is written.
    pub(super) fn written(&mut self, part: &Part) {
        self.remove_first();
        self.dropped = self.dropped.saturating_sub(part.dropped);
    }

    /// `part` cannot be written, now or ever.
    pub(super) fn refused(&mut self) {
        let events = self.remove_first();
        self.dropped = self.dropped.saturating_add(events);
    }

    fn remove_first(&mut self) -> u64 {
        self.is_writing = false;
        let Some(first) = self.parts.pop_front() else { return 0 };
        self.bytes -= first.bytes();
        self.events -= first.events();
        first.events()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(size: usize) -> Lines {
        Lines::of(&Event { reason: Some("x".repeat(size).into()), ..Event::default() })
    }

    fn queue(bytes: usize, events: u64) -> Queue {
        Queue::new(Bounds { bytes, events })
    }

    #[test]
    fn parts_come_in_order_and_stay_until_they_are_written() {
        let mut queue = queue(usize::MAX, u64::MAX);
        assert!(queue.begin(0).is_none());
        queue.push(&event(1));
        queue.push(&event(2));
        let first = queue.begin(0).unwrap();
        assert_eq!(first.lines.events(), 2);
        // Nothing is added to what is being written.
        queue.push(&event(3));
        assert_eq!(queue.begin(0).unwrap().lines.text(), first.lines.text());
        queue.written(&first);
        let second = queue.begin(0).unwrap();
        assert_eq!(second.lines.text(), event(3).text());
        queue.written(&second);
        assert_eq!((queue.is_empty(), queue.bytes(), queue.events()), (true, 0, 0));
    }

    #[test]
    fn parts_are_bounded() {
        let mut queue = queue(usize::MAX, u64::MAX);
        for _ in 0..10 {
            queue.push(&event(100 << 10));
        }
        let mut parts = 0;
        while let Some(part) = queue.begin(0) {
            assert!(part.lines.bytes() <= PART);
            queue.written(&part);
            parts += 1;
        }
        assert_eq!(parts, 5);
    }

    #[test]
    fn what_has_no_room_is_counted_and_told_once_there_is() {
        let mut queue = queue(usize::MAX, 3);
        for _ in 0..10 {
            queue.push(&event(1));
        }
        let part = queue.begin(9).unwrap();
        assert_eq!(part.lines.events(), 4);
        let told = part.lines.text().lines().last().unwrap().to_owned();
        assert_eq!(told, r#"{"at":9,"event":"dropped","count":7}"#);
        // Until it is written it is not told.
        assert!(!queue.push(&event(1)));
        queue.written(&part);
        assert!(queue.push(&event(1)));
        let part = queue.begin(9).unwrap();
        assert!(part.lines.text().ends_with("\"count\":1}\n"), "{}", part.lines.text());
        queue.written(&part);
        queue.push(&event(1));
        assert_eq!(queue.begin(9).unwrap().lines.events(), 1);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut queue = queue(1000, u64::MAX);
        while queue.push(&event(100)) {}
        assert!(queue.bytes() <= 1000);
        queue.refused();
        assert!(queue.is_empty());
        queue.push(&event(1));
        assert!(queue.begin(0).unwrap().lines.text().contains("\"dropped\""));
    }
}
