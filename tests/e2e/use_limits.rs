//! Limited grants: used as often as they say, over all workers of all Envoys and both servers of one store, whoever of a
//! task or its delegates uses them, and however Envoy is made to try again.

use harness::{
    Result,
    api::{Client, Issued},
    envoy::{Config, Shipped, Stats},
    error::unexpected,
    fleet::{Fleet, Gate, Plan},
    http::{Payload, RawRequest, h1},
    upstream::Echo,
    workers::answer_of,
};
use serde_json::{Value, json};
use test_databases::Database;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use crate::tasks_world::{AGENT, DELEGATE, LAST, OTHER, client, hash_of, link, to};

/// Parallel bookings.
const MANY: usize = 64;
const EXHAUSTED: (u16, &str) = (403, "limit_exhausted");
const UNAVAILABLE: (u16, &str) = (503, "server_unavailable");

/// A client that searches flights and books them.
const POLICY: &str = r#"
namespace: flights
clients:
  CLIENT:
    authenticate: {secret_sha256: "HASH"}
    agents: ["spiffe://example.org/agent/*"]
    may_request:
      - {actions: ["flights:*"], resources: ["flights://**"], max_ttl: 15m, max_depth: 3}
    may_delegate:
      - {from: ["spiffe://example.org/agent/*"], to: ["spiffe://example.org/agent/*"]}
routes:
  - hosts: [flights.internal]
    audience: mesh
    max_staleness: 60s
    rules:
      - {method: GET, path: "/offers", action: "flights:search", resource: "flights://offers"}
      - {method: POST, path: "/bookings", action: "flights:book", resource: "flights://bookings", body: opaque}
"#;

/// Servers of one store, each with an Envoy of four workers.
struct World {
    fleet: Fleet,
    gates: Vec<Gate>,
}

impl World {
    async fn start(stores: &[String]) -> Self {
        let fleet = fleet(stores).await.unwrap();
        let mut gates = Vec::new();
        for number in 0..stores.len() {
            gates.push(fleet.gate(&format!("e{number}"), Shipped::Wasm, &[number]).await.unwrap());
        }
        Self { fleet, gates }
    }

    /// The client, at the server `number`.
    fn client(&self, number: usize) -> Client {
        client(&self.fleet, number, OTHER)
    }

    /// Waits until every worker of every Envoy judges.
    async fn ready(&mut self, token: &str) {
        for gate in &mut self.gates {
            gate.until(&search(token), (200, ""), &[]).await.unwrap();
            gate.echo.take();
        }
    }

    /// What came of [`MANY`] bookings at once, each over a connection of its own, spread over the Envoys and `tokens`.
    async fn book_at_once(&self, tokens: &[&str]) -> Vec<(u16, String)> {
        let mut bookings = JoinSet::new();
        for number in 0..MANY {
            let address = self.gates[number % self.gates.len()].envoy.only_listener().unwrap();
            let request = book(tokens[number % tokens.len()]);
            bookings.spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                let response = h1::exchange(stream, &h1::render(&request)).await.unwrap();
                answer_of(&response.expect("an answer"))
            });
        }
        bookings.join_all().await
    }

    /// Bookings that have reached an upstream since the last call.
    fn booked(&self) -> usize {
        let seen = self.gates.iter().flat_map(|gate| gate.echo.take());
        seen.filter(|seen| seen.target == b"/bookings").count()
    }
}

async fn fleet(stores: &[String]) -> Result<Fleet> {
    let policy = POLICY.replace("CLIENT", OTHER).replace("HASH", &hash_of(OTHER));
    let config = "issuer: https://writ.example.org\nleeway: 0s\n";
    Fleet::start(&Plan { stores, policy: &policy, config }).await
}

/// A task that may search, and book so often.
fn trip(uses: u32) -> Value {
    json!({
        "grants": [
            {"type": "task_grant", "actions": ["flights:search"], "resources": ["flights://offers"]},
            {"type": "task_grant", "actions": ["flights:book"], "resources": ["flights://bookings"],
             "limits": {"uses": uses}},
        ],
        "agent": AGENT, "audience": "mesh", "expires_in": 600,
    })
}

fn search(token: &str) -> RawRequest {
    request("GET", "/offers", token, Payload::None)
}

fn book(token: &str) -> RawRequest {
    request("POST", "/bookings", token, Payload::Sized(b"one seat".to_vec()))
}

fn request(method: &str, target: &str, token: &str, payload: Payload) -> RawRequest {
    RawRequest {
        method: method.into(),
        target: target.into(),
        authority: Some(b"flights.internal".to_vec()),
        headers: vec![(b"authorization".to_vec(), format!("Bearer {token}").into_bytes())],
        payload,
    }
}

/// The one answer of the first worker.
async fn answer(gate: &mut Gate, request: &RawRequest) -> (u16, String) {
    gate.workers[0].ask_again(request).await.unwrap()
}

fn is(got: &(u16, String), wanted: (u16, &str)) -> bool {
    (got.0, got.1.as_str()) == wanted
}

/// How often a server was asked for uses, by its own counters.
async fn asked(fleet: &Fleet, number: usize) -> u64 {
    let metrics = h1::get(fleet.server(number).unwrap().listeners.admin, "/metrics").await.unwrap();
    let text = String::from_utf8(metrics.body).unwrap();
    let counters = text.lines().filter(|line| line.starts_with("writ_uses_total{"));
    counters.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Attack cases 32 and 43: two Envoys of four workers, two servers; and the grant handed on first.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_parallel_bookings_reaches_the_airline() {
    let database = Database::postgres();
    let mut world = World::start(&vec![database.url(); 2]).await;
    let (client, elsewhere) = (world.client(0), world.client(1));
    for delegates in [0, 2] {
        let task = client.start(&trip(1)).await.unwrap();
        let mut tokens = vec![task.token.clone()];
        for (delegate, client) in [DELEGATE, LAST].into_iter().zip([&client, &elsewhere]).take(delegates) {
            tokens.push(client.delegate(&task.token, &to(delegate)).await.unwrap());
        }
        world.ready(&task.token).await;
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let answers = world.book_at_once(&tokens).await;
        let [passed, exhausted] =
            [(200, ""), EXHAUSTED].map(|wanted| answers.iter().filter(|got| is(got, wanted)).count());
        assert_eq!((passed, exhausted), (1, MANY - 1), "{answers:?}");
        assert_eq!(world.booked(), 1);
    }
    for gate in &world.gates {
        assert_eq!(gate.envoy.stats().await.unwrap().wasm_failures(), []);
    }
}

/// The hop is for limited grants alone: the servers' own counters say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_limit_asks_nobody() {
    let database = Database::postgres();
    let mut world = World::start(&vec![database.url(); 2]).await;
    let task = world.client(0).start(&trip(2)).await.unwrap();
    world.ready(&task.token).await;
    for gate in &mut world.gates {
        for _ in 0..5 {
            gate.until(&search(&task.token), (200, ""), &[]).await.unwrap();
        }
    }
    assert_eq!((asked(&world.fleet, 0).await, asked(&world.fleet, 1).await), (0, 0));
    let stats = world.gates[0].envoy.stats().await.unwrap();
    assert!(allowed(&stats) >= 20, "the filter has judged: {}", allowed(&stats));
    for (number, expected) in [(0, (1, 0)), (1, (1, 1))] {
        assert_eq!(answer(&mut world.gates[number], &book(&task.token)).await.0, 200);
        assert_eq!((asked(&world.fleet, 0).await, asked(&world.fleet, 1).await), expected);
    }
}

fn allowed(stats: &Stats) -> u64 {
    stats.matching(&["writ.decisions.allow"]).map(|(_, count)| count).sum()
}

/// Attack case 43: what makes Envoy send a request again, by its route and by the client's fields.
#[tokio::test(flavor = "multi_thread")]
async fn no_retry_multiplies_a_use() {
    let database = Database::postgres();
    let fleet = fleet(&[database.url()]).await.unwrap();
    let client = client(&fleet, 0, OTHER);
    for (name, which) in [("w", Shipped::Wasm), ("x", Shipped::ExtAuthz), ("c", Shipped::Chained)] {
        let echo = Echo::overloaded("upstream").await.unwrap();
        let eager = |config: &mut Config| {
            if which != Shipped::Wasm {
                config.patient()?;
            }
            let routes = config.connection_manager()?.pointer_mut("/route_config/virtual_hosts/0/routes");
            let routes = routes.and_then(|routes| routes.as_array_mut());
            for route in routes.ok_or_else(|| unexpected("no routes"))? {
                let retry = json!({"retry_on": "5xx", "num_retries": 3, "per_try_timeout": "5s"});
                route["route"]["retry_policy"] = retry;
                route["route"]["hedge_policy"] = json!({"hedge_on_per_try_timeout": true});
            }
            Ok(())
        };
        let mut gate = fleet.gate_before(echo, name, which, &[0], eager).await.unwrap();
        let task = client.start(&trip(2)).await.unwrap();
        // The route does as it says where nothing is counted.
        gate.until(&search(&task.token), (503, ""), &[UNAVAILABLE, (503, "stale_snapshot")]).await.unwrap();
        gate.echo.take();
        assert_eq!(answer(&mut gate, &search(&task.token)).await.0, 503);
        assert_eq!(gate.echo.take().len(), 4, "{name}");

        let mut forged = book(&task.token);
        for (field, value) in [
            ("x-envoy-max-retries", "5"),
            ("x-envoy-retry-on", "5xx"),
            ("x-envoy-hedge-on-per-try-timeout", "true"),
            ("x-envoy-upstream-rq-per-try-timeout-ms", "1"),
        ] {
            forged.headers.push((field.into(), value.into()));
        }
        for request in [book(&task.token), forged] {
            assert_eq!(answer(&mut gate, &request).await, (503, String::new()), "{name}");
            let [seen] = <[_; 1]>::try_from(gate.echo.take()).unwrap();
            assert_eq!(seen.body, b"one seat", "{name}");
            assert!(!seen.headers.iter().any(|(name, _)| name.starts_with(b"x-envoy-max")), "{seen:?}");
        }
        assert!(is(&answer(&mut gate, &book(&task.token)).await, EXHAUSTED), "{name}");
        assert!(gate.echo.take().is_empty());
    }
}

/// However its body comes, a request that waited goes on whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_waits_with_its_request() {
    let database = Database::postgres();
    let mut world = World::start(&[database.url()]).await;
    let task = world.client(0).start(&trip(4)).await.unwrap();
    world.ready(&task.token).await;
    let body = vec![b'b'; 40_000];
    let trailer = (b"x-sum".to_vec(), b"1".to_vec());
    let payloads = [
        Payload::None,
        Payload::Sized(body.clone()),
        Payload::Streamed(body.clone()),
        Payload::Trailers(body.clone(), trailer),
    ];
    let gate = &mut world.gates[0];
    for payload in payloads {
        let length = payload.bytes().len();
        let got = answer(gate, &request("POST", "/bookings", &task.token, payload)).await;
        assert_eq!(got.0, 200, "{length}: {got:?}");
        assert_eq!(gate.echo.take()[0].body.len(), length);
    }
    assert!(is(&answer(gate, &book(&task.token)).await, EXHAUSTED));
}

/// Attack case 13: who goes away while it waits takes nobody along, and reaches the airline no oftener than was counted.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_leaves_the_others_alone() {
    const GONE: u32 = 40;
    let database = Database::postgres();
    let mut world = World::start(&[database.url()]).await;
    let task = world.client(0).start(&trip(GONE + 1)).await.unwrap();
    world.ready(&task.token).await;
    let address = world.gates[0].envoy.only_listener().unwrap();
    for _ in 0..GONE {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&h1::render(&book(&task.token))).await.unwrap();
    }
    assert_eq!(answer(&mut world.gates[0], &book(&task.token)).await.0, 200);
    assert_eq!(world.gates[0].envoy.stats().await.unwrap().wasm_failures(), []);
    let mut booked = world.booked();
    while answer(&mut world.gates[0], &book(&task.token)).await.0 == 200 {}
    booked += world.booked();
    assert!(booked <= GONE as usize + 1, "{booked}");
}

/// Without a server, and without its store: denied, and whatever needs no count goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_counts_is_denied() {
    let database = Database::postgres();
    let (way, url, _directory) = link(&database);
    let mut world = World::start(&[url]).await;
    let client = world.client(0);
    let task = client.start(&trip(2)).await.unwrap();
    world.ready(&task.token).await;
    way.set(harness::link::Way::Closed);
    assert!(is(&answer(&mut world.gates[0], &book(&task.token)).await, UNAVAILABLE));
    assert_eq!(answer(&mut world.gates[0], &search(&task.token)).await.0, 200);
    way.set(harness::link::Way::Open);
    let counted = world.gates[0].until(&search(&task.token), (200, ""), &[]).await;
    counted.unwrap();
    let booked = async |world: &mut World| {
        harness::wait::until("a booking", async || {
            let got = answer(&mut world.gates[0], &book(&task.token)).await;
            assert!(got.0 == 200 || is(&got, UNAVAILABLE), "{got:?}");
            Ok((got.0 == 200).then_some(()))
        })
        .await
        .unwrap();
    };
    booked(&mut world).await;
    world.fleet.kill(0);
    assert!(is(&answer(&mut world.gates[0], &book(&task.token)).await, UNAVAILABLE));
    assert_eq!(answer(&mut world.gates[0], &search(&task.token)).await.0, 200);
    // What passed is counted, and what was denied reached nobody.
    assert_eq!(world.booked(), 1);
    world.fleet.run(0).await.unwrap();
    booked(&mut world).await;
    assert!(is(&answer(&mut world.gates[0], &book(&task.token)).await, EXHAUSTED));
    assert_eq!(world.booked(), 1);
}

/// One of two servers goes while uses are asked for: the other one counts, and nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_fails_no_booking() {
    const BOOKINGS: u32 = 20;
    let database = Database::postgres();
    let mut fleet = fleet(&vec![database.url(); 2]).await.unwrap();
    let task = client(&fleet, 0, OTHER).start(&trip(BOOKINGS)).await.unwrap();
    let mut gate = fleet.gate("e", Shipped::Wasm, &[0, 1]).await.unwrap();
    gate.until(&search(&task.token), (200, ""), &[]).await.unwrap();
    gate.echo.take();
    for number in 0..BOOKINGS {
        match number {
            5 => fleet.kill(0),
            10 => fleet.run(0).await.unwrap(),
            15 => fleet.stop(1).await.unwrap(),
            _ => {}
        }
        let worker = number as usize % gate.workers.len();
        let got = gate.workers[worker].ask_again(&book(&task.token)).await.unwrap();
        assert_eq!(got, (200, String::new()), "{number}");
    }
    assert!(is(&answer(&mut gate, &book(&task.token)).await, EXHAUSTED));
    assert_eq!(gate.echo.take().len(), BOOKINGS as usize);
}

/// `kill -9` right after a request has passed: nobody gets its use again.
#[tokio::test(flavor = "multi_thread")]
async fn a_use_that_passed_survives_a_kill() {
    const ROUNDS: usize = 5;
    for database in [Database::sqlite(), Database::postgres()] {
        let mut world = World::start(&[database.url()]).await;
        for round in 0..ROUNDS {
            let Issued { token, .. } = world.client(0).start(&trip(1)).await.unwrap();
            world.ready(&token).await;
            assert_eq!(answer(&mut world.gates[0], &book(&token)).await.0, 200, "round {round}");
            world.fleet.kill(0);
            world.fleet.run(0).await.unwrap();
            harness::wait::until("a server that counts", async || {
                let got = answer(&mut world.gates[0], &book(&token)).await;
                assert!(is(&got, UNAVAILABLE) || is(&got, EXHAUSTED), "round {round}: {got:?}");
                Ok(is(&got, EXHAUSTED).then_some(()))
            })
            .await
            .unwrap();
            assert_eq!(world.booked(), 1);
        }
    }
}

/// The end of a task is known where uses are counted, whoever has heard of it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_counted_of_a_task_that_ended() {
    let database = Database::postgres();
    let mut world = World::start(&vec![database.url(); 2]).await;
    let task = world.client(0).start(&trip(9)).await.unwrap();
    let delegated = world.client(1).delegate(&task.token, &to(DELEGATE)).await.unwrap();
    world.ready(&task.token).await;
    assert_eq!(answer(&mut world.gates[1], &book(&delegated)).await.0, 200);
    world.client(0).complete(&task.task).await.unwrap();
    for (gate, token) in [(0, &task.token), (1, &delegated)] {
        assert!(is(&answer(&mut world.gates[gate], &book(token)).await, (401, "revoked")));
    }
    assert_eq!(world.booked(), 1);
}
