//! Revocations: by operators, and by clients of their own tokens.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    Writ,
    clients::{OBJECT, claims, fault, jti, setup, text},
    http::get,
};

async fn post(writ: &Writ, path: &str, body: &str) -> (u16, Value) {
    let response = writ.operate(Method::POST, path, body).await;
    (response.status.as_u16(), response.json())
}

#[tokio::test]
async fn every_level_refuses_what_it_names_and_nothing_else() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, stranger) = (writ.client("boss"), writ.client("stranger"));
    let other = stranger.start("").await.token;
    for level in ["token", "delegation", "task", "agent", "subject", "client"] {
        let task = boss.start(r#","subject":"user:ada","agent":"lead""#).await;
        let delegate = boss.delegate(&task.token, "worker-1").await;
        let name = match level {
            "token" | "delegation" => jti(&task.token),
            "task" => task.id.clone(),
            "agent" => "lead".into(),
            "subject" => "user:ada".into(),
            _ => "boss".into(),
        };
        let revoked = writ.revoke(level, &name).await;
        assert_eq!(
            (&revoked["is_new"], &revoked["revocation"]["stands"]),
            (&json!(true), &json!(true)),
            "{level}"
        );
        for token in [&task.token, &delegate] {
            writ.denied(token, "revoked").await;
        }
        // Nor is anything new issued.
        let start = boss.try_start(r#","subject":"user:ada","agent":"lead""#).await;
        let further = boss.further(&task.id, "{}").await;
        let exchange = boss.exchange(&task.token, &[("agent", "worker-2")]).await;
        match level {
            "token" | "delegation" => {
                assert_eq!((start.status.as_u16(), further.status.as_u16()), (201, 201), "{level}");
            }
            "task" => {
                assert_eq!((start.status.as_u16(), fault(&further)), (201, (409, "task_ended".into())));
                let shown = boss.get(&format!("/v1/tasks/{}", task.id)).await;
                assert_eq!(shown.json()["task"]["state"], "revoked");
            }
            _ => {
                assert_eq!(fault(&start), (403, "revoked".into()), "{level}");
                assert_eq!(fault(&further), (403, "revoked".into()), "{level}");
            }
        }
        assert_eq!(fault(&exchange), (400, "invalid_request".into()), "{level}: {}", exchange.body);
        assert_eq!(writ.get_object(&other).await.status, 200, "{level}");

        let lift = format!(r#"{{"level":"{level}","name":"{name}"}}"#);
        let lifted = post(&writ, "/v1/revocations/lift", &lift).await;
        if ["agent", "subject", "client"].contains(&level) {
            assert_eq!(lifted, (200, json!({"lifted": true})), "{level}");
            assert_eq!(boss.further(&task.id, "{}").await.status, 201, "{level}");
            writ.denied(&task.token, "allowed").await;
        } else {
            assert_eq!((lifted.0, &lifted.1["code"]), (409, &json!("not_liftable")), "{level}");
        }
    }
}

#[tokio::test]
async fn what_nobody_has_heard_of_can_be_revoked() {
    let setup = setup();
    let writ = setup.serve().await;
    for level in ["token", "task", "agent", "subject", "client", "key"] {
        let first = writ.revoke(level, "nobody").await;
        assert_eq!(first["is_new"], true);
        // Whoever exchanges tokens may hold one under any name.
        let known = if ["token", "agent"].contains(&level) { Value::Null } else { false.into() };
        assert_eq!(first["known"], known, "{level}");
        let has_end = !first["revocation"]["expires_at"].is_null();
        assert_eq!(has_end, ["token", "task"].contains(&level), "{level}");
        assert_eq!(writ.revoke(level, "nobody").await["is_new"], false);
    }
    let nothing = post(&writ, "/v1/revocations/lift", r#"{"level":"agent","name":"someone"}"#).await;
    assert_eq!(nothing, (200, json!({"lifted": false})));
    for body in [
        r#"{"level":"token"}"#,
        r#"{"name":"a"}"#,
        r#"{"level":"tokens","name":"a"}"#,
        r#"{"level":"agent","name":""}"#,
        r#"{"level":"agent","name":"a b"}"#,
        r#"{"level":"agent","name":"a","reason":null}"#,
        r#"{"level":"agent","name":"a","until":1}"#,
        r#"["agent","a"]"#,
    ] {
        assert_eq!(post(&writ, "/v1/revocations", body).await.0, 400, "{body}");
    }
    let long = format!(r#"{{"level":"agent","name":"a","reason":"{}"}}"#, "x".repeat(513));
    assert_eq!(post(&writ, "/v1/revocations", &long).await.0, 400);
}

/// A mistyped name looks like success otherwise.
#[tokio::test]
async fn whether_what_is_revoked_is_known_is_told() {
    let setup = setup();
    let writ = setup.serve().await;
    let task = writ.client("boss").start(r#","subject":"user:ada","agent":"lead""#).await;
    let kid = text(&get(writ.http, "/.well-known/jwks.json").await.json()["keys"][0]["kid"]);
    for (level, name, known) in [
        ("task", task.id.as_str(), json!(true)),
        ("agent", "lead", json!(true)),
        // It may hold a token that was exchanged.
        ("agent", "worker-7", Value::Null),
        ("agent", "stranger", json!(true)),
        ("subject", "user:ada", json!(true)),
        ("client", "boss", json!(true)),
        ("key", kid.as_str(), json!(true)),
    ] {
        assert_eq!(writ.revoke(level, name).await["known"], known, "{level} {name}");
    }
}

/// A key that is revoked is withdrawn: what it signed is refused, and another one signs.
#[tokio::test]
async fn a_key_is_withdrawn() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let before = boss.start("").await.token;
    let kid = text(&get(writ.http, "/.well-known/jwks.json").await.json()["keys"][0]["kid"]);
    let revoked = writ.revoke("key", &kid).await;
    assert_eq!((&revoked["is_new"], &revoked["revocation"]["name"]), (&json!(true), &json!(kid)));
    assert_eq!(writ.revoke("key", &kid).await["is_new"], false);
    writ.check_until("GET", OBJECT, &[("authorization", &format!("Bearer {before}"))], "unknown_key").await;
    let refused = boss.exchange(&before, &[("agent", "worker-1")]).await;
    assert!(matches!(fault(&refused), (400 | 403, _)), "{}", refused.body);
    let after = boss.start("").await.token;
    assert_eq!(writ.get_object(&after).await.status, 200);
}

#[tokio::test]
async fn revocations_are_listed_in_their_order() {
    let setup = setup();
    let writ = setup.serve().await;
    for name in ["a", "b", "c"] {
        writ.revoke("agent", name).await;
    }
    writ.revoke("client", "a").await;
    post(&writ, "/v1/revocations/lift", r#"{"level":"agent","name":"b"}"#).await;
    let list = async |query: &str| {
        let body = writ.operate(Method::GET, &format!("/v1/revocations?{query}"), "").await.json();
        let listed = body["revocations"].as_array().unwrap_or_else(|| panic!("{query}: {body}"));
        let names: Vec<_> =
            listed.iter().map(|one| text(&one["level"]) + ":" + &text(&one["name"])).collect();
        (names, body)
    };
    assert_eq!(list("stands=true").await.0, ["agent:a", "agent:c", "client:a"]);
    let (names, body) = list("stands=false").await;
    let lifted = &body["revocations"][0];
    assert_eq!(names, ["agent:b"]);
    assert_eq!(
        (&lifted["revoked_by"], &lifted["lifted_by"], &lifted["reason"]),
        (&json!("local"), &json!("local"), &json!("test"))
    );
    assert_eq!(list("level=agent&name=a").await.0, ["agent:a"]);
    let (first, body) = list("limit=3").await;
    let (rest, end) = list(&format!("after={}", body["next"])).await;
    assert_eq!((first.len(), rest.len(), &end["next"]), (3, 1, &Value::Null));
    for query in ["limit=0", "limit=201", "level=x", "stands=maybe", "after=x", "name=%00", "more=1"] {
        assert_eq!(
            writ.operate(Method::GET, &format!("/v1/revocations?{query}"), "").await.status,
            400,
            "{query}"
        );
    }
}

/// RFC 7009: whether a token is there or is somebody else's, a client learns nothing and does nothing.
#[tokio::test]
async fn clients_revoke_their_own_tokens_alone() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, peer, stranger) = (writ.client("boss"), writ.client("peer"), writ.client("stranger"));
    let task = boss.start(r#","agent":"worker-1""#).await;
    let details = r#"[{"type":"task_grant","actions":["s3:GetObject"],"resources":["s3://my-bucket/logs/2026-05/**"]}]"#;
    let wanted = [("agent", "helper-1"), ("authorization_details", details)];
    let delegate = text(&peer.exchange(&task.token, &wanted).await.json()["access_token"]);
    let revoke = async |client: &crate::support::clients::Client<'_>, token: &str| {
        let answer =
            client.form("/oauth2/revoke", &[("token", token), ("token_type_hint", "refresh_token")]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    };
    for token in [task.token.as_str(), &delegate, "x", "a.b.c"] {
        revoke(&stranger, token).await;
    }
    revoke(&peer, &task.token).await;
    assert!(writ.metric("writ_foreign_tokens_left_alone_total 5").await);
    for token in [&task.token, &delegate] {
        assert_eq!(writ.get_object(token).await.status, 200);
    }
    // Whose task it is, and to whom it was issued, may both.
    // As a file has it.
    revoke(&peer, &format!("{delegate}\n")).await;
    writ.denied(&delegate, "revoked").await;
    assert_eq!(writ.get_object(&task.token).await.status, 200);
    let another = text(&peer.exchange(&task.token, &wanted).await.json()["access_token"]);
    revoke(&boss, &another).await;
    writ.denied(&another, "revoked").await;
    revoke(&boss, &task.token).await;
    revoke(&boss, &task.token).await;
    writ.denied(&task.token, "revoked").await;

    let listed = writ.operate(Method::GET, "/v1/revocations?level=token", "").await.json();
    let last = &listed["revocations"][2];
    assert_eq!((&last["name"], &last["revoked_by"]), (&json!(jti(&task.token)), &json!("boss")));
    let exp = claims(&task.token)["exp"].as_u64().unwrap();
    assert_eq!(last["expires_at"], exp + 65);
    for form in [&[][..], &[("token", "x"), ("more", "y")]] {
        assert_eq!(fault(&boss.form("/oauth2/revoke", form).await), (400, "invalid_request".into()));
    }
}

#[tokio::test]
async fn clients_look_into_their_own_tokens_alone() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, stranger) = (writ.client("boss"), writ.client("stranger"));
    let task = boss.start(r#","agent":"lead""#).await;
    let introspect = async |client: &crate::support::clients::Client<'_>, token: &str| {
        let answer = client.form("/oauth2/introspect", &[("token", token)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("cache-control")),
            (200, "no-store"),
            "{}",
            answer.body
        );
        answer.json()
    };
    let mut own = introspect(&boss, &task.token).await;
    let (active, kind) = (own["active"].take(), own["token_type"].take());
    assert_eq!((active, kind), (json!(true), json!("Bearer")));
    let own: serde_json::Map<_, _> =
        own.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    assert_eq!(Value::Object(own), claims(&task.token));
    for token in [&task.token, "x"] {
        assert_eq!(introspect(&stranger, token).await, json!({"active": false}));
    }
    boss.complete(&task.id).await;
    assert_eq!(introspect(&boss, &task.token).await, json!({"active": false}), "at once");
    let metadata = get(writ.http, "/.well-known/oauth-authorization-server").await.json();
    for endpoint in ["revocation", "introspection"] {
        assert!(text(&metadata[format!("{endpoint}_endpoint")]).contains("/oauth2/"), "{metadata}");
    }
}

#[tokio::test]
async fn operators_see_all_tasks() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, stranger) = (writ.client("boss").start("").await, writ.client("stranger").start("").await);
    let list = async |query: &str| {
        let body = writ.operate(Method::GET, &format!("/v1/tasks{query}"), "").await.json();
        body["tasks"].as_array().unwrap().iter().map(|task| text(&task["id"])).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [boss.id.as_str(), &stranger.id]);
    assert_eq!(list("?client=boss").await, [boss.id.as_str()]);
    let shown = writ.operate(Method::GET, &format!("/v1/tasks/{}", boss.id), "").await.json();
    assert_eq!(shown["task"]["client"], "boss");
}
