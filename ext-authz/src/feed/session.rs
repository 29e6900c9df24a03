//! One stream, from Hello to its end.

use std::{collections::VecDeque, mem, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use proto::v1::{GoAway, Heartbeat, Hello, Nack, PROTOCOL};
use tokio::{
    sync::watch,
    task::coop,
    time::{Instant, Sleep, sleep, timeout_at},
};
use tonic::Status;
use verdict::document::Version;

use super::{
    Feed,
    answers::{Answers, Snapshot},
    channel::Channel,
    down,
    following::{Following, News, Way},
    from_wire,
    publication::Publication,
    registry::Entry,
    report, to_wire,
    up::Up,
    wire::{Message, WatchRequest},
};
use crate::{identity::DataPlane, listen::Shutdown, telemetry::feed as metrics};

/// The feature of watchers that take deltas.
const DELTAS: &str = "revocations";

/// How long watchers that are sent elsewhere wait at least: time for the others to be spread, and short beside the
/// time that what they hold stays fresh.
const RECONNECT: Duration = Duration::from_millis(500);
/// Why watchers go when the server does.
const STOPS: &str = "the server stops";
/// Most characters of a refusal that are logged.
const LOGGED_REASON: usize = 512;

/// The server's side of a stream. Nothing happens but when its watcher has room for what comes of it.
pub(super) struct Session {
    feed: Arc<Feed>,
    plane: DataPlane,
    channel: Arc<Channel>,
    publications: watch::Receiver<Arc<Publication>>,
    shutdown: Shutdown,
    up: Up,
    /// What goes out before anything else does.
    outgoing: VecDeque<Bytes>,
    stage: Stage,
}

enum Stage {
    /// Until this instant a Hello may come.
    Greeting(Instant),
    Watching(Box<Watching>),
    /// Nothing comes after what goes out.
    Leaving,
    Over,
}

struct Watching {
    entry: Entry,
    following: Following,
    answers: Answers,
    /// Whether a refusal was logged since a snapshot was sent.
    is_refused: bool,
    /// Something newer is to be sent then, and not before.
    later: Option<Instant>,
    beat: Pin<Box<Sleep>>,
}

impl Session {
    pub(super) fn new(feed: Arc<Feed>, plane: DataPlane, channel: Arc<Channel>, up: Up) -> Self {
        let publications = channel.newest.subscribe();
        let stage = Stage::Greeting(Instant::now() + feed.limits.header_timeout);
        let shutdown = feed.shutdown.clone();
        Self { feed, plane, channel, publications, shutdown, up, outgoing: VecDeque::new(), stage }
    }

    /// What goes out next; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Frame<Bytes>> {
        loop {
            if let Some(bytes) = self.outgoing.pop_front() {
                return Some(Frame::data(bytes));
            }
            // A long snapshot made it grow.
            self.outgoing.shrink_to_fit();
            let done = match mem::replace(&mut self.stage, Stage::Over) {
                Stage::Greeting(end) => self.greet(end).await,
                Stage::Watching(watching) => self.watch(watching).await,
                Stage::Leaving => Err(Status::ok("")),
                Stage::Over => return None,
            };
            match done {
                Ok(stage) => self.stage = stage,
                Err(status) => return Some(Frame::trailers(trailers(&status))),
            }
        }
    }

    async fn greet(&mut self, end: Instant) -> Result<Stage, Status> {
        let mut shutdown = self.shutdown.clone();
        tokio::select! {
            biased;
            () = shutdown.requested() => {}
            stage = self.hear_hello(end) => return stage,
        }
        Ok(self.send_away(STOPS))
    }

    async fn hear_hello(&mut self, end: Instant) -> Result<Stage, Status> {
        let message = timeout_at(end, self.up.message()).await;
        let message = message.map_err(|_| Status::deadline_exceeded("no Hello came"))??;
        let Some(WatchRequest { message: Some(Message::Hello(hello)) }) = message else {
            return Err(Status::invalid_argument("the first message must be a Hello"));
        };
        if hello.protocol != PROTOCOL {
            let theirs = hello.protocol;
            let reason =
                format!("version {theirs} of the protocol is not spoken here, but version {PROTOCOL}");
            return Err(Status::failed_precondition(reason));
        }
        self.welcome(hello).await
    }

    async fn welcome(&mut self, hello: Hello) -> Result<Stage, Status> {
        let (held, digest) = (hello.version.map(from_wire), hello.digest.clone());
        let is_stepwise = hello.features.iter().any(|feature| feature == DELTAS);
        let way = if is_stepwise { Way::Deltas } else { Way::Documents(Instant::now()) };
        let entry = self.feed.registry.enter(&self.plane.name, hello);
        let publications = Arc::clone(&self.feed.publications);
        if held.is_some_and(|held| publications.version().lacks(&held)) {
            self.feed.refresh.now().await;
        }
        // What counts here is published an instant later.
        let published = self.publications.wait_for(|newest| publications.is_of_newest_policy(newest)).await;
        let newest = published.map_err(|_| Status::unavailable("nothing is published"))?.version;
        if let Some(held) = held.filter(|held| newest.lacks(held)) {
            let Version { generation, revocation, .. } = newest;
            tracing::warn!(
                data_plane = &*self.plane.name,
                held = held.generation,
                held_revocation = held.revocation,
                generation,
                revocation,
                "sent a data plane elsewhere: it holds a newer version"
            );
            let reason =
                format!("this replica is behind, at generation {generation} and revocation {revocation}");
            return Ok(self.send_away(&reason));
        }
        let channel = Arc::clone(&self.channel);
        let from = held.map(|held| (held, &digest[..]));
        let begun = Following::begin(&publications, channel, way, from, &mut self.outgoing);
        let (following, news) = begun.map_err(|_| Status::internal("nothing can be encoded"))?;
        let mut answers = Answers::default();
        answers.sent(&news, following.sent(), false);
        match news {
            News::Snapshot if held == Some(following.sent().version) => entry.holds_nothing(),
            News::Snapshot => {}
            _ => entry.holds(following.sent().base.edition),
        }
        // At once after what goes out now.
        let beat = Box::pin(sleep(Duration::ZERO));
        Ok(Stage::Watching(Box::new(Watching {
            entry,
            following,
            answers,
            is_refused: false,
            later: None,
            beat,
        })))
    }

    async fn watch(&mut self, mut watching: Box<Watching>) -> Result<Stage, Status> {
        // A flood of messages must leave others their turn.
        coop::consume_budget().await;
        // What is due goes first, whatever comes up.
        tokio::select! {
            biased;
            () = self.shutdown.requested() => return Ok(self.send_away(STOPS)),
            changed = self.publications.changed() => {
                changed.map_err(|_| Status::unavailable("nothing is published any more"))?;
                return Ok(self.take_news(watching));
            }
            () = &mut watching.beat => return Ok(self.beat(watching)),
            message = self.up.message() => match message? {
                None => return Ok(Stage::Leaving),
                Some(message) => self.hear(&mut watching, message)?,
            },
        }
        Ok(Stage::Watching(watching))
    }

    fn take_news(&mut self, mut watching: Box<Watching>) -> Stage {
        let before = watching.following.sent().base.edition;
        let Ok(news) = watching.following.go_on(&self.feed.publications, &mut self.outgoing) else {
            return self.send_away("this replica went back");
        };
        let Watching { entry, following, answers, is_refused, later, beat } = &mut *watching;
        let sent = following.sent();
        answers.sent(&news, sent, true);
        *later = None;
        match news {
            News::Snapshot => {
                *is_refused = false;
                beat.as_mut().reset(Instant::now());
            }
            // It says itself how fresh it is.
            News::Deltas => beat.as_mut().reset(Instant::now() + sent.base.interval),
            News::Later(instant) => {
                *later = Some(instant);
                if instant < beat.deadline() {
                    beat.as_mut().reset(instant);
                }
            }
            News::None => {}
        }
        // The same document in another edition is nothing to be sent.
        if before != sent.base.edition && !matches!(news, News::Snapshot) {
            let after = sent.base.edition;
            if !answers.renamed(after) {
                entry.renamed(before, after);
            }
        }
        Stage::Watching(watching)
    }

    /// No heartbeat is sent for what has been replaced: its watcher is about to get the other.
    fn beat(&mut self, mut watching: Box<Watching>) -> Stage {
        if watching.later.is_some_and(|later| later <= Instant::now()) {
            return self.take_news(watching);
        }
        let Watching { following, later, beat, .. } = &mut *watching;
        let sent = following.sent();
        if let Some(as_of) = following.newest_as_of(&self.feed.publications) {
            let interval = u32::try_from(sent.base.interval.as_millis()).unwrap_or(u32::MAX);
            let (version, digest) = (Some(to_wire(sent.version)), sent.digest.to_vec());
            let message = Heartbeat { as_of_ms: as_of.0, version, interval_ms: interval, digest };
            self.outgoing.push_back(down::heartbeat(message));
            metrics::heartbeat_sent();
        }
        let next = Instant::now() + sent.base.interval;
        beat.as_mut().reset(later.map_or(next, |later| later.min(next)));
        Stage::Watching(watching)
    }

    fn hear(&self, watching: &mut Watching, message: WatchRequest) -> Result<(), Status> {
        let Watching { entry, following, answers, is_refused, .. } = watching;
        let name = &self.plane.name;
        match message.message {
            Some(Message::Ack(ack)) => {
                let version = ack.version.map(from_wire);
                let version = version.filter(|version| !following.sent().version.lacks(version));
                let version =
                    version.ok_or_else(|| Status::invalid_argument("an Ack of what was not sent"))?;
                entry.acked(version);
                if let Some(Snapshot { edition, published_at }) = answers.acked(version) {
                    entry.holds(edition);
                    if let Some(at) = published_at {
                        metrics::snapshot_acked(at.elapsed());
                    }
                }
                Ok(())
            }
            Some(Message::Nack(nack)) => {
                let Nack { version, reason } = nack;
                let version = version.ok_or_else(|| Status::invalid_argument("a Nack of no version"))?;
                self.refused(from_wire(version), &reason, mem::replace(is_refused, true));
                entry.nacked(from_wire(version), &reason);
                answers.nacked(from_wire(version));
                Ok(())
            }
            Some(Message::Report(report)) => report::take(name, entry, &self.feed.recorder, report),
            Some(Message::Hello(_)) => Err(Status::invalid_argument("a second Hello")),
            // Of a later release, which has to do without an answer.
            None => Ok(()),
        }
    }

    /// Logged once for each version that is sent: a watcher cannot fill the log.
    fn refused(&self, version: Version, reason: &str, is_known: bool) {
        metrics::nacked(&self.plane.name);
        if !is_known {
            let (data_plane, generation) = (&*self.plane.name, version.generation);
            let reason: String = reason.chars().take(LOGGED_REASON).collect();
            let reason = reason.escape_debug();
            tracing::warn!(data_plane, generation, %reason, "a data plane refused a version");
        }
    }

    fn send_away(&mut self, reason: &str) -> Stage {
        let reconnect_ms = u32::try_from(RECONNECT.as_millis()).unwrap_or(u32::MAX);
        self.outgoing.push_back(down::go_away(GoAway { reconnect_ms, reason: reason.to_owned() }));
        Stage::Leaving
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // Without a message that is too odd for a header field, its code still says enough.
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", http::HeaderValue::from(status.code() as i32));
    }
    trailers
}
