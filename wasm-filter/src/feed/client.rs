//! The stream of one root: opened, listened to, given up, opened again.
//!
//! Whatever the sender does wrong ends the stream, never what is in force: the last good snapshot judges until it is
//! stale.

mod deltas;
mod link;
mod settle;
mod snapshots;

use std::rc::Rc;

use verdict::{UnixTime, document::Version};

use self::{
    link::{Link, Up},
    snapshots::Behind,
};
use super::{
    assembly::Assembly,
    backoff::{Backoff, Jitter},
    floor::Floor,
    messages::{CHUNK, GoAway, Hello, Response},
    shared::Shared,
};
use crate::{
    host::{ContextId, FeedHost, Host, HostError, Level, StreamId},
    plugin::Plugin,
};

/// gRPC service and method.
const SERVICE: &str = "writ.v1.DataPlane";
const METHOD: &str = "Watch";

/// Milliseconds until the first tick.
const TICK_FIRST: u32 = 10;

/// Largest message, in bytes: a piece of a snapshot and what stands beside it.
const MAX_MESSAGE: usize = CHUNK + (64 << 10);
/// A `GoAway` is obeyed up to so many milliseconds.
const MAX_GO_AWAY: u64 = 60_000;

/// The feed of one root.
#[derive(Debug)]
pub struct Client<H: FeedHost + Clone> {
    host: H,
    context: ContextId,
    plugin: Rc<Plugin>,
    floor: Floor,
    jitter: Jitter,
    backoff: Backoff,
    assembly: Assembly,
    /// A snapshot that was refused before its last piece had come.
    refused: Option<Version>,
    /// A whole snapshot that is behind what this Envoy has held, until deltas bring it there.
    behind: Option<Behind>,
    link: Link,
    /// A stream that was given up. It has one more tick to carry what was sent last.
    ending: Option<StreamId>,
    /// Whether operators were told that there is no feed, until there is one again.
    complained: bool,
    /// Whether operators were told that a sender's clock is ahead, until one is not.
    ahead: bool,
    /// Whether requests are left that need not wait any longer, or must be ended.
    unsettled: bool,
    /// Unix second in which expired revocations were last looked for.
    expired: u64,
    tick: u32,
}

impl<H: FeedHost + Clone> Client<H> {
    /// Takes the feed over from whichever root held it. The first tick opens the stream: a root that is only there
    /// to check a configuration never gets one.
    ///
    /// # Errors
    /// The host has no ticks or shares no data; `None` where `plugin` is not fed.
    pub fn begin(host: H, context: ContextId, plugin: Rc<Plugin>) -> Result<Option<Self>, HostError> {
        let Some(shared) = plugin.feed() else { return Ok(None) };
        let floor = Floor::of(&host, shared.config())?;
        host.set_tick_period(TICK_FIRST)?;
        shared.take_over(context);
        Ok(Some(Self {
            jitter: Jitter::new(&node(&host, "id"), context.0),
            host,
            context,
            floor,
            plugin,
            backoff: Backoff::default(),
            assembly: Assembly::default(),
            refused: None,
            behind: None,
            link: Link::default(),
            ending: None,
            complained: false,
            ahead: false,
            unsettled: false,
            expired: 0,
            tick: TICK_FIRST,
        }))
    }

    /// Time has passed.
    pub fn on_tick(&mut self) {
        let plugin = Rc::clone(&self.plugin);
        let (Some(shared), Ok(now)) = (plugin.feed(), self.host.clock()) else { return };
        if let Some(stream) = self.ending.take() {
            self.host.cancel(stream);
        }
        if shared.is_held_by(self.context) {
            if self.link.is_due(millis(now)) {
                self.open(shared, now);
            } else if self.link.is_silent(millis(now)) {
                self.give_up(shared, now, "the server is silent");
            }
            self.catch_up(shared, now);
            shared.send_report(&self.host);
        } else {
            self.release(shared, now);
        }
        self.expire(shared, now);
        self.plugin.doom_expired(seconds(now));
        self.renew(now);
        self.settle(shared, now);
        self.settle_lost(now);
        self.pace(shared);
    }

    /// A message of `size` bytes has come.
    pub fn on_message(&mut self, stream: StreamId, size: usize) {
        let plugin = Rc::clone(&self.plugin);
        let (Some(shared), Ok(now)) = (plugin.feed(), self.host.clock()) else { return };
        if !shared.is_held_by(self.context) {
            self.release(shared, now);
        }
        let Some(up) = self.link.up(stream) else { return };
        if up.hear(millis(now)) {
            self.host.increment(shared.metrics().connects);
            self.host.add(shared.metrics().connected, 1);
            self.complained = false;
            // Not before: what was decided would go to nobody.
            shared.set_stream(Some(stream));
        }
        shared.answered();
        if size > MAX_MESSAGE {
            self.give_up(shared, now, "a message is too large");
        } else if let Ok(message) = self.host.message(size) {
            match Response::decode(&message) {
                Ok(response) => self.on_response(shared, response, now),
                Err(error) => self.give_up(shared, now, &error.to_string()),
            }
        } else {
            self.give_up(shared, now, "a message is gone");
        }
        self.pace(shared);
    }

    /// A stream has ended.
    pub fn on_close(&mut self, stream: StreamId, status: u32) {
        let plugin = Rc::clone(&self.plugin);
        let (Some(shared), Ok(now)) = (plugin.feed(), self.host.clock()) else { return };
        if self.link.up(stream).is_some() {
            self.complain(&format!("the stream ended with gRPC status {status}"));
            self.end(shared, now);
            self.pace(shared);
        }
    }

    fn on_response(&mut self, shared: &Shared, response: Response<'_>, now: u64) {
        match response {
            Response::Snapshot(piece) => self.on_snapshot(shared, &piece, now),
            Response::Heartbeat(heartbeat) => self.on_heartbeat(shared, heartbeat, now),
            Response::GoAway(GoAway { reconnect_ms, reason }) => {
                let reason = excerpt(reason);
                self.host.log(Level::Info, &format!("writ: feed: the server sends us away: {reason}"));
                let least = reconnect_ms.min(MAX_GO_AWAY);
                let delay = least.saturating_add(self.jitter.up_to(least, now));
                self.leave(shared, now, delay);
            }
            Response::Delta(delta) => self.on_delta(shared, &delta, now),
            Response::Unknown => {}
        }
    }

    fn open(&mut self, shared: &Shared, now: u64) {
        let feed = shared.config();
        let (id, cluster) = (node(&self.host, "id"), node(&self.host, "cluster"));
        let hello = Hello { build: env!("CARGO_PKG_VERSION"), node: (&id, &cluster), held: shared.held() };
        let stream = self.host.open_stream(&feed.upstream(), SERVICE, METHOD, feed.metadata());
        match stream.and_then(|stream| self.host.send(stream, &hello.encode(), false).map(|()| stream)) {
            Ok(stream) => {
                self.link = Link::Up(Up::new(stream, millis(now)));
                self.refused = None;
            }
            Err(error) => {
                self.complain(&error.to_string());
                self.end(shared, now);
            }
        }
    }

    /// The sender has broken the protocol, or is gone without a word.
    fn give_up(&mut self, shared: &Shared, now: u64, reason: &str) {
        self.host.log(Level::Error, &format!("writ: feed: {reason}"));
        self.complained = true;
        self.leave(shared, now, 0);
    }

    /// Leaves the stream, to open another after at least `delay` milliseconds.
    fn leave(&mut self, shared: &Shared, now: u64, delay: u64) {
        if let Link::Up(up) = &self.link {
            self.ending = Some(up.stream());
        }
        self.end(shared, now);
        self.link.delay(delay);
    }

    /// The stream is no more, or none came to be.
    fn end(&mut self, shared: &Shared, now: u64) {
        self.forget(shared);
        if self.link.has_lasted(millis(now)) {
            self.backoff.reset();
        }
        let delay = self.backoff.next(&self.jitter, now);
        self.link = Link::Down { retry_at: millis(now).saturating_add(delay) };
        shared.set_stream(None);
    }

    /// Another root holds the feed.
    fn release(&mut self, shared: &Shared, now: u64) {
        if let Link::Up(up) = &self.link {
            self.host.cancel(up.stream());
            self.forget(shared);
            self.link = Link::Down { retry_at: millis(now) };
        }
    }

    fn forget(&mut self, shared: &Shared) {
        self.assembly.clear();
        self.behind = None;
        self.host.increment(shared.metrics().closed);
        if self.link.is_answered() {
            self.host.add(shared.metrics().connected, -1);
        }
    }

    /// Says once that there is no feed.
    fn complain(&mut self, reason: &str) {
        let level = if self.complained { Level::Debug } else { Level::Error };
        self.complained = true;
        self.host.log(level, &format!("writ: feed: {reason}"));
    }

    fn send(&mut self, shared: &Shared, message: &[u8], now: u64) {
        let Link::Up(up) = &self.link else { return };
        if let Err(error) = self.host.send(up.stream(), message, false) {
            self.complain(&error.to_string());
            self.end(shared, now);
        }
    }
}

impl<H: FeedHost + Clone> Drop for Client<H> {
    /// The proxy deletes the root: its stream ends with it.
    fn drop(&mut self) {
        let plugin = Rc::clone(&self.plugin);
        let Some(shared) = plugin.feed() else { return };
        if let Link::Up(up) = &self.link {
            self.host.cancel(up.stream());
            self.forget(shared);
        }
        shared.leave(self.context);
    }
}

fn millis(nanoseconds: u64) -> u64 {
    nanoseconds / 1_000_000
}

fn seconds(nanoseconds: u64) -> UnixTime {
    UnixTime(nanoseconds / 1_000_000_000)
}

/// Longest text of others that is passed on, in bytes.
const MAX_TEXT: usize = 512;

/// A member of this Envoy's `node`, as far as it says who it is.
fn node(host: &impl Host, member: &str) -> String {
    excerpt(&host.property(&["xds", "node", member]).ok().flatten().unwrap_or_default())
}

/// The beginning of a text of others, without what would make lines or colours of its own.
fn excerpt(text: &[u8]) -> String {
    let text = text.get(..MAX_TEXT).unwrap_or(text);
    String::from_utf8_lossy(text).replace(|character: char| character.is_control(), " ")
}
