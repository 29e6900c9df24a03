//! *flights*, the booking: a grant that may be used once. It books once, and never again: not by asking in parallel at
//! every worker of two Envoys behind two servers, and not by handing it on first.
//!
//! Uses are counted in the store, before a request goes on.

use harness::{
    Result,
    api::{Caller, Client},
    http::{RawRequest, h1},
    workers::answer_of,
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinSet};

use super::flights::{HOST, SEARCH, are_offers, task as search};
use crate::{
    curl::Answer,
    report::{Outcome, Report},
    road::{Road, Visit, roads},
    tokens::Task,
    world::{Second, World},
};

const BOOKING: &str = "/bookings?from=JFK&to=LHR&date=2026-05-10&passenger=ada";
/// Bookings that are asked for at once.
const MANY: usize = 64;
const DELEGATES: [&str; 2] = ["spiffe://example.org/agent/booker-1", "spiffe://example.org/agent/booker-2"];
const EXHAUSTED: (u16, &str) = (403, "limit_exhausted");

/// The search, and one ticket for one passenger.
fn trip() -> Task {
    let Task { client, mut grants } = search();
    if let Value::Array(grants) = &mut grants {
        grants.push(json!({
            "type": "task_grant", "actions": ["flights:book"], "resources": ["flights://bookings"],
            "constraints": {"from": {"eq": "JFK"}, "to": {"eq": "LHR"}, "date": {"eq": "2026-05-10"},
                            "passenger": {"eq": "ada"}},
            "limits": {"uses": 1},
        }));
    }
    Task { client, grants }
}

/// Plays the story.
///
/// # Errors
/// A part failed.
pub(super) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    for road in &roads(world) {
        report.chapter(&format!("flights: one ticket, through Envoy with {}", road.name));
        once(world, road, report).await?;
    }
    report.chapter("flights: one ticket, asked for by many at once over 2 Envoys and 2 servers");
    let second = Second::start(world).await?;
    for delegates in [&DELEGATES[..0], &DELEGATES] {
        at_once(world, &second, delegates, report).await?;
    }
    Ok(())
}

/// It searches as often as it likes, and books once.
async fn once(world: &World, road: &Road<'_>, report: &mut Report) -> Result<()> {
    let before = world.bookings().await?;
    let visit = Visit::start(world, road, HOST, &trip(), 300).await?;
    let book = |target: &str| visit.get(target).with("-X", "POST");
    for (what, target, wanted, why) in [
        (
            "another passenger",
            "/bookings?from=JFK&to=LHR&date=2026-05-10&passenger=bob",
            CONSTRAINT,
            "the ticket is for ada",
        ),
        (
            "another route",
            "/bookings?from=JFK&to=CDG&date=2026-05-10&passenger=ada",
            CONSTRAINT,
            "the ticket is to London",
        ),
    ] {
        visit.refused(report, what, book(target), wanted, why).await?;
    }
    let found = ("and two offers", are_offers as fn(&Answer) -> bool);
    visit.allowed(report, "the search", visit.get(SEARCH), found, "this grant has no limit").await?;
    let booked = ("and a ticket", is_ticket as fn(&Answer) -> bool);
    visit.allowed(report, "the booking", book(BOOKING), booked, "its one use").await?;
    let why = "no use is left, and nothing that was refused had taken one";
    visit.refused(report, "the booking again", book(BOOKING), "403 limit_exhausted", why).await?;
    let why = "what has no limit goes on";
    visit.allowed(report, "and the search again", visit.get(SEARCH), found, why).await?;
    booked_once(world, before, report).await
}

const CONSTRAINT: &str = "403 constraint_violated";

fn is_ticket(answer: &Answer) -> bool {
    answer.json().get("passenger").and_then(Value::as_str) == Some("ada")
}

/// The same by many at once, all of one task.
async fn at_once(world: &World, second: &Second, delegates: &[&str], report: &mut Report) -> Result<()> {
    let before = world.bookings().await?;
    let token = crate::tokens::issue(world, &trip(), 300).await?;
    let client =
        Client(Caller::basic(second.server.listeners.http, trip().client, world.secret(trip().client)?));
    let mut tokens = Vec::new();
    for agent in delegates {
        tokens.push(client.delegate(&token, &[("agent", *agent)]).await?);
    }
    tokens.push(token);
    let mut bookings = JoinSet::new();
    for number in 0..MANY {
        let envoy = [&world.wasm, &second.envoy][number % 2];
        let (address, bytes) =
            (envoy.listener("writ")?, h1::render(&booking(&tokens[number % tokens.len()])));
        bookings.spawn(async move {
            let stream = TcpStream::connect(address).await.ok()?;
            h1::exchange(stream, &bytes).await.ok().flatten()
        });
    }
    let (mut passed, mut exhausted, mut others) = (0, 0, Vec::new());
    for response in bookings.join_all().await {
        match response.map(|response| answer_of(&response)) {
            Some((200, _)) => passed += 1,
            Some((status, code)) if (status, code.as_str()) == EXHAUSTED => exhausted += 1,
            other => others.push(format!("{other:?}")),
        }
    }
    others.sort();
    others.dedup();
    let said = |passed, exhausted| format!("{passed} x 200, {exhausted} x 403 limit_exhausted");
    report.add(Outcome {
        what: if delegates.is_empty() { "64 bookings at once" } else { "and by two delegates as well" },
        request: format!("POST {BOOKING} by {} token(s), at 4 workers of each Envoy", tokens.len()),
        wanted: said(1, MANY - 1),
        got: said(passed, exhausted) + &others.concat(),
        why: "the servers count in one store, along the chain of delegations",
    });
    booked_once(world, before, report).await
}

fn booking(token: &str) -> RawRequest {
    RawRequest {
        method: b"POST".to_vec(),
        target: BOOKING.into(),
        authority: Some(HOST.into()),
        headers: vec![(b"authorization".to_vec(), format!("Bearer {token}").into_bytes())],
        ..RawRequest::default()
    }
}

/// What the airline itself says.
async fn booked_once(world: &World, before: usize, report: &mut Report) -> Result<()> {
    let booked = world.bookings().await?.saturating_sub(before);
    report.add(Outcome {
        what: "tickets at the airline",
        request: "asked of the airline itself".into(),
        wanted: "1".into(),
        got: booked.to_string(),
        why: "what was refused never reached it",
    });
    Ok(())
}
