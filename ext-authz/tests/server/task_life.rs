//! Tasks from start to end: who sees them, what may be below them, what ends with them.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    clients::{LOGS, MAY_LOGS, claims, fault, policy, setup, text},
    http::{basic, send},
    policy::FOUND_SOON,
};

#[tokio::test]
async fn a_task_is_shown_as_it_is_to_its_client_alone() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let root = boss.start("").await;
    let more = format!(r#","parent":"{}","subject":"user:ada","agent":"lead","note":"tidy up""#, root.id);
    let child = boss.start(&more).await;
    let shown = boss.get(&format!("/v1/tasks/{}", child.id)).await;
    assert_eq!((shown.status.as_u16(), shown.header("cache-control")), (200, "no-store"));
    let mut task = shown.json()["task"].clone();
    let (created, expires) = (task["created_at"].take(), task["expires_at"].take());
    assert_eq!(expires.as_u64().unwrap() - created.as_u64().unwrap(), 300);
    let expected = json!({
        "id": child.id, "parent": root.id, "root": root.id, "client": "boss", "subject": "user:ada", "agent": "lead",
        "audience": "mesh", "grants": serde_json::from_str::<Value>(&format!("[{LOGS}]")).unwrap(), "cnf": null,
        "max_depth": 3, "note": "tidy up", "state": "active", "created_at": null, "expires_at": null, "ended_at": null,
    });
    assert_eq!(task, expected);

    // To others it is as if it were not there.
    let nobodys = uuid::Uuid::now_v7().to_string();
    let stranger = writ.client("stranger");
    for path in ["", "/complete", "/tokens"] {
        let method = if path.is_empty() { Method::GET } else { Method::POST };
        let ask = |id: &str| {
            let path = format!("/v1/tasks/{id}{path}");
            let (stranger, method) = (&stranger, method.clone());
            async move {
                if method == Method::GET {
                    stranger.get(&path).await
                } else {
                    stranger.post(&path, "{}").await
                }
            }
        };
        let (foreign, unknown) = (ask(&child.id).await, ask(&nobodys).await);
        assert_eq!(fault(&foreign), (404, "unknown_task".into()), "{path}");
        assert_eq!(foreign.body, unknown.body);
    }
    assert_eq!(stranger.get("/v1/tasks").await.json(), json!({"tasks": [], "next": null}));
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let root = boss.start("").await;
    let mut ids = vec![root.id.clone()];
    for agent in ["lead", "worker-1", "lead"] {
        ids.push(boss.start(&format!(r#","parent":"{}","agent":"{agent}""#, root.id)).await.id);
    }
    writ.client("stranger").start(r#","agent":"worker-1""#).await;
    boss.complete(&ids[3]).await;

    let list = async |query: &str| -> (Vec<String>, Value) {
        let body = boss.get(&format!("/v1/tasks?{query}")).await.json();
        let tasks = body["tasks"].as_array().unwrap_or_else(|| panic!("{query}: {body}"));
        (tasks.iter().map(|task| text(&task["id"])).collect(), body["next"].clone())
    };
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (page, next) = list(&format!("limit=3&after={after}")).await;
        seen.extend(page);
        let Some(next) = next.as_str() else { break };
        assert_eq!(seen.len(), 3);
        next.clone_into(&mut after);
    }
    assert_eq!(seen, ids);
    assert_eq!(list("agent=lead").await.0, [ids[1].as_str(), &ids[3]]);
    assert_eq!(list("state=completed").await.0, [ids[3].as_str()]);
    assert_eq!(list("state=active").await.0, ids[..3]);
    assert_eq!(list(&format!("parent={}&agent=worker-1", root.id)).await.0, [ids[2].as_str()]);
    assert_eq!(list("since=1").await.0, ids);
    assert_eq!(list("since=99999999999").await.0, [""; 0]);
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "state=ended",
        "since=-1",
        "agent=a%20b",
        "after=%00",
        "more=1",
        "client=stranger",
        "agent=a&agent=b",
    ] {
        assert_eq!(
            fault(&boss.get(&format!("/v1/tasks?{query}")).await),
            (400, "invalid_request".into()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_completes_ends_with_all_below_it() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let root = boss.start("").await;
    let child = boss.start(&format!(r#","parent":"{}""#, root.id)).await;
    let grandchild = boss.start(&format!(r#","parent":"{}""#, child.id)).await;
    for task in [&root, &child, &grandchild] {
        assert_eq!(writ.get_object(&task.token).await.status, 200);
    }

    let completed = boss.complete(&child.id).await;
    assert_eq!(completed.status, 200, "{}", completed.body);
    let body = completed.json();
    assert_eq!((&body["changed"], &body["cascaded"]), (&json!(true), &json!([grandchild.id])));
    assert_eq!(body["task"]["state"], "completed");
    assert_eq!(body["task"]["grants"][0]["type"], "task_grant");
    let again = boss.complete(&child.id).await.json();
    assert_eq!((&again["changed"], &again["task"]), (&json!(false), &body["task"]));
    assert_eq!(boss.complete(&grandchild.id).await.json()["changed"], false);

    for task in [&child, &grandchild] {
        writ.denied(&task.token, "revoked").await;
        assert_eq!(fault(&boss.further(&task.id, "{}").await), (409, "task_ended".into()));
        let below = boss.try_start(&format!(r#","parent":"{}""#, task.id)).await;
        assert_eq!(fault(&below), (409, "parent_ended".into()), "{}", below.body);
        assert_eq!(boss.get(&format!("/v1/tasks/{}", task.id)).await.json()["task"]["state"], "completed");
    }
    assert_eq!(writ.get_object(&root.token).await.status, 200);
    assert_eq!(boss.further(&root.id, "{}").await.status, 201);
}

#[tokio::test]
async fn a_task_below_another_allows_no_more_and_lasts_no_longer() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let narrow =
        boss.post("/v1/tasks", &format!(r#"{{"grants":[{MAY_LOGS}],"expires_in":60}}"#)).await.json();
    let parent = text(&narrow["task"]["id"]);
    let below = async |grants: &str, more: &str| {
        boss.post("/v1/tasks", &format!(r#"{{"parent":"{parent}","grants":[{grants}]{more}}}"#)).await
    };
    let fitting = below(MAY_LOGS, "").await;
    assert_eq!(fitting.status, 201, "{}", fitting.body);
    assert!(fitting.json()["expires_in"].as_u64().unwrap() <= 60, "the default is cut to the parent's");
    let claims = claims(&text(&fitting.json()["access_token"]));
    assert_eq!(claims["txn"], parent.as_str());
    assert_eq!(claims["writ"]["tasks"], json!([parent, fitting.json()["task"]["id"]]));
    assert_eq!((&claims["writ"]["depth"], &claims["writ"]["lineage"]), (&json!(0), &json!([])));

    assert_eq!(fault(&below(LOGS, "").await), (403, "wider_than_parent".into()));
    assert_eq!(fault(&below(&format!("{MAY_LOGS},{LOGS}"), "").await), (403, "wider_than_parent".into()));
    assert_eq!(fault(&below(MAY_LOGS, r#","expires_in":61"#).await), (400, "lifetime_over_cap".into()));
    assert_eq!(fault(&below(MAY_LOGS, r#","audience":"edge""#).await), (403, "wider_than_parent".into()));
    let stranger = writ.client("stranger");
    let more = format!(r#","parent":"{parent}""#);
    assert_eq!(fault(&stranger.try_start(&more).await), (404, "unknown_parent".into()));
    for unknown in ["", "none", "a b", "\\u0000"] {
        let more = format!(r#","parent":"{unknown}""#);
        assert_eq!(fault(&boss.try_start(&more).await), (404, "unknown_parent".into()), "{unknown}");
    }
}

#[tokio::test]
async fn tasks_are_at_most_eight_deep() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let mut leaf = boss.start("").await;
    for _ in 2..=8 {
        leaf = boss.start(&format!(r#","parent":"{}""#, leaf.id)).await;
    }
    assert_eq!(claims(&leaf.token)["writ"]["tasks"].as_array().unwrap().len(), 8);
    assert_eq!(writ.get_object(&leaf.token).await.status, 200);
    let deeper = boss.try_start(&format!(r#","parent":"{}""#, leaf.id)).await;
    assert_eq!(fault(&deeper), (400, "too_deep".into()));
}

#[tokio::test]
async fn further_tokens_stay_within_their_task() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start(r#","subject":"user:ada","agent":"lead","expires_in":60"#).await;
    let same = boss.further(&task.id, "{}").await;
    assert_eq!((same.status.as_u16(), same.header("cache-control")), (201, "no-store"), "{}", same.body);
    let body = same.json();
    assert!(body["expires_in"].as_u64().unwrap() <= 60);
    assert_eq!((&body["task_id"], &body["agent"]), (&json!(task.id), &json!("lead")));
    let (first, second) = (claims(&task.token), claims(&text(&body["access_token"])));
    for member in ["sub", "act", "aud", "txn", "client_id", "authorization_details", "writ"] {
        assert_eq!(first[member], second[member], "{member}");
    }
    assert_ne!(first["jti"], second["jti"]);
    // Who sends nothing asks for nothing less; who announces something has to send it.
    let path = format!("/v1/tasks/{}/tokens", task.id);
    let authorization = basic("boss", "boss-secret");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let unsaid = send(writ.http, Method::POST, &path, &headers[..1], "").await;
    assert_eq!(unsaid.status, 201, "{}", unsaid.body);
    let third = claims(&text(&unsaid.json()["access_token"]));
    assert_eq!(third["authorization_details"], first["authorization_details"]);
    assert_eq!(send(writ.http, Method::POST, &path, &headers, "").await.status, 400);
    assert_eq!(send(writ.http, Method::POST, &path, &headers[..1], "{}").await.status, 415);

    let narrower =
        format!(r#"{{"grants":[{MAY_LOGS}],"agent":"worker-7","expires_in":5,"audience":"mesh"}}"#);
    let narrower = boss.further(&task.id, &narrower).await.json();
    assert_eq!((&narrower["agent"], &narrower["expires_in"]), (&json!("worker-7"), &json!(5)));
    assert_eq!(writ.get_object(&text(&narrower["access_token"])).await.status, 200);

    let wider = LOGS.replace("logs/", "");
    let constrained = LOGS.replace("]}", r#"],"constraints":{"p":{"eq":1}}}"#);
    for (body, code) in [
        (format!(r#"{{"grants":[{wider}]}}"#), (403, "wider_than_parent")),
        (r#"{"agent":"helper-1"}"#.into(), (403, "not_allowed")),
        (r#"{"agent":"a b"}"#.into(), (400, "invalid_request")),
        (r#"{"expires_in":61}"#.into(), (400, "lifetime_over_cap")),
        (r#"{"expires_in":0}"#.into(), (400, "invalid_request")),
        (r#"{"audience":"edge"}"#.into(), (403, "wider_than_parent")),
        (r#"{"subject":"user:bob"}"#.into(), (400, "invalid_request")),
        (r#"{"grants":[]}"#.into(), (400, "invalid_request")),
        (format!(r#"{{"grants":[{constrained}]}}"#), (201, "")),
    ] {
        let answer = boss.further(&task.id, &body).await;
        assert_eq!(fault(&answer), (code.0, code.1.into()), "{body}: {}", answer.body);
    }
}

#[tokio::test]
async fn tokens_of_a_bound_task_are_bound() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let (one, other) = (json!({"spiffe": "spiffe://a.test/one"}), json!({"spiffe": "spiffe://a.test/other"}));
    let task = boss.start(&format!(r#","cnf":{one}"#)).await;
    let cnf = async |body: &str| {
        let answer = boss.further(&task.id, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        claims(&text(&answer.json()["access_token"]))["cnf"].clone()
    };
    assert_eq!(cnf("{}").await, one);
    assert_eq!(cnf(&format!(r#"{{"cnf":{other}}}"#)).await, other);
    for empty in ["null", "{}", r#"{"jkt":"x"}"#] {
        let answer = boss.further(&task.id, &format!(r#"{{"cnf":{empty}}}"#)).await;
        assert_eq!(fault(&answer), (400, "invalid_request".into()), "{empty}");
    }
    let child = boss.start(&format!(r#","parent":"{}""#, task.id)).await;
    assert_eq!(claims(&child.token)["cnf"], one);
}

/// What a client could once, it can no longer: not even for a task that it started then.
#[tokio::test]
async fn the_policy_of_now_counts_for_further_tokens() {
    let setup = setup().config(FOUND_SOON);
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start(r#","agent":"lead""#).await;
    let before = writ.generation().await;
    setup.replace("policies/logs.yaml", &policy().replace("agents: [lead, ", "agents: ["));
    let before = writ.reloaded(before).await;
    assert_eq!(fault(&boss.further(&task.id, "{}").await), (403, "not_allowed".into()));
    assert_eq!(boss.further(&task.id, r#"{"agent":"worker-1"}"#).await.status, 201);

    setup.replace("policies/logs.yaml", &policy().replace("my-bucket/logs/**", "my-bucket/logs/2026-05/**"));
    writ.reloaded(before).await;
    assert_eq!(fault(&boss.further(&task.id, "{}").await), (403, "not_allowed".into()));
    assert_eq!(boss.further(&task.id, &format!(r#"{{"grants":[{MAY_LOGS}]}}"#)).await.status, 201);
}

/// A client has its own secret for this; what it hands to agents opens none of it.
#[tokio::test]
async fn a_task_token_starts_and_ends_nothing() {
    let setup = setup();
    let writ = setup.serve().await;
    let task = writ.client("boss").start("").await;
    let bearer = format!("Bearer {}", task.token);
    for (method, path, status) in [
        (Method::POST, "/v1/tasks".to_owned(), 401),
        (Method::GET, "/v1/tasks".to_owned(), 401),
        (Method::GET, format!("/v1/tasks/{}", task.id), 401),
        (Method::POST, format!("/v1/tasks/{}/tokens", task.id), 401),
        (Method::POST, format!("/v1/tasks/{}/complete", task.id), 401),
        (Method::POST, "/v1/revocations".to_owned(), 401),
        (Method::GET, "/v1/revocations".to_owned(), 401),
        (Method::POST, "/v1/revocations/lift".to_owned(), 401),
    ] {
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let answer = send(writ.http, method, &path, &headers, "{}").await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
    }
    for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"] {
        let media_type = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("authorization", bearer.as_str()), media_type];
        let form = format!("grant_type=client_credentials&token={}", task.token);
        let answer = send(writ.http, Method::POST, path, &headers, &form).await;
        assert_eq!(fault(&answer), (401, "invalid_client".into()), "{path}");
    }
    assert_eq!(writ.get_object(&task.token).await.status, 200);
}
