//! The end of a task: on two servers of one store, at every worker of two Envoys behind them, and wherever else a token is
//! taken. All tokens were seen before by every worker: what is cached dies too.

use harness::{
    Result,
    api::{Client, Issued},
    fleet::Fleet,
    forge::{Mutation, Part, re_encode},
};
use test_databases::Database;
use tokio::task::JoinSet;

use crate::tasks_world::{
    AGENT, ALLOWED, DELEGATE, LAST, PATIENT, REVOKED, Surfaces, assert_refused, child, claim, fleet, may,
    reading, starter, to,
};

/// Two servers of one store.
const SERVERS: usize = 2;

/// Everything that runs.
struct World {
    surfaces: Surfaces,
    fleet: Fleet,
    _database: Database,
}

impl World {
    async fn start() -> Self {
        let database = Database::postgres();
        let fleet = fleet(&vec![database.url(); SERVERS], PATIENT).await.unwrap();
        let surfaces = Surfaces::of(&fleet, SERVERS).await.unwrap();
        Self { surfaces, fleet, _database: database }
    }

    /// The starter, at either server.
    fn clients(&self) -> [Client; SERVERS] {
        [0, 1].map(|number| starter(&self.fleet, number))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_task_ends_everywhere_with_all_below_it() {
    let mut world = World::start().await;
    let [client, elsewhere] = world.clients();
    let (task, other) = (client.start(&may()).await.unwrap(), client.start(&may()).await.unwrap());
    let below = elsewhere.start(&child(&task)).await.unwrap();
    let lowest = client.start(&child(&below)).await.unwrap();
    let delegated = elsewhere.delegate(&task.token, &to(DELEGATE)).await.unwrap();
    let onwards = client.delegate(&delegated, &to(LAST)).await.unwrap();
    let of_child = client.delegate(&below.token, &to(DELEGATE)).await.unwrap();
    let family =
        [&task.token, &below.token, &lowest.token, &delegated, &onwards, &of_child].map(String::as_str);
    world.surfaces.until(&family, ALLOWED, &[]).await;
    world.surfaces.agree(&[&other.token], ALLOWED).await;

    client.complete(&task.task).await.unwrap();
    world.surfaces.until(&family, REVOKED, &[ALLOWED]).await;
    world.surfaces.agree(&[&other.token], ALLOWED).await;
    for client in [&client, &elsewhere] {
        for token in family {
            assert_spent(client, token).await;
        }
        for id in [&task.task, &below.task, &lowest.task] {
            assert_eq!(client.task(id).await.unwrap()["state"], "completed", "{id}");
            let more =
                client.0.post(&format!("/v1/tasks/{id}/tokens"), &serde_json::json!({})).await.unwrap();
            assert_refused(&more);
        }
        for parent in [&task, &below, &lowest] {
            assert_refused(&client.0.post("/v1/tasks", &child(parent)).await.unwrap());
        }
        client.complete(&task.task).await.expect("an end is told as often as it is asked for");
        assert!(client.is_active(&other.token).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_ends_alone() {
    let mut world = World::start().await;
    let [client, elsewhere] = world.clients();
    let task = client.start(&may()).await.unwrap();
    let below = client.start(&child(&task)).await.unwrap();
    let delegated = client.delegate(&below.token, &to(DELEGATE)).await.unwrap();
    world.surfaces.until(&[&task.token, &below.token, &delegated], ALLOWED, &[]).await;
    elsewhere.complete(&below.task).await.unwrap();
    world.surfaces.until(&[&below.token, &delegated], REVOKED, &[ALLOWED]).await;
    world.surfaces.agree(&[&task.token], ALLOWED).await;
}

/// A task's token, what its holder made of it, and what that holder made of it again.
struct Chain {
    task: Issued,
    second: String,
    third: String,
}

impl Chain {
    async fn start(client: &Client) -> Result<Self> {
        let mut request = may();
        request["subject"] = "alice".into();
        let task = client.start(&request).await?;
        let second = client.delegate(&task.token, &to(DELEGATE)).await?;
        let third = client.delegate(&second, &to(LAST)).await?;
        Ok(Self { task, second, third })
    }

    fn tokens(&self) -> [&str; 3] {
        [&self.task.token, &self.second, &self.third]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_link_of_a_chain_takes_what_hangs_on_it() {
    let mut world = World::start().await;
    let [client, _] = world.clients();
    let operators = [0, 1].map(|number| world.fleet.operator(number).unwrap());
    for (index, level) in
        ["token", "delegation", "token", "delegation", "token", "task"].into_iter().enumerate()
    {
        let chain = Chain::start(&client).await.unwrap();
        let tokens = chain.tokens();
        world.surfaces.until(&tokens, ALLOWED, &[]).await;
        // The first link, the second, the last.
        let link = index / 2;
        let name = if level == "task" { chain.task.task.clone() } else { claim(tokens[link], "/jti") };
        operators[index % 2].revoke(level, &name).await.unwrap();
        let spared = if level == "task" { 0 } else { link };
        world.surfaces.until(&tokens[spared..], REVOKED, &[ALLOWED]).await;
        world.surfaces.agree(&tokens[..spared], ALLOWED).await;
        for token in &tokens[spared..] {
            assert_spent(&client, token).await;
        }
    }
    // Of something unknown: recorded, and harmless.
    operators[0].revoke("task", "01890000-0000-7000-8000-000000000000").await.unwrap();
    let chain = Chain::start(&client).await.unwrap();
    world.surfaces.until(&chain.tokens(), ALLOWED, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_revokes_its_own_token() {
    let mut world = World::start().await;
    let [client, elsewhere] = world.clients();
    let stranger = crate::tasks_world::client(&world.fleet, 0, crate::tasks_world::OTHER);
    let chain = Chain::start(&client).await.unwrap();
    stranger.revoke(&chain.second).await.expect("it is not told whose token it is");
    world.surfaces.until(&chain.tokens(), ALLOWED, &[]).await;
    elsewhere.revoke(&chain.second).await.unwrap();
    world.surfaces.until(&[&chain.second, &chain.third], REVOKED, &[ALLOWED]).await;
    world.surfaces.agree(&[&chain.task.token], ALLOWED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_subjects_and_clients_are_revoked_until_lifted() {
    let mut world = World::start().await;
    let [client, elsewhere] = world.clients();
    let operators = [0, 1].map(|number| world.fleet.operator(number).unwrap());
    let chain = Chain::start(&client).await.unwrap();
    let tokens = chain.tokens();
    world.surfaces.until(&tokens, ALLOWED, &[]).await;
    for (level, name, spared) in [
        ("agent", DELEGATE, 1),
        ("agent", AGENT, 0),
        ("subject", "alice", 0),
        ("client", crate::tasks_world::STARTER, 0),
    ] {
        operators[0].revoke(level, name).await.unwrap();
        world.surfaces.until(&tokens[spared..], REVOKED, &[ALLOWED]).await;
        world.surfaces.agree(&tokens[..spared], ALLOWED).await;
        for client in [&client, &elsewhere] {
            // Neither a token that rests on it, nor one that would.
            assert_refused(&client.exchange(tokens[spared], &to(LAST)).await.unwrap());
            let mut request = may();
            request["subject"] = "alice".into();
            request["agent"] = if level == "agent" { name.into() } else { AGENT.into() };
            assert_refused(&client.0.post("/v1/tasks", &request).await.unwrap());
        }
        operators[1].lift(level, name).await.unwrap();
        world.surfaces.until(&tokens, ALLOWED, &[REVOKED]).await;
        client.delegate(tokens[spared], &to(LAST)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_encoding_of_a_revoked_token_passes() {
    let mut world = World::start().await;
    let [client, elsewhere] = world.clients();
    let task = client.start(&may()).await.unwrap();
    let encodings = encodings(&task.token);
    assert!(encodings.len() > 10, "{}", encodings.len());
    world.surfaces.until(&[&task.token], ALLOWED, &[]).await;
    // A token that is no token of ours is not revoked by it either.
    for encoding in &encodings {
        client.revoke(encoding).await.unwrap();
    }
    world.surfaces.agree(&[&task.token], ALLOWED).await;

    client.revoke(&task.token).await.unwrap();
    world.surfaces.until(&[&task.token], REVOKED, &[ALLOWED]).await;
    for encoding in &encodings {
        let request = reading(encoding);
        for gate in &mut world.surfaces.gates {
            for (status, code) in gate.ask(&request).await.unwrap() {
                assert!(status == 401 || status == 400, "{status} {code}: {encoding}");
            }
        }
        for check in &mut world.surfaces.checks {
            let said = check.ask(&request).await.unwrap().summary();
            assert!(said.starts_with("401 ") || said.starts_with("400 "), "{said}: {encoding}");
        }
        for client in [&client, &elsewhere] {
            assert_spent(client, encoding).await;
        }
    }
    for gate in &world.surfaces.gates {
        assert_eq!(gate.envoy.stats().await.unwrap().wasm_failures(), []);
    }
}

/// What a holder can make of a token's text that a careless reader takes for the same.
fn encodings(token: &str) -> Vec<String> {
    let parts = [Part::Header, Part::Payload, Part::Signature];
    let mut mutations = vec![
        Mutation::NegateS,
        Mutation::AddOrder,
        Mutation::JsonSerialization,
        Mutation::After(".".into()),
        Mutation::After("=".into()),
        Mutation::Before("Bearer ".into()),
    ];
    for part in parts {
        mutations.extend([
            Mutation::Pad(part),
            Mutation::TrailingBits(part),
            Mutation::Append(part, "A".into()),
        ]);
        mutations.extend([Mutation::StandardAlphabet(part), Mutation::Append(part, "%3D".into())]);
    }
    mutations.extend([Mutation::Rewrite(Part::Header), Mutation::Rewrite(Part::Payload)]);
    // Not every token has unused bits, or characters that the two alphabets write differently.
    let made = mutations.iter().filter_map(|mutation| re_encode(token.as_bytes(), mutation).ok());
    made.filter_map(|bytes| String::from_utf8(bytes).ok()).filter(|other| other != token).collect()
}

/// Exchanges of one token in parallel, at both servers, while its task ends.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exchanged_while_the_task_ends_ends_with_it() {
    let mut world = World::start().await;
    let clients = world.clients();
    for _ in 0..4 {
        let task = clients[0].start(&may()).await.unwrap();
        let mut exchanges = JoinSet::new();
        for number in 0..AT_ONCE {
            let (client, parent) = (clients[number % SERVERS].clone(), task.token.clone());
            exchanges.spawn(async move { client.exchange(&parent, &to(DELEGATE)).await });
        }
        let mut made = Vec::new();
        // Half of them come before the end, the others race with it.
        while made.len() < AT_ONCE / 2 {
            made.push(exchanges.join_next().await.unwrap().unwrap().unwrap());
        }
        clients[1].complete(&task.task).await.unwrap();
        let late = clients[0].exchange(&task.token, &to(DELEGATE)).await.unwrap();
        assert_refused(&late);
        while let Some(exchange) = exchanges.join_next().await {
            made.push(exchange.unwrap().unwrap());
        }
        let issued = made.iter().filter(|response| response.status == 200);
        let issued: Vec<String> = issued
            .map(|response| response.json().unwrap()["access_token"].as_str().unwrap().to_owned())
            .collect();
        made.iter().filter(|response| response.status != 200).for_each(assert_refused);
        assert!(issued.len() >= AT_ONCE / 2);
        let mut ids: Vec<String> = issued.iter().map(|token| claim(token, "/jti")).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), issued.len(), "each exchange made a token of its own");
        let issued: Vec<&str> = issued.iter().map(String::as_str).collect();
        world.surfaces.until(&issued, REVOKED, &[ALLOWED]).await;
    }
}

/// Nothing is to be had for a token any more.
async fn assert_spent(client: &Client, token: &str) {
    assert_refused(&client.exchange(token, &to(LAST)).await.unwrap());
    assert!(!client.is_active(token).await.unwrap());
}
