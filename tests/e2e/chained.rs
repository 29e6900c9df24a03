//! Server, then filter: a request passes where both say yes, and hosts that need no server do without.

use std::fs;

use harness::{
    corpus::{Place, disagreement},
    envoy::{Config, Shipped, Stats},
    http::RawRequest,
    paths,
    server::{Server, Setup},
    surface::Proxy,
};
use serde_json::json;

use crate::world::{OBJECT, OTHER_OBJECT, World, answer, export, get};

/// The host that `envoy/chained.yaml` does not ask about.
const ALONE: &str = "logs.internal";
/// The same service under a name that is asked about.
const ASKED: &str = "logs.ns.svc.cluster.local";

async fn chained(world: &World) -> Proxy {
    world.export().await.unwrap();
    world.proxy(Shipped::Chained, Config::patient).await.unwrap()
}

/// Calls of Check that were answered with yes, with no, and not at all.
fn asked(stats: &Stats) -> [u64; 3] {
    let sum = |end: &str| {
        let parts = ["ext_authz", end];
        let named = stats.matching(&parts).filter(|(name, _)| name.ends_with(end));
        named.map(|(_, count)| count).max().unwrap_or(0)
    };
    [sum(".ok"), sum(".denied"), sum(".error")]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_hosts_that_need_it_are_asked_about() {
    let world = World::new().unwrap();
    let server = world.server().await.unwrap();
    let proxy = chained(&world).await;
    let token = world.token(&json!({}));
    let request = |host: &str, target: &str| get(host, target, &token);

    assert_eq!(answer(&proxy, &request(ALONE, OBJECT)).await.unwrap().0, 200);
    let refused = answer(&proxy, &request(ALONE, OTHER_OBJECT)).await.unwrap();
    assert_eq!(refused, (403, "not_granted".to_owned()));
    assert_eq!(asked(&proxy.envoy.stats().await.unwrap()), [0, 0, 0]);
    proxy.echo.take();

    assert_eq!(answer(&proxy, &request(ASKED, OBJECT)).await.unwrap().0, 200);
    let [seen] = <[_; 1]>::try_from(proxy.echo.take()).unwrap();
    assert!(seen.values("authorization").is_empty(), "the token stays here");
    assert_eq!(seen.values("x-writ-task").len(), 1, "set once, by the filter");
    let refused = answer(&proxy, &request(ASKED, OTHER_OBJECT)).await.unwrap();
    assert_eq!(refused, (403, "not_granted".to_owned()));
    assert_eq!(asked(&proxy.envoy.stats().await.unwrap()), [1, 1, 0]);

    // Another spelling of the host is asked about.
    let others = ["LOGS.internal", "logs.internal:80", "logs.internal."];
    for host in others {
        assert_eq!(answer(&proxy, &request(host, OBJECT)).await.unwrap().0, 200, "{host}");
    }
    assert_eq!(asked(&proxy.envoy.stats().await.unwrap()), [4, 1, 0]);

    server.stop().await.unwrap();
    proxy.echo.take();
    for host in [&[ASKED][..], &others].concat() {
        assert_eq!(answer(&proxy, &request(host, OBJECT)).await.unwrap().0, 503, "{host}");
    }
    assert_eq!(proxy.echo.take(), [], "nothing opens without a server");
    assert_eq!(answer(&proxy, &request(ALONE, OBJECT)).await.unwrap().0, 200, "and others go on");
}

/// What the other would allow is not enough: the server closes an action that the filter's snapshot still has, and
/// the filter one that only the server's policy has.
#[tokio::test(flavor = "multi_thread")]
async fn neither_opens_what_the_other_closes() {
    let world = World::new().unwrap();
    let shipped = fs::read_to_string(paths::corpus().join("policy/logs.yaml")).unwrap();
    let policy = |name: &str, from: &str, to: &str| {
        let policies = world.data().with_extension(name);
        fs::create_dir_all(&policies).unwrap();
        assert!(shipped.contains(from));
        fs::write(policies.join("logs.yaml"), shipped.replace(from, to)).unwrap();
        Setup { policies, ..world.setup().unwrap() }
    };
    let of_filter = policy("filter", "method: PUT", "method: PATCH");
    export(&of_filter).await.unwrap();
    let stricter = policy("stricter", r#"action: "s3:GetObject""#, r#"action: "s3:Other""#);
    let proxy = world.proxy(Shipped::Chained, Config::patient).await.unwrap();
    let token = world.token(&json!({}));

    let server = Server::start(&stricter).await.unwrap();
    let read = get(ASKED, OBJECT, &token);
    assert_eq!(answer(&proxy, &read).await.unwrap(), (403, "not_granted".to_owned()), "by the server");
    assert_eq!(
        answer(&proxy, &get(ALONE, OBJECT, &token)).await.unwrap().0,
        200,
        "the filter would allow it"
    );
    server.stop().await.unwrap();

    let _server = world.server().await.unwrap();
    let grants = json!([{"type": "task_grant", "actions": ["s3:*"], "resources": ["s3://my-bucket/**"]}]);
    let token = world.token(&json!({ "authorization_details": grants }));
    proxy.echo.take();
    let put = RawRequest { method: b"PUT".to_vec(), ..get(ASKED, OBJECT, &token) };
    assert_eq!(answer(&proxy, &put).await.unwrap(), (403, "no_route".to_owned()), "by the filter");
    assert_eq!(proxy.echo.take(), []);
}

/// Two judges, one verdict: the whole corpus, except where one of the two paths has an exception.
#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_agrees_with_both_in_a_row() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    let mut proxy = chained(&world).await;
    let (mut tried, mut wrong) = (0, Vec::new());
    for (_, case) in world.corpus.cases() {
        if case.exception(Place::Wasm).is_some() || case.exception(Place::ExtAuthz).is_some() {
            continue;
        }
        let prepared = world.preparer().prepare(case).unwrap();
        let outcome = proxy.judge(case, &prepared, &world.pki).await.unwrap();
        tried += 1;
        let disagreement = disagreement(case, &prepared, Place::Wasm, &outcome);
        wrong.extend(disagreement.map(|text| format!("{}: {text}", case.name)));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tried > 600, "{tried}");
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}
