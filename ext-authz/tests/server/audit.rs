//! The audit log: everything that happens is told, to operators alone.

use http::Method;
use proto::v1::{Decision, Refused, Report};
use serde_json::{Value, json};

use crate::support::{
    MAY, POLICY, Setup, Writ,
    feed::report,
    http::{basic, send, send_local},
    sha256,
};

const AGENT: &str = "spiffe://example.org/agent/janitor-7";

/// The test policy, in which `hashed` may delegate.
fn policy() -> String {
    let delegates = "    may_delegate: [{from: [hashed], to: [\"spiffe://example.org/agent/janitor-*\"]}]\n";
    let hashed = "    authenticate: {secret_sha256: \"HASHED\"}\n";
    POLICY.replace(hashed, &format!("{hashed}{delegates}")).replace("HASHED", &sha256("hashed-secret"))
}

fn setup() -> Setup {
    Setup::bare().write("policies/logs.yaml", &policy())
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

async fn get(writ: &Writ, path: &str, token: &str) -> String {
    let (name, value) = bearer(token);
    writ.check("GET", path, &[(name, &value)]).await.code()
}

async fn post(writ: &Writ, path: &str, body: &Value) -> Value {
    let json = ("content-type", "application/json");
    let (client, operator) = (basic("hashed", "hashed-secret"), path.starts_with("/v1/revocations"));
    let body = body.to_string();
    let answer = if operator {
        send_local(&writ.operator, Method::POST, path, &[json], &body).await
    } else {
        send(writ.http, Method::POST, path, &[json, ("authorization", &client)], &body).await
    };
    assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.body);
    answer.json()
}

/// Everything that can happen to a task.
async fn live_a_life(writ: &Writ) -> (String, String) {
    let grants: Value = serde_json::from_str(MAY).unwrap();
    let started = post(writ, "/v1/tasks", &json!({"grants": [grants], "note": "the logs of May"})).await;
    let task = started["task"]["id"].as_str().unwrap().to_owned();
    let token = started["access_token"].as_str().unwrap().to_owned();
    post(writ, &format!("/v1/tasks/{task}/tokens"), &json!({})).await;
    let exchange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", &token),
        ("agent", AGENT),
    ];
    let delegated = writ.token(&basic("hashed", "hashed-secret"), &exchange).await;
    assert_eq!(delegated.status, 200, "{}", delegated.body);
    let delegated = delegated.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(get(writ, "/my-bucket/logs/2026-05-01", &token).await, "allowed");
    assert_eq!(get(writ, "/my-bucket/logs/2026-06-01", &delegated).await, "not_granted");
    for level in ["revocations", "revocations/lift"] {
        post(writ, &format!("/v1/{level}"), &json!({"level": "agent", "name": "somebody"})).await;
    }
    post(writ, &format!("/v1/tasks/{task}/complete"), &json!({})).await;
    (task, token)
}

#[tokio::test]
async fn a_task_is_told_from_its_start_to_its_end_and_beyond() {
    let setup = setup();
    let writ = setup.serve().await;
    let (task, token) = live_a_life(&writ).await;
    let headers = bearer(&token);
    writ.check_until("GET", "/my-bucket/logs/2026-05-01", &[(headers.0, &headers.1)], "revoked").await;
    let of_task = format!("task={task}");
    let is_revoked = |event: &Value| event["code"] == "revoked";
    let events = writ.audit_until(&of_task, |events| events.iter().any(is_revoked)).await;
    let told = kinds(&events);
    for kind in ["task_started", "token_issued", "token_delegated", "task_completed"] {
        assert_eq!(told.iter().filter(|told| **told == kind).count(), 1, "{kind}: {told:?}");
    }
    let of = |kind: &str| events.iter().find(|event| event["event"] == kind).unwrap();
    let (started, delegated) = (of("task_started"), of("token_delegated"));
    assert_eq!(
        (&started["by"], &started["client"], &started["reason"]),
        (&json!("hashed"), &json!("hashed"), &json!("the logs of May"))
    );
    assert_eq!((&delegated["agent"], &delegated["parent_jti"]), (&json!(AGENT), &started["jti"]));
    assert_eq!(of("task_completed")["by"], "hashed");

    let decided = |verdict: &str| events.iter().find(|event| event["verdict"] == verdict).unwrap();
    let allowed = decided("allow");
    assert_eq!(
        (&allowed["action"], &allowed["resource"]),
        (&json!("s3:GetObject"), &json!("s3://my-bucket/logs/2026-05-01"))
    );
    assert_eq!((&allowed["jti"], &allowed["host"]), (&started["jti"], &json!("logs.internal")));
    let denied = decided("deny");
    assert_eq!((&denied["code"], &denied["agent"]), (&json!("not_granted"), &json!(AGENT)));
    assert!(!Value::from(events.clone()).to_string().contains(&token), "never a token");

    // In words, for people.
    let output = setup.run(&["audit", "query", "--task", &task]);
    let text = String::from_utf8(output.stdout).unwrap();
    let places: Vec<_> =
        ["task started", "token delegated", "task completed"].map(|what| text.find(what).unwrap()).into();
    assert!(places.is_sorted(), "{text}");
    assert!(
        text.contains("allowed           s3:GetObject on s3://my-bucket/logs/2026-05-01, agent hashed"),
        "{text}"
    );
    assert!(text.lines().any(|line| line.contains("denied            not_granted")), "{text}");
}

/// Whichever was reported first.
#[tokio::test]
async fn a_story_is_told_in_the_order_of_its_milliseconds() {
    let setup = setup();
    let writ = setup.serve().await;
    let (watch, _) = writ.watch_anew().await;
    let second = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - 10;
    let decided = |action: &str, millis| Decision {
        verdict: "allow".into(),
        at: second,
        millis,
        action: action.into(),
        task: "story".into(),
        ..Decision::default()
    };
    let decisions = vec![decided("last", 700), decided("first", 0), decided("then", 20)];
    watch.send(report(Report { decisions, decided: 3, ..Report::default() })).await;
    let told = writ.audit_until("task=story", |events| events.len() == 3).await;
    assert_eq!(told[0]["at"], second * 1000 + 700, "as it was recorded");
    let output = setup.run(&["audit", "query", "--task", "story"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let places: Vec<_> = ["first", "then", "last"].map(|what| text.find(what).unwrap()).into();
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test]
async fn what_servers_operators_and_data_planes_do_is_told() {
    let setup = setup();
    let writ = setup.serve().await;
    live_a_life(&writ).await;
    let before = writ.generation().await;
    setup.replace("policies/logs.yaml", &policy().replace("max_ttl: 1m", "max_ttl: 2m"));
    let after = writ.reloaded(before).await;
    let (watch, _) = writ.watch_anew().await;
    let decision = Decision {
        verdict: "allow".into(),
        action: "s3:GetObject".into(),
        task: "told\",\"event\":\"task_completed\n{}".into(),
        resource: "x".repeat(100_000),
        jti: "reported".into(),
        ..Decision::default()
    };
    watch.send(report(Report { decisions: vec![decision], decided: 1, ..Report::default() })).await;
    let events = writ.audit_until("", |events| events.iter().any(|event| event["jti"] == "reported")).await;
    let told = kinds(&events);
    for kind in ["writer_started", "policy_published", "key_made", "revoked", "lifted", "decision"] {
        assert!(told.contains(&kind), "{kind}: {told:?}");
    }
    let published = events.iter().filter(|event| event["event"] == "policy_published");
    assert_eq!(published.map(|event| &event["seq"]).collect::<Vec<_>>(), [before, after]);
    let revoked = events.iter().find(|event| event["event"] == "revoked").unwrap();
    assert_eq!((&revoked["by"], &revoked["name"]), (&json!("local"), &json!("somebody")));
    let reported = events.iter().find(|event| event["jti"] == "reported").unwrap();
    assert_eq!((&reported["event"], &reported["data_plane"]), (&json!("decision"), &json!("socket")));
    assert!(reported["resource"].as_str().unwrap().len() < 3000, "bounded");
    assert_eq!(setup.verify(&[]).0, 0, "a data plane's text breaks nothing");
    assert!(writ.metric("writ_audit_decisions_dropped_total 0").await);
    assert!(writ.metric("writ_audit_queue_events 0").await);
}

/// Requests without a verified token are counted. The minute that has not ended is written when the server stops.
#[tokio::test]
async fn strangers_are_counted_by_code_and_host() {
    let setup = setup();
    let writ = setup.serve().await;
    for _ in 0..5 {
        assert_eq!(writ.check("GET", "/my-bucket/logs/a", &[]).await.code(), "missing_token");
    }
    let (watch, _) = writ.watch_anew().await;
    let refused = Refused { code: "bad_signature".into(), host: "logs.internal".into(), count: 7 };
    let unknown = Refused { code: "of a later release".into(), host: "x".repeat(1000), count: 1 };
    let told = Report { refused: vec![refused, unknown], decided: 11, dropped: 3, ..Report::default() };
    watch.send(report(told)).await;
    writ.data_planes(|planes| planes.iter().any(|plane| plane["dropped"] == 3)).await;
    writ.stop().await;
    let writ = setup.serve().await;
    let counts = |events: &[Value], code: &str| -> u64 {
        let of_code = events.iter().filter(|event| event["code"] == code && event["host"] == "logs.internal");
        of_code.map(|event| event["count"].as_u64().unwrap()).sum()
    };
    let events = writ.audit("event=refusals").await;
    assert_eq!((counts(&events, "missing_token"), counts(&events, "bad_signature")), (5, 7), "{events:?}");
    assert!(events.iter().any(|event| event["code"] == "other"), "{events:?}");
    let dropped = writ.audit("event=dropped").await;
    assert_eq!((&dropped[0]["count"], &dropped[0]["data_plane"]), (&json!(3), &json!("socket")));
    // Whoever starts holds fast what was written before it.
    let anchors = writ.audit_until("event=anchor", |events| !events.is_empty()).await;
    assert_ne!(anchors[0]["name"], anchors[0]["writer"]);
}

#[tokio::test]
async fn questions_are_answered_in_pages_and_by_every_filter() {
    let setup = setup();
    let writ = setup.serve().await;
    let (task, _) = live_a_life(&writ).await;
    let (other, _) = live_a_life(&writ).await;
    let decided = |events: &[Value]| kinds(events).iter().filter(|kind| **kind == "decision").count() == 4;
    let all = writ.audit_until("", decided).await;
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let (page, next) = writ.audit_page(&format!("limit=1{after}")).await;
        paged.extend(page);
        let Some(next) = next else { break };
        after = format!("&after={next}");
    }
    // Asking is no event.
    assert_eq!(paged, all);

    let of = |query: &str| format!("limit=1000&{query}");
    for (query, wanted) in [
        (format!("task={task}"), json!({"task": task})),
        (format!("agent={AGENT}"), json!({"agent": AGENT})),
        ("client=hashed&verdict=deny".to_owned(), json!({"client": "hashed", "verdict": "deny"})),
        ("event=lifted".to_owned(), json!({"event": "lifted"})),
        (
            format!(
                "jti={}",
                all.iter().find(|e| e["task"] == other.as_str()).unwrap()["jti"].as_str().unwrap()
            ),
            json!({"task": other}),
        ),
    ] {
        let (found, _) = writ.audit_page(&of(&query)).await;
        let wanted = wanted.as_object().unwrap();
        let fits = |event: &&Value| wanted.iter().all(|(name, value)| event[name] == *value);
        assert!(!found.is_empty() && found.iter().all(|event| fits(&event)), "{query}: {found:?}");
        if !query.contains("jti") {
            assert_eq!(found.len(), all.iter().filter(fits).count(), "{query}");
        }
    }
    let last = all.iter().map(|event| event["at"].as_u64().unwrap()).max().unwrap();
    assert!(writ.audit(&format!("since={}", last + 1)).await.is_empty());
    assert_eq!(writ.audit(&format!("until={}", last + 1)).await.len(), all.len());
    for bad in
        ["limit=0", "limit=1001", "verdict=x", "event=x", "after=x", "what=x", "task=", "task=a&task=b"]
    {
        let answer = send_local(&writ.operator, Method::GET, &format!("/v1/audit?{bad}"), &[], "").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (400, &json!("invalid_request")),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn nobody_but_operators_reads_the_log() {
    let setup = setup();
    let writ = setup.serve().await;
    let token = bearer(&writ.access_token(MAY).await).1;
    let client = basic("hashed", "hashed-secret");
    for path in ["/v1/audit", "/v1/audit/checkpoint"] {
        for authorization in ["", &token, &client] {
            let answer = send(writ.http, Method::GET, path, &[("authorization", authorization)], "").await;
            assert_eq!(answer.status, 401, "{path} {authorization}");
            assert!(!answer.body.contains("hashed"), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn the_commands_show_and_verify() {
    let setup = setup();
    let writ = setup.serve().await;
    live_a_life(&writ).await;
    writ.audit_until("event=decision", |events| events.len() == 2).await;
    let (code, found) = setup.run_json(&["audit", "query", "--event", "task_completed"], "");
    assert_eq!((code, found["events"].as_array().unwrap().len(), &found["more"]), (0, 1, &json!(false)));
    let (_, found) = setup.run_json(&["audit", "query", "--limit", "2"], "");
    assert_eq!((found["events"].as_array().unwrap().len(), &found["more"]), (2, &json!(true)));
    let (_, all) = setup.run_json(&["audit", "query"], "");
    assert!(all["events"].as_array().unwrap().is_sorted_by_key(|event| event["at"].as_u64()), "{all}");
    let next = found["next"].as_str().unwrap();
    let (_, rest) = setup.run_json(&["audit", "query", "--after", next], "");
    let known = |answer: &Value| answer["events"].as_array().unwrap().len();
    assert_eq!((known(&rest), &rest["events"][0]), (known(&all) - 2, &all["events"][2]));
    let (code, _, stderr) = setup.run_with(&["audit", "query", "--limit", "2"], "");
    assert_eq!((code, stderr), (0, format!("note: there is more: --after {next}\n")));
    let (code, _, stderr) = setup.run_with(&["audit", "query", "--event", "foo"], "");
    assert!(code == 1 && stderr.contains("event: ") && stderr.contains("`task_started`"), "{stderr}");
    assert!(!stderr.contains("deserialize"), "{stderr}");
    let (code, lines, _) = setup.run_with(&["audit", "tail", "--verdict", "deny", "--json"], "");
    let line: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!((code, &line["code"]), (0, &json!("not_granted")));
    let (code, text, _) = setup.run_with(&["audit", "tail"], "");
    assert!(code == 0 && text.contains("server started") && text.contains("task completed"), "{text}");

    let checkpoint = setup.path("checkpoint.json").display().to_string();
    assert_eq!(setup.run_with(&["audit", "checkpoint", "--output", &checkpoint], "").0, 0);
    live_a_life(&writ).await;
    let (code, text, _) = setup.run_with(&["audit", "verify", "--checkpoint", &checkpoint], "");
    assert!(code == 0 && text.starts_with("as it was written: "), "{text}");
    writ.stop().await;
    let (code, report) = setup.verify(&["--checkpoint", &checkpoint]);
    assert_eq!((code, &report["verified"], &report["writers"]), (0, &json!(true), &json!(1)));
    std::fs::write(
        &checkpoint,
        std::fs::read_to_string(&checkpoint).unwrap().replace("\"seq\":", "\"seq\":1"),
    )
    .unwrap();
    let (code, _, error) = setup.run_with(&["audit", "verify", "--checkpoint", &checkpoint], "");
    assert!(code == 1 && error.contains("was changed"), "{error}");
    let (code, _, error) = setup.run_with(&["audit", "query"], "");
    assert!(code == 1 && error.contains("no server runs here"), "{error}");
}
