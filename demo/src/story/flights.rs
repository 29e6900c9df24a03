//! *flights*: a task to search offers from JFK to LHR on May 10, at an API whose meaning is in its query.
//!
//! `policies/flights.yaml` says which parameters a request has; the token says which values they may have.

use harness::Result;
use serde_json::{Value, json};

use crate::{
    curl::Answer,
    invite::Invitation,
    report::Report,
    road::{Visit, roads},
    tokens::{self, Task},
    world::World,
};

pub(super) const HOST: &str = "flights.internal";
pub(super) const SEARCH: &str = "/offers?from=JFK&to=LHR&date=2026-05-10";

/// This route on this day.
pub(super) fn task() -> Task {
    let grants = json!([{
        "type": "task_grant", "actions": ["flights:search"], "resources": ["flights://offers"],
        "constraints": {"from": {"eq": "JFK"}, "to": {"eq": "LHR"}, "date": {"eq": "2026-05-10"}},
    }]);
    Task { client: "trip-planner", grants }
}

/// Plays the story on both paths.
///
/// # Errors
/// A part failed.
pub(super) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    report.chapter("flights: a task token is issued: search JFK to LHR on May 10");
    let why = "New York is what the policy lets this client plan trips from";
    tokens::ask(world, report, "from New York", &task(), "200", why).await?;
    let mut grants = task().grants;
    grants[0]["constraints"]["from"] = json!({"eq": "SFO"});
    let elsewhere = Task { grants, ..task() };
    let (wanted, why) =
        ("400 invalid_authorization_details", "no entry of `may_request` covers San Francisco");
    tokens::ask(world, report, "from elsewhere", &elsewhere, wanted, why).await?;

    for road in &roads(world) {
        report.chapter(&format!("flights: through Envoy with {}", road.name));
        let visit = Visit::start(world, road, HOST, &task(), 300).await?;
        search(&visit, report).await?;
        stray(&visit, report).await?;
        bend(&visit, report).await?;
    }
    Ok(())
}

/// What the task is for.
async fn search(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    let why = "granted: flights:search with these three values";
    visit.allowed(report, "the search", visit.get(SEARCH), ("and two offers", are_offers), why).await?;
    let reordered = visit.get("/offers?date=2026-05-10&to=LHR&from=JFK");
    let why = "names count, and their order does not";
    visit.allowed(report, "the same in another order", reordered, ("and two offers", are_offers), why).await
}

/// Whether the answer holds the two offers of the day, and no other.
pub(super) fn are_offers(answer: &Answer) -> bool {
    let body = answer.json();
    let offers = body.get("offers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let flights: Vec<_> = offers.iter().filter_map(|offer| offer.get("flight")?.as_str()).collect();
    flights == ["WR101", "WR103"]
}

/// What the task is not for.
async fn stray(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    for (what, target, why) in [
        ("another destination", "/offers?from=JFK&to=CDG&date=2026-05-10", "the grant needs `to` to be LHR"),
        ("the way back", "/offers?from=LHR&to=JFK&date=2026-05-10", "the grant is for one direction"),
        ("another day", "/offers?from=JFK&to=LHR&date=2026-05-11", "the grant needs `date` to be May 10"),
        ("a value in another case", "/offers?from=jfk&to=LHR&date=2026-05-10", "`jfk` is not `JFK`"),
    ] {
        visit.refused(report, what, visit.get(target), "403 constraint_violated", why).await?;
    }
    let booking = visit.get("/bookings?from=JFK&to=LHR&date=2026-05-10&passenger=ada").with("-X", "POST");
    let why = "the task is to search, and not to book";
    visit.refused(report, "a booking", booking, "403 not_granted", why).await
}

/// Requests that a service may read in another way than the policy does.
async fn bend(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    let ambiguous = "400 ambiguous_request";
    for (what, target, wanted, why) in [
        ("no date", "/offers?from=JFK&to=LHR", ambiguous, "the rule requires it"),
        (
            "two destinations",
            "/offers?from=JFK&to=LHR&to=CDG&date=2026-05-10",
            ambiguous,
            "which of them counts is the service's guess",
        ),
        (
            "the second under an encoded name",
            "/offers?from=JFK&to=LHR&%74o=CDG&date=2026-05-10",
            ambiguous,
            "decoded it is `to` again",
        ),
        (
            "the second under a name in another case",
            "/offers?from=JFK&to=LHR&To=CDG&date=2026-05-10",
            ambiguous,
            "some services take `To` for `to`",
        ),
        (
            "an undeclared name",
            "/offers?from=JFK&to=LHR&date=2026-05-10&dest=CDG",
            ambiguous,
            "the rule declares no `dest`",
        ),
        (
            "the path in another case",
            "/Offers?from=JFK&to=LHR&date=2026-05-10",
            "403 no_route",
            "`/Offers` is not `/offers`",
        ),
        (
            "an encoded question mark",
            "/offers%3Ffrom=JFK&to=LHR&date=2026-05-10",
            "403 no_route",
            "it is part of the path and begins no query",
        ),
    ] {
        visit.refused(report, what, visit.get(target), wanted, why).await?;
    }
    Ok(())
}

/// What to try of it.
pub(super) fn invitation() -> Invitation {
    Invitation {
        title: "flights: search JFK to LHR on May 10",
        host: HOST,
        task: task(),
        tries: &[
            ("", SEARCH, "two offers"),
            ("", "/offers?from=JFK&to=CDG&date=2026-05-10", "403 constraint_violated"),
            ("", "/offers?from=JFK&to=LHR&to=CDG&date=2026-05-10", "400 ambiguous_request"),
        ],
    }
}
