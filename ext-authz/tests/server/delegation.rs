//! Token exchange (RFC 8693): what it yields, and to whom.

use serde_json::{Value, json};

use crate::support::{
    Response,
    clients::{LOGS, MAY_LOGS, claims, fault, jti, setup, text},
    http::get,
};

fn token(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.body);
    text(&response.json()["access_token"])
}

fn grants(token: &str) -> Value {
    claims(token)["authorization_details"].clone()
}

#[tokio::test]
async fn a_delegate_gets_a_token_of_its_own() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start(r#","subject":"user:ada","agent":"lead""#).await;
    let details = format!("[{MAY_LOGS}]");
    let more = [
        ("agent", "worker-1"),
        ("authorization_details", details.as_str()),
        ("expires_in", "30"),
        ("audience", "mesh"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    let response = boss.exchange(&task.token, &more).await;
    let body = response.json();
    assert_eq!((response.status.as_u16(), response.header("cache-control")), (200, "no-store"), "{body}");
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(30)));
    assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:jwt");
    assert_eq!(body["task_id"], task.id.as_str());

    let (parent, first) = (claims(&task.token), text(&body["access_token"]));
    let child = claims(&first);
    for member in ["iss", "sub", "aud", "txn"] {
        assert_eq!(child[member], parent[member], "{member}");
    }
    assert_eq!(child["authorization_details"], serde_json::from_str::<Value>(&details).unwrap());
    assert_eq!(child["act"], json!({"sub": "worker-1", "act": {"sub": "lead"}}));
    assert_eq!(child["client_id"], "boss");
    let expected = json!({
        "client": "boss", "tasks": [task.id], "agents": ["lead", "worker-1"], "lineage": [parent["jti"]],
        "depth": 1, "max_depth": 3,
    });
    assert_eq!(child["writ"], expected);

    // Another client goes on; the task stays that of its starter.
    let second = token(&writ.client("peer").exchange(&first, &[("agent", "helper-1")]).await);
    let grandchild = claims(&second);
    assert_eq!(grandchild["client_id"], "peer");
    assert_eq!(
        grandchild["act"],
        json!({"sub": "helper-1", "act": {"sub": "worker-1", "act": {"sub": "lead"}}})
    );
    let expected = json!({
        "client": "boss", "tasks": [task.id], "agents": ["lead", "worker-1", "helper-1"],
        "lineage": [parent["jti"], child["jti"]], "depth": 2, "max_depth": 2,
    });
    assert_eq!(grandchild["writ"], expected);
    assert!(grandchild["exp"].as_u64() <= child["exp"].as_u64());

    for (token, agent) in [(&task.token, "lead"), (&first, "worker-1"), (&second, "helper-1")] {
        let answer = writ.get_object(token).await;
        assert_eq!((answer.status, answer.set["x-writ-agent"].as_str()), (200, agent), "{answer:?}");
    }
    let metadata = get(writ.http, "/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["grant_types_supported"][1], "urn:ietf:params:oauth:grant-type:token-exchange");
}

#[tokio::test]
async fn nothing_said_is_as_much_as_the_token() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start(r#","expires_in":60"#).await;
    let child = boss.delegate(&task.token, "worker-1").await;
    assert_eq!(grants(&child), grants(&task.token));
    assert!(claims(&child)["exp"].as_u64() <= claims(&task.token)["exp"].as_u64());
    // The subject held its own token: it is not its own actor.
    assert_eq!(claims(&child)["act"], json!({"sub": "worker-1"}));
}

#[tokio::test]
async fn a_delegation_only_narrows() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let narrow = boss.post("/v1/tasks", &format!(r#"{{"grants":[{MAY_LOGS}],"expires_in":60}}"#)).await;
    let parent = text(&narrow.json()["access_token"]);
    let other = MAY_LOGS.replace("2026-05", "2026-06");
    let pattern = MAY_LOGS.replace("2026-05", "2026*");
    let twice = format!("[{MAY_LOGS},{MAY_LOGS}]");
    for (parameter, value, code) in [
        ("authorization_details", format!("[{LOGS}]"), "invalid_authorization_details"),
        ("authorization_details", format!("[{other}]"), "invalid_authorization_details"),
        ("authorization_details", format!("[{pattern}]"), "invalid_authorization_details"),
        ("authorization_details", format!("[{MAY_LOGS},{LOGS}]"), "invalid_authorization_details"),
        ("authorization_details", twice, "invalid_authorization_details"),
        ("authorization_details", "[]".into(), "invalid_authorization_details"),
        ("expires_in", "61".into(), "invalid_request"),
        ("expires_in", "0".into(), "invalid_request"),
        ("audience", "edge".into(), "invalid_target"),
        ("resource", "edge".into(), "invalid_target"),
        ("cnf", "{}".into(), "invalid_request"),
        ("cnf", r#"{"jkt":"x"}"#.into(), "invalid_request"),
    ] {
        let refused = boss.exchange(&parent, &[("agent", "worker-1"), (parameter, &value)]).await;
        assert_eq!(fault(&refused), (400, code.into()), "{parameter}={value}: {}", refused.body);
    }
}

#[tokio::test]
async fn delegation_ends_at_its_depth() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let mut token = boss.start(r#","agent":"worker-0""#).await.token;
    for depth in 1..=3 {
        token = boss.delegate(&token, &format!("worker-{depth}")).await;
        assert_eq!(claims(&token)["writ"]["depth"], depth);
    }
    assert_eq!(writ.get_object(&token).await.status, 200);
    let deeper = boss.exchange(&token, &[("agent", "worker-4")]).await;
    assert_eq!(fault(&deeper), (400, "invalid_request".into()));
    assert!(deeper.body.contains("4 would be over its depth of 3"), "{}", deeper.body);
}

#[tokio::test]
async fn the_policy_says_who_delegates_to_whom() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, peer, stranger) = (writ.client("boss"), writ.client("peer"), writ.client("stranger"));
    let leads = boss.start(r#","agent":"lead""#).await.token;
    let workers = boss.start(r#","agent":"worker-1""#).await.token;
    let details = format!("[{MAY_LOGS}]");
    for (client, token, agent, allowed) in [
        (&boss, &leads, "worker-1", true),
        (&boss, &leads, "lead", false),
        (&boss, &leads, "helper-1", false),
        (&peer, &workers, "helper-1", true),
        // Not from there, not to there.
        (&peer, &leads, "helper-1", false),
        (&peer, &workers, "worker-2", false),
        // Its entry has everyone, but says nothing of the tasks of others.
        (&stranger, &workers, "worker-2", false),
    ] {
        let answer = client.exchange(token, &[("agent", agent), ("authorization_details", &details)]).await;
        let expected = if allowed { (200, String::new()) } else { (400, "unauthorized_client".into()) };
        assert_eq!(fault(&answer), expected, "to {agent}: {}", answer.body);
        let holder = if token == &leads { "lead" } else { "worker-1" };
        let named =
            format!("`{holder}`, who holds the token of a task of the client `boss`, delegate to `{agent}`");
        assert_eq!(answer.body.contains(&named), !allowed, "{}", answer.body);
    }
}

/// Whoever exchanges gets no more than the policy lets it request, whatever the token allows.
#[tokio::test]
async fn the_ceilings_of_who_exchanges_count_too() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, peer) = (writ.client("boss"), writ.client("peer"));
    let task = boss.start(r#","agent":"worker-1","expires_in":900"#).await;
    let all = peer.exchange(&task.token, &[("agent", "helper-1")]).await;
    assert_eq!(fault(&all), (400, "invalid_authorization_details".into()));
    let details = format!("[{MAY_LOGS}]");
    let within = [("agent", "helper-1"), ("authorization_details", details.as_str())];
    let long = peer.exchange(&task.token, &[&within[..], &[("expires_in", "601")]].concat()).await;
    assert_eq!(fault(&long), (400, "invalid_request".into()));
    let child = token(&peer.exchange(&task.token, &within).await);
    assert_eq!(claims(&child)["writ"]["max_depth"], 2);
}

#[tokio::test]
async fn what_does_not_count_is_not_exchanged() {
    let setup = setup().config("leeway: 0s\n");
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start("").await;
    let (head, signature) = task.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
    let expired = boss.start(r#","expires_in":1"#).await.token;
    writ.denied(&expired, "expired").await;
    for (token, code) in [
        ("x", "malformed_token"),
        ("boss-secret", "malformed_token"),
        (forged.as_str(), "bad_signature"),
        (expired.as_str(), "expired"),
    ] {
        let refused = boss.exchange(token, &[("agent", "worker-1")]).await;
        assert_eq!(fault(&refused), (400, "invalid_request".into()), "{token}");
        assert!(refused.body.contains(code) && !refused.body.contains(token), "{}", refused.body);
    }
    writ.revoke("token", &jti(&task.token)).await;
    let refused = boss.exchange(&task.token, &[("agent", "worker-1")]).await;
    assert_eq!(fault(&refused), (400, "invalid_request".into()), "{}", refused.body);
}
