//! *credential*: the warehouse takes its own API key and nothing else. The agent never holds it, and gets through.
//!
//! `policies/warehouse.yaml` names the key's file and the one cluster that it may reach. The key is replaced while requests
//! flow.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use harness::{Result, error::IoContext, wait};
use serde_json::json;

use crate::{
    curl::{Answer, Curl},
    invite::Invitation,
    report::{Outcome, Report},
    road::{Visit, roads},
    service::warehouse::{COUNT, HEADER},
    stream::Stream,
    tokens::Task,
    world::World,
};

const HOST: &str = "warehouse.internal";
const ITEM: &str = "/items/bolt";
/// The keys, in the order in which they are in use.
const KEYS: [&str; 2] = ["warehouse-k3y-of-may", "warehouse-k3y-of-june"];
/// Requests in a row that show that every worker has the new key.
const ROUNDS: usize = 40;

/// Count bolts.
fn task() -> Task {
    let grants = json!([
        {"type": "task_grant", "actions": ["warehouse:Count"], "resources": ["warehouse://items/bolt"]},
    ]);
    Task { client: "stock-keeper", grants }
}

/// Puts a key in place for the server alone, in one step.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn put_key(place: &Path, key: &str) -> Result<()> {
    let draft = place.with_extension("draft");
    let put = || {
        fs::write(&draft, "")?;
        fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
        fs::write(&draft, key)?;
        fs::rename(&draft, place)
    };
    put().context(|| format!("write `{}`", place.display()))
}

/// Plays the story on both paths.
///
/// # Errors
/// A part failed.
pub(super) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    let (keys, place) = (world.warehouse(), world.api_key());
    keys.accept(&[KEYS[0]]);
    put_key(&place, KEYS[0])?;
    let (mut visits, mut streams) = (Vec::new(), Vec::new());
    for road in &roads(world) {
        report.chapter(&format!("credential: through Envoy with {}", road.name));
        let visit = Visit::start(world, road, HOST, &task(), 300).await?;
        let direct = Curl::new(&format!("http://{}{ITEM}", world.warehouse_address()))
            .header(&format!("authorization: Bearer {}", visit.token()));
        let why = "the service knows its API key, and no token";
        visit.refused(report, "past Envoy", direct, "401", why).await?;
        let why = "granted; Envoy put the key where the token was";
        visit.allowed(report, "counts bolts", visit.get(ITEM), is_count(), why).await?;
        report.add(Outcome {
            what: "what reached the service",
            request: format!("its {HEADER}"),
            wanted: KEYS[0].into(),
            got: keys.last(),
            why: "read from the file by the server, never by the agent",
        });
        astray(&visit, report).await?;
        for (what, host) in
            [("a forged host", "evil.internal"), ("the name of another service", "flights.internal")]
        {
            let forged = Visit::with(world, road, host, visit.token())?;
            let why = "the key is for one host's requests, and for one cluster";
            forged.refused(report, what, forged.get(ITEM), "403 no_route", why).await?;
        }
        let why = "the forged requests went nowhere";
        visit.allowed(report, "and it is asked no more than that", visit.get(ITEM), is_count(), why).await?;
        visits.push((road.name, visit));
        let visit = &visits[visits.len() - 1].1;
        streams.push((road.name, Stream::start(road.envoy.listener("writ")?, request(visit))));
    }

    report.chapter("credential: the key is replaced on disk while requests flow");
    keys.accept(&KEYS);
    put_key(&place, KEYS[1])?;
    report.note("the service takes both for a while, as services do whose keys can be rotated");
    wait::until("the new key at every worker", async || {
        for (_, visit) in &visits {
            for _ in 0..ROUNDS {
                visit.send(&visit.get(ITEM)).await?;
                if keys.last() != KEYS[1] {
                    return Ok(None);
                }
            }
        }
        Ok(Some(()))
    })
    .await?;
    keys.accept(&[KEYS[1]]);
    report.note("the old one is refused now");
    for (name, visit) in &visits {
        visit.allowed(report, name, visit.get(ITEM), is_count(), "with the new key").await?;
    }
    for (what, stream) in streams {
        let answers = stream.end().await?;
        let request = format!("GET {ITEM}, {} times", answers.count());
        let why = "no request noticed";
        report.add(Outcome { what, request, wanted: "only 200".into(), got: answers.summary(), why });
    }
    Ok(())
}

fn is_count() -> (&'static str, impl Fn(&Answer) -> bool) {
    ("and the count", |answer: &Answer| answer.body == COUNT.as_bytes())
}

/// What does not get it.
async fn astray(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    for (what, curl, wanted, why) in [
        (
            "a stranger",
            visit.stranger(ITEM),
            "401 missing_token",
            "nothing is put into a request without a grant",
        ),
        (
            "sets the count",
            visit.get(ITEM).with("-X", "PUT").with("-d", "0"),
            "403 not_granted",
            "the key may do that, this task may not",
        ),
        ("another item", visit.get("/items/nut"), "403 not_granted", "nor this one"),
    ] {
        visit.refused(report, what, curl, wanted, why).await?;
    }
    let forged = visit.get(ITEM).header(&format!("{HEADER}: forged"));
    let why = "what a client sends in its place is replaced";
    visit.allowed(report, "with a key of its own", forged, is_count(), why).await
}

fn request(visit: &Visit<'_>) -> Vec<u8> {
    format!(
        "GET {ITEM} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        visit.token()
    )
    .into_bytes()
}

/// What to try of it.
pub(super) fn invitation() -> Invitation {
    Invitation {
        title: "credential: count bolts with a key that you never see",
        host: HOST,
        task: task(),
        tries: &[
            ("", ITEM, "the count"),
            ("-H 'x-api-key: forged' ", ITEM, "the same"),
            ("-X PUT -d 0 ", ITEM, "403 not_granted"),
        ],
    }
}
