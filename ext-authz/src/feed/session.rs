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
    Feed, down, from_wire,
    publication::Publication,
    registry::Entry,
    report, to_wire,
    up::Up,
    wire::{Message, WatchRequest},
};
use crate::{identity::DataPlane, listen::Shutdown, telemetry::feed as metrics};

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
    /// The newest that was sent, or need not be.
    publication: Arc<Publication>,
    /// Whether this stream was there when it was published.
    is_news: bool,
    /// Whether a refusal was logged since it was sent.
    is_refused: bool,
    beat: Pin<Box<Sleep>>,
}

impl Session {
    pub(super) fn new(
        feed: Arc<Feed>,
        plane: DataPlane,
        publications: watch::Receiver<Arc<Publication>>,
        up: Up,
    ) -> Self {
        let stage = Stage::Greeting(Instant::now() + feed.limits.header_timeout);
        let shutdown = feed.shutdown.clone();
        Self { feed, plane, publications, shutdown, up, outgoing: VecDeque::new(), stage }
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
        let entry = self.feed.registry.enter(&self.plane.name, hello);
        if held.is_some_and(|held| held > self.feed.publications.version()) {
            self.feed.refresh.now().await;
        }
        // What counts here is published an instant later.
        let publications = Arc::clone(&self.feed.publications);
        let published = self.publications.wait_for(|publication| publications.is_newest(publication)).await;
        let publication = Arc::clone(&*published.map_err(|_| Status::unavailable("nothing is published"))?);
        if let Some(held) = held.filter(|held| *held > publication.version) {
            let generation = publication.version.generation;
            tracing::warn!(
                data_plane = &*self.plane.name,
                held = held.generation,
                generation,
                "sent a data plane elsewhere: it holds a newer version"
            );
            return Ok(self.send_away(&format!("this replica is behind, at generation {generation}")));
        }
        if !held.is_some_and(|held| publication.is_held_as(held, &digest)) {
            if held == Some(publication.version) {
                entry.holds_nothing();
            }
            self.send(&publication);
        }
        // At once after what goes out now.
        let beat = Box::pin(sleep(Duration::ZERO));
        Ok(Stage::Watching(Box::new(Watching {
            entry,
            publication,
            is_news: false,
            is_refused: false,
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
            () = &mut watching.beat => self.beat(&mut watching),
            message = self.up.message() => match message? {
                None => return Ok(Stage::Leaving),
                Some(message) => self.hear(&mut watching, message)?,
            },
        }
        Ok(Stage::Watching(watching))
    }

    fn take_news(&mut self, mut watching: Box<Watching>) -> Stage {
        let publication = Arc::clone(&self.publications.borrow_and_update());
        if publication.version < watching.publication.version {
            return self.send_away("this replica went back");
        }
        if !publication.is_same_as(&watching.publication) {
            self.send(&publication);
            watching.beat.as_mut().reset(Instant::now());
            watching.is_news = true;
            watching.is_refused = false;
        }
        watching.publication = publication;
        Stage::Watching(watching)
    }

    fn send(&mut self, publication: &Publication) {
        let as_of = self.feed.publications.as_of(publication);
        self.outgoing.extend(down::snapshot(publication, as_of));
        metrics::snapshot_sent(publication.bytes());
    }

    /// None is sent for a document that has been replaced: its watcher is about to get the other.
    fn beat(&mut self, watching: &mut Watching) {
        let Watching { publication, beat, .. } = watching;
        let as_of = self.feed.publications.as_of(publication);
        if self.feed.publications.is_newest(publication) {
            let interval = u32::try_from(publication.interval.as_millis()).unwrap_or(u32::MAX);
            let version = Some(to_wire(publication.version));
            let digest = publication.digest.to_vec();
            let message = Heartbeat { as_of_ms: as_of.0, version, interval_ms: interval, digest };
            self.outgoing.push_back(down::heartbeat(message));
            metrics::heartbeat_sent();
        }
        beat.as_mut().reset(Instant::now() + publication.interval);
    }

    fn hear(&self, watching: &mut Watching, message: WatchRequest) -> Result<(), Status> {
        let Watching { entry, publication, is_news, is_refused, beat: _ } = watching;
        let name = &self.plane.name;
        match message.message {
            Some(Message::Ack(ack)) => {
                let version = ack.version.map(from_wire);
                let version = version.filter(|version| *version <= publication.version);
                let version =
                    version.ok_or_else(|| Status::invalid_argument("an Ack of what was not sent"))?;
                entry.acked(version);
                let is_news = *is_news && version == publication.version;
                metrics::acked(name, is_news.then(|| publication.at.elapsed()));
                Ok(())
            }
            Some(Message::Nack(nack)) => {
                let Nack { version, reason } = nack;
                let version = version.ok_or_else(|| Status::invalid_argument("a Nack of no version"))?;
                self.refused(from_wire(version), &reason, mem::replace(is_refused, true));
                entry.nacked(from_wire(version), &reason);
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
