//! Uses of limited grants: the ids that grants get, and who counts.

use envoy_types::pb::{
    envoy::service::auth::v3::{CheckRequest, attribute_context::HttpRequest},
    google::protobuf::Timestamp,
};
use futures_util::future::join_all;
use proto::v1::{UseRequest, UseResponse, data_plane_client::DataPlaneClient, use_response::Outcome};
use rustix::process::Signal;
use test_databases::Database;
use tonic::{Code, Status};

use crate::support::{
    Writ,
    clients::{Client, MAY_LOGS, OBJECT, claims, policy, setup, text},
    grpc::message,
    http::get,
    replicas::{first_replica, over_both, replica},
};

over_both! {
    one_use_is_one_however_many_ask,
    a_use_that_was_counted_stays_counted,
}

/// The grant of May's logs, so often.
fn limited(uses: u32) -> String {
    MAY_LOGS.replace("]}", &format!(r#"],"limits":{{"uses":{uses}}}}}"#))
}

/// A task with this grant: its id and its token.
async fn start(client: &Client<'_>, grant: &str) -> (String, String) {
    let response = client.post("/v1/tasks", &format!(r#"{{"grants":[{grant}],"agent":"lead"}}"#)).await;
    assert_eq!(response.status, 201, "{}", response.body);
    let body = response.json();
    (text(&body["task"]["id"]), text(&body["access_token"]))
}

/// The id of a token's first grant.
fn id(token: &str) -> String {
    text(&claims(token)["authorization_details"][0]["id"])
}

fn ask(decision: u8, token: &str) -> UseRequest {
    UseRequest { decision: vec![decision; 16], token: token.into(), grant: 0 }
}

async fn used(writ: &Writ, request: UseRequest) -> Result<UseResponse, Status> {
    let mut client = DataPlaneClient::new(writ.socket_channel().await);
    client.r#use(request).await.map(tonic::Response::into_inner)
}

/// What came of a use, and what is left.
async fn outcome(writ: &Writ, decision: u8, token: &str) -> (Outcome, u32) {
    let response = used(writ, ask(decision, token)).await.unwrap();
    (response.outcome(), response.left)
}

#[tokio::test]
async fn grants_are_called_as_the_server_calls_them() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let mine = limited(3).replace("{\"type\"", "{\"id\":\"mine\",\"type\"");
    let (task, token) = start(&boss, &mine).await;
    assert_eq!(id(&token), "g1");
    let further = text(&boss.further(&task, "{}").await.json()["access_token"]);
    assert_eq!(id(&further), "g1");
    // One that is narrower is counted by itself, too.
    let narrower = format!(r#"{{"grants":[{}]}}"#, limited(2));
    let narrower = text(&boss.further(&task, &narrower).await.json()["access_token"]);
    let below = id(&narrower);
    assert!(below.starts_with("g1."), "{below}");
    let delegated = boss.delegate(&narrower, "worker-1").await;
    assert!(id(&delegated).starts_with(&format!("{below}.")), "{}", id(&delegated));
    let child = format!(r#"{{"grants":[{}],"agent":"worker-2","parent":"{task}"}}"#, limited(3));
    let child = text(&boss.post("/v1/tasks", &child).await.json()["access_token"]);
    assert!(id(&child).starts_with("g1."), "{}", id(&child));
    // No more than is left of it, and not without a limit.
    let wider = [limited(4), MAY_LOGS.to_owned()];
    for grants in wider {
        let refused = boss.further(&task, &format!(r#"{{"grants":[{grants}]}}"#)).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    // Each takes from all above it.
    for (decision, token, left) in [(1, &child, 2), (2, &delegated, 1), (3, &further, 0)] {
        assert_eq!(outcome(&writ, decision, token).await, (Outcome::Counted, left));
    }
    for (decision, token) in [(4, &token), (5, &child), (6, &narrower), (7, &delegated)] {
        assert_eq!(outcome(&writ, decision, token).await, (Outcome::Exhausted, 0));
    }
    let told = writ.audit("event=grant_used").await;
    let names: Vec<&str> = told.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, [&id(&child), &id(&delegated), "g1"]);
    assert!(told.iter().all(|event| event["task"].is_string() && event["data_plane"] == "socket"));
}

async fn one_use_is_one_however_many_ask(database: Database) {
    let one = first_replica(&database, &policy());
    let other = replica(&database, &one, &policy());
    let (first, second) = (one.serve().await, other.serve().await);
    let boss = first.client("boss");
    let (_, token) = start(&boss, &limited(1)).await;
    let delegates = [boss.delegate(&token, "worker-1").await, boss.delegate(&token, "worker-2").await];
    let tokens = [&token, &delegates[0], &delegates[1]];
    let tries = (0..48_u8).map(|number| {
        let writ = [&first, &second][usize::from(number % 2)];
        outcome(writ, number, tokens[usize::from(number % 3)])
    });
    let outcomes = join_all(tries).await;
    let counted = outcomes.iter().filter(|(outcome, _)| *outcome == Outcome::Counted).count();
    let exhausted = outcomes.iter().filter(|(outcome, _)| *outcome == Outcome::Exhausted).count();
    assert_eq!((counted, exhausted), (1, 47));
    // Whoever asks again about the one that was counted gets its answer, from either.
    let number = outcomes.iter().position(|(outcome, _)| *outcome == Outcome::Counted).unwrap();
    let token = tokens[number % 3];
    for writ in [&first, &second] {
        let decision = u8::try_from(number).unwrap();
        assert_eq!(outcome(writ, decision, token).await, (Outcome::Counted, 0));
    }
}

async fn a_use_that_was_counted_stays_counted(database: Database) {
    let one = first_replica(&database, &policy());
    let writ = one.serve().await;
    let (_, token) = start(&writ.client("boss"), &limited(1)).await;
    assert_eq!(outcome(&writ, 1, &token).await, (Outcome::Counted, 0));
    writ.signal(Signal::KILL);
    writ.ended().await;
    let writ = one.serve().await;
    assert_eq!(outcome(&writ, 2, &token).await, (Outcome::Exhausted, 0));
    assert_eq!(outcome(&writ, 1, &token).await, (Outcome::Counted, 0));
}

#[tokio::test]
async fn what_makes_no_sense_is_not_counted() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let (task, token) = start(&boss, &limited(2)).await;
    let free = boss.start("").await.token;
    let code = async |request: UseRequest| used(&writ, request).await.unwrap_err().code();
    for decision in [Vec::new(), vec![0; 15], vec![0; 17]] {
        assert_eq!(code(UseRequest { decision, ..ask(1, &token) }).await, Code::InvalidArgument);
    }
    assert_eq!(code(UseRequest { grant: 1, ..ask(1, &token) }).await, Code::Unavailable);
    assert_eq!(code(ask(1, &free)).await, Code::Unavailable, "it has no limit");
    let forged = format!("{}x", &token[..token.len() - 1]);
    for token in [forged.as_str(), "a.b.c", ""] {
        assert_eq!(outcome(&writ, 1, token).await.0, Outcome::Revoked, "{token}");
    }
    assert_eq!(outcome(&writ, 1, &token).await, (Outcome::Counted, 1), "nothing was counted");
    boss.complete(&task).await;
    assert_eq!(outcome(&writ, 2, &token).await.0, Outcome::Revoked);
}

/// Attack case 45: an agent asks for itself.
#[tokio::test]
async fn uses_are_counted_for_data_planes_alone() {
    let setup = setup();
    let writ = setup.serve().await;
    let (_, token) = start(&writ.client("boss"), &limited(1)).await;
    let bearer = format!("Bearer {token}");
    for authorization in [None, Some("Bearer x"), Some(&bearer)] {
        let mut request = tonic::Request::new(ask(1, &token));
        if let Some(value) = authorization {
            request.metadata_mut().insert("authorization", value.parse().unwrap());
        }
        let refused = DataPlaneClient::new(writ.grpc_channel().await).r#use(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
    }
    assert_eq!(outcome(&writ, 1, &token).await, (Outcome::Counted, 0));
}

/// A Check about the request that Envoy calls `id`.
fn check(id: &str, token: &str) -> CheckRequest {
    let mut check = message("GET", OBJECT, &[("authorization", &format!("Bearer {token}"))]);
    let request = check.attributes.as_mut().unwrap().request.as_mut().unwrap();
    request.time = Some(Timestamp { seconds: 1, nanos: 2 });
    let http: &mut HttpRequest = request.http.as_mut().unwrap();
    http.id = id.to_owned();
    check
}

#[tokio::test]
async fn check_counts_each_request_once() {
    let setup = setup();
    let writ = setup.serve().await;
    let (_, token) = start(&writ.client("boss"), &limited(2)).await;
    for id in ["1", "1", "2", "1", "2"] {
        let answer = writ.check_message(check(id, &token)).await;
        assert_eq!((answer.status, answer.set["x-envoy-max-retries"].as_str()), (200, "0"), "{answer:?}");
    }
    let denied = writ.check_message(check("3", &token)).await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "limit_exhausted"));
    // Without a number of Envoy's each is a request of its own.
    let (_, token) = start(&writ.client("boss"), &limited(1)).await;
    assert_eq!(writ.get_object(&token).await.status, 200);
    assert_eq!(writ.get_object(&token).await.code(), "limit_exhausted");
}

#[tokio::test]
async fn before_a_filter_check_leaves_the_count_to_it() {
    let setup = setup();
    let writ = setup.serve().await;
    let (_, token) = start(&writ.client("boss"), &limited(1)).await;
    for id in ["1", "2"] {
        let mut check = check(id, &token);
        let extensions = &mut check.attributes.as_mut().unwrap().context_extensions;
        extensions.insert("writ_uses".into(), "filter".into());
        assert_eq!(writ.check_message(check).await.status, 200);
    }
    assert_eq!(outcome(&writ, 1, &token).await, (Outcome::Counted, 0));
}

/// The server's own counters: whoever has a grant without a limit asks nothing of it.
#[tokio::test]
async fn only_limited_grants_are_asked_about() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let free = boss.start("").await.token;
    let (_, token) = start(&boss, &limited(1)).await;
    let asked = async || {
        let metrics = get(writ.admin, "/metrics").await.body;
        let lines = metrics.lines().filter(|line| line.starts_with("writ_uses_total{"));
        let mut counted: Vec<String> =
            lines.filter(|line| !line.ends_with(" 0")).map(str::to_owned).collect();
        counted.sort_unstable();
        counted
    };
    for _ in 0..3 {
        assert_eq!(writ.get_object(&free).await.status, 200);
    }
    assert!(asked().await.is_empty());
    writ.get_object(&token).await;
    writ.get_object(&token).await;
    let expected = [r#"writ_uses_total{result="counted"} 1"#, r#"writ_uses_total{result="exhausted"} 1"#];
    assert_eq!(asked().await, expected);
}
