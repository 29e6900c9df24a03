//! The steps of a verdict: each says no with its own code, and an earlier one before a later one.

mod common;

use common::{code, document, get, header, judge, judge_at, request, sign, snapshot, token};
use serde_json::{Value, json};
use verdict::{Body, Freshness, NoCache, Peer, PermitKind, Request, UnixTime, Verdict, decide};

const MAY: &str = "/my-bucket/logs/2026-05/01.log";

fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = common::claims();
    change(&mut claims);
    token(&claims)
}

#[test]
fn a_covered_request_passes_with_its_edits() {
    let fields = get(
        MAY,
        &token(&common::claims()),
        &[
            ("x-writ-task", b"forged"),
            ("x_writ_agent", b"forged"),
            ("x-envoy-retry-on", b"5xx"),
            ("dpop", b"x"),
            ("x-other", b"kept"),
        ],
    );
    let Verdict::Allow(permit) = judge_at(&snapshot(&document()), &fields, Body::Absent, common::NOW) else {
        panic!("denied");
    };
    assert_eq!(permit.kind(), PermitKind::Granted);
    let record = permit.record().unwrap();
    assert_eq!(
        (record.action.as_str(), record.resource.as_str()),
        ("s3:GetObject", "s3://my-bucket/logs/2026-05/01.log")
    );
    let edits = permit.edits();
    let mut removed: Vec<&str> = edits.remove.iter().map(|name| std::str::from_utf8(name).unwrap()).collect();
    removed.sort_unstable();
    assert_eq!(removed, ["authorization", "dpop", "x-envoy-retry-on", "x_writ_agent"]);
    assert_eq!(
        edits.set,
        [
            ("x-writ-task", "task-1"),
            ("x-writ-agent", "spiffe://example.org/agent/janitor"),
            ("x-writ-client", "log-janitor"),
        ]
    );
}

#[test]
fn token_faults() {
    let forged = |header: Value| sign(&header, common::claims().to_string());
    let whole = token(&common::claims());
    let mut tampered = whole.clone().into_bytes();
    let middle = &mut tampered[whole.len() / 2];
    *middle = if *middle == b'A' { b'B' } else { b'A' };
    for (wanted, token) in [
        ("malformed_token", "a.b".to_owned()),
        ("malformed_token", format!("{whole}.x")),
        ("malformed_token", format!("{whole}=")),
        ("malformed_token", "x".repeat(8193)),
        ("malformed_token", forged(json!({"alg": "none", "typ": "at+jwt", "kid": "key-1"}))),
        ("malformed_token", forged(json!({"alg": "HS256", "typ": "at+jwt", "kid": "key-1"}))),
        ("malformed_token", forged(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "key-1", "jwk": {}}))),
        (
            "malformed_token",
            forged(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "key-1", "crit": ["b64"], "b64": false})),
        ),
        ("wrong_type", forged(json!({"alg": "EdDSA", "typ": "JWT", "kid": "key-1"}))),
        ("wrong_type", forged(json!({"alg": "EdDSA", "kid": "key-1"}))),
        ("unknown_key", forged(json!({"alg": "EdDSA", "typ": "at+jwt"}))),
        ("unknown_key", forged(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "other"}))),
        ("bad_signature", String::from_utf8(tampered).unwrap()),
        ("malformed_token", sign(&header(), "{}")),
        ("malformed_token", with(|claims| claims["authorization_details"] = json!([]))),
        ("malformed_token", with(|claims| claims["authorization_details"][0]["extra"] = json!(1))),
        ("malformed_token", with(|claims| claims["cnf"] = json!({"other": "x"}))),
        ("malformed_token", with(|claims| claims["sub"] = json!("a\r\nx-evil: 1"))),
        ("malformed_token", with(|claims| claims["writ"]["depth"] = json!(9))),
        ("malformed_token", with(|claims| claims["txn"] = json!("other"))),
        // Structures by position, which derived code would take.
        ("malformed_token", forged(json!(["EdDSA", "at+jwt", "key-1"]))),
        ("malformed_token", with(|claims| claims["cnf"] = json!(["x"]))),
        ("malformed_token", with(|claims| claims["act"] = json!(["mallory"]))),
        ("malformed_token", with(|claims| claims["authorization_details"][0]["limits"] = json!([1]))),
        (
            "malformed_token",
            with(|claims| {
                claims["authorization_details"][0] =
                    json!(["task_grant", "g1", ["s3:GetObject"], ["s3://**"]]);
            }),
        ),
        // Text that is no text, in a claim that nobody reads.
        (
            "malformed_token",
            sign(
                &header(),
                [&b"{\"x\":\"\xff\","[..], &common::claims().to_string().as_bytes()[1..]].concat(),
            ),
        ),
        ("wrong_issuer", with(|claims| claims["iss"] = json!("https://other.example"))),
        ("wrong_audience", with(|claims| claims["aud"] = json!(["a", "b"]))),
        ("expired", with(|claims| claims["exp"] = json!(common::NOW - 5))),
        ("allow", with(|claims| claims["exp"] = json!(common::NOW - 4))),
        ("not_yet_valid", with(|claims| claims["nbf"] = json!(common::NOW + 6))),
        ("not_yet_valid", with(|claims| claims["iat"] = json!(common::NOW + 6))),
        ("allow", with(|claims| claims["nbf"] = json!(common::NOW + 5))),
        ("sender_mismatch", with(|claims| claims["cnf"] = json!({"spiffe": "spiffe://example.org/a"}))),
        ("sender_mismatch", with(|claims| claims["cnf"] = json!({}))),
        ("allow", with(|claims| claims["aud"] = json!(["other", "mesh"]))),
        ("allow", with(|claims| claims["unknown"] = json!({"a": 1}))),
        (
            "allow",
            sign(
                &json!({"alg": "Ed25519", "typ": "application/at+jwt", "kid": "key-1"}),
                common::claims().to_string(),
            ),
        ),
    ] {
        assert_eq!(judge(&get(MAY, &token, &[])), wanted, "{token}");
    }
}

#[test]
fn a_claim_that_comes_twice_is_malformed() {
    let text = common::claims().to_string();
    let twice = text.replacen('{', r#"{"exp":9999999999,"#, 1);
    assert_eq!(judge(&get(MAY, &sign(&header(), twice), &[])), "malformed_token");
}

#[test]
fn request_faults() {
    let token = token(&common::claims());
    for (wanted, method, path) in [
        ("allow", "GET", MAY),
        ("not_granted", "GET", "/my-bucket/logs/2026-06/01.log"),
        ("not_granted", "GET", "/other/logs/2026-05/01.log"),
        ("allow", "GET", "/my-bucket?prefix=logs/2026-05"),
        ("constraint_violated", "GET", "/my-bucket?prefix=logs/2026-06"),
        ("constraint_violated", "GET", "/my-bucket"),
        ("ambiguous_request", "GET", "/my-bucket?acl"),
        ("ambiguous_request", "GET", "/my-bucket?prefix=logs/2026-05&prefix=x"),
        ("ambiguous_request", "GET", "/my-bucket/logs/2026-05/../2026-06/01.log"),
        ("no_route", "PUT", MAY),
        ("no_route", "HEAD", MAY),
        ("no_route", "get", MAY),
        ("no_route", "QUERY", MAY),
        ("no_route", "POST", "/healthz"),
        ("no_route", "GET", "/"),
        ("allow", "POST", "/rds?Action=DescribeDBInstances"),
        ("not_granted", "POST", "/rds?Action=DeleteDBInstance"),
        ("ambiguous_request", "POST", "/rds?Action=Describe*"),
        ("ambiguous_request", "POST", "/rds?Action=Describe%2fx"),
        ("ambiguous_request", "POST", "/rds"),
        ("malformed_request", "GET", "/my-bucket/logs?access_token=x"),
    ] {
        assert_eq!(judge(&request(method, path, Some(&token), &[])), wanted, "{method} {path}");
    }
}

#[test]
fn a_rule_with_a_literal_wins_over_a_capture() {
    // `/rds` has only POST; GET must not become `ListBucket` on a bucket called `rds`.
    let claims = {
        let mut claims = common::claims();
        claims["authorization_details"] =
            json!([{"type": "task_grant", "actions": ["s3:*"], "resources": ["s3://**"]}]);
        token(&claims)
    };
    assert_eq!(judge(&get("/rds", &claims, &[])), "no_route");
    assert_eq!(judge(&get("/%72ds", &claims, &[])), "no_route");
    assert_eq!(judge(&get("/rdsx", &claims, &[])), "allow");
}

#[test]
fn bodies_and_upgrades_need_their_rule() {
    let snapshot = snapshot(&document());
    let token = token(&common::claims());
    let at = |path: &str, body, more: &[(&str, &[u8])]| {
        code(&judge_at(&snapshot, &request("POST", path, Some(&token), more), body, common::NOW))
    };
    assert_eq!(at("/upload/a", Body::Present, &[]), "allow");
    assert_eq!(at("/upload/a", Body::Present, &[("content-length", b"1")]), "allow");
    assert_eq!(at("/upload/a", Body::Absent, &[("content-length", b"1")]), "malformed_request");
    assert_eq!(at("/upload/a", Body::Present, &[("content-length", b"0")]), "malformed_request");
    assert_eq!(
        at("/upload/a", Body::Absent, &[("content-length", b"0"), ("content-length", b"0")]),
        "malformed_request"
    );
    assert_eq!(at("/upload/a", Body::Absent, &[("upgrade", b"WebSocket")]), "allow");
    assert_eq!(at("/upload/a", Body::Absent, &[("upgrade", b"h2c")]), "ambiguous_request");
    let both = [("upgrade", &b"websocket"[..]), ("content-length", b"5")];
    assert_eq!(
        (at("/upload/a", Body::Present, &both), at("/upload/a", Body::Absent, &both)),
        ("malformed_request", "malformed_request")
    );
    assert_eq!(at("/rds?Action=DescribeX", Body::Present, &[]), "ambiguous_request");
    assert_eq!(at("/rds?Action=DescribeX", Body::Absent, &[("upgrade", b"websocket")]), "ambiguous_request");
}

#[test]
fn a_path_parameter_does_not_hide_a_narrower_rule() {
    let mut document = document();
    document["hosts"][0]["allow"] = json!(["semicolon"]);
    document["hosts"][0]["rules"]
        .as_array_mut()
        .unwrap()
        .push(json!({"method": "GET", "path": "/{bucket}/open", "action": "none"}));
    let snapshot = snapshot(&document);
    let at = |path: &str| {
        code(&judge_at(
            &snapshot,
            &request("GET", path, Some(&token(&common::claims())), &[]),
            Body::Absent,
            common::NOW,
        ))
    };
    assert_eq!(at("/my-bucket;v=1/open"), "allow", "the same rule with and without the parameter");
    assert_eq!(at("/rds;x"), "ambiguous_request", "`/rds` for a server that cuts it, `/{{bucket}}` for us");
    assert_eq!(at("/my-bucket/open;x"), "ambiguous_request");
    assert_eq!(at("/healthz%3bx"), "ambiguous_request");
}

#[test]
fn an_upgrade_names_no_other_field() {
    let snapshot = snapshot(&document());
    let token = token(&common::claims());
    let with = |connection: &[u8]| {
        let fields = request(
            "POST",
            "/upload/a",
            Some(&token),
            &[("upgrade", b"websocket"), ("connection", connection)],
        );
        code(&judge_at(&snapshot, &fields, Body::Absent, common::NOW))
    };
    assert_eq!((with(b"Upgrade"), with(b"keep-alive, Upgrade")), ("allow", "allow"));
    for connection in [&b"upgrade, x-writ-task"[..], b"upgrade,x-tenant", b"close", b"upgrade, ,host"] {
        assert_eq!(with(connection), "ambiguous_request");
    }
}

#[test]
fn names_that_only_writ_envoy_and_proxies_use_do_not_pass() {
    let removed = |name: &str| {
        let fields = get(MAY, &token(&common::claims()), &[(name, b"x")]);
        match judge_at(&snapshot(&document()), &fields, Body::Absent, common::NOW) {
            Verdict::Allow(permit) => permit.edits().remove.contains(&name.as_bytes().to_vec()),
            other => panic!("{name}: {other:?}"),
        }
    };
    for name in [
        "x.writ.task",
        "x!writ~agent",
        "x_envoy_retry_on",
        "x-forwarded-host",
        "forwarded",
        "x_original_uri",
        "x.host",
    ] {
        assert!(removed(name), "{name}");
    }
    for name in ["x-forwarded-for", "x-forwarded-proto", "x-hosts", "x-written", "accept"] {
        assert!(!removed(name), "{name}");
    }
    for name in ["x.http.method.override", "x!original!url", ".method"] {
        assert_eq!(
            judge(&get(MAY, &token(&common::claims()), &[(name, b"x")])),
            "ambiguous_request",
            "{name}"
        );
    }
}

#[test]
fn fields_are_counted() {
    let many = |count: usize| {
        let names: Vec<String> = (4..count).map(|n| format!("x-{n}")).collect();
        let more: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
        judge(&get(MAY, &token(&common::claims()), &more))
    };
    assert_eq!((many(90), many(91)), ("allow", "malformed_request"));
}

#[test]
fn a_stranger_learns_nothing_about_routes() {
    for path in ["/", MAY, "/no/such", "/a//b", "/upload/x"] {
        assert_eq!(judge(&request("GET", path, None, &[])), "missing_token", "{path}");
        assert_eq!(judge(&request("GET", path, Some("a.b.c"), &[])), "malformed_token", "{path}");
    }
}

#[test]
fn an_exemption_is_narrow() {
    assert_eq!(judge(&request("GET", "/healthz", None, &[])), "allow");
    for (method, path) in
        [("POST", "/healthz"), ("GET", "/healthz?x=1"), ("GET", "/healthz/"), ("GET", "/healthz/..")]
    {
        assert_eq!(judge(&request(method, path, None, &[])), "missing_token", "{method} {path}");
    }
    assert_eq!(
        judge(&request("GET", "/healthz", None, &[("x-original-url", b"/my-bucket")])),
        "missing_token"
    );
    // A task token does not travel to an upstream that did not ask for it; another credential does.
    let permit = |authorization: String| {
        let fields = request(
            "GET",
            "/healthz",
            None,
            &[("authorization", authorization.as_bytes()), ("x-writ-task", b"f")],
        );
        match judge_at(&snapshot(&document()), &fields, Body::Absent, common::NOW) {
            Verdict::Allow(permit) => permit,
            other => panic!("{other:?}"),
        }
    };
    assert!(
        permit(format!("Bearer {}", token(&common::claims())))
            .edits()
            .remove
            .contains(&b"authorization".to_vec())
    );
    let other = permit("Basic YTpi".to_owned());
    assert_eq!(other.edits().remove, [b"x-writ-task".to_vec()]);
    assert!(other.edits().set.is_empty());
}

#[test]
fn revocation_reaches_everything_a_token_rests_on() {
    use verdict::revocation::{HashKey, Kind};
    let key = HashKey::from_bytes([9; 16]);
    let token = with(|claims| {
        claims["writ"] = json!({"client": "starter", "tasks": ["task-1", "task-2"], "agents": ["first", "second"],
            "lineage": ["t-0"], "depth": 1, "max_depth": 2});
    });
    for (kind, name) in [
        (Kind::Token, "t-1"),
        (Kind::Token, "t-0"),
        (Kind::Task, "task-1"),
        (Kind::Task, "task-2"),
        (Kind::Agent, "first"),
        (Kind::Agent, "spiffe://example.org/agent/janitor"),
        (Kind::Subject, "alice"),
        (Kind::Client, "log-janitor"),
        (Kind::Client, "starter"),
        (Kind::Key, "key-1"),
    ] {
        let mut document = document();
        document["revocations"] = json!([common::encode(key.hash(kind, name))]);
        assert_eq!(
            code(&judge_at(&snapshot(&document), &get(MAY, &token, &[]), Body::Absent, common::NOW)),
            "revoked",
            "{name}"
        );
    }
    let mut document = document();
    document["revocations"] = json!([common::encode(key.hash(Kind::Task, "t-1"))]);
    assert_eq!(
        code(&judge_at(&snapshot(&document), &get(MAY, &token, &[]), Body::Absent, common::NOW)),
        "allow"
    );
    document["min_iat"] = json!(common::NOW + 1);
    assert_eq!(
        code(&judge_at(&snapshot(&document), &get(MAY, &token, &[]), Body::Absent, common::NOW)),
        "revoked"
    );
}

#[test]
fn staleness_counts_per_host() {
    let mut document = document();
    document["hosts"][0]["max_staleness"] = json!(10);
    let snapshot_fed = snapshot(&document);
    let fields = get(MAY, &token(&common::claims()), &[]);
    let headers: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
    let at = |now| {
        code(&decide(
            &snapshot_fed,
            &request,
            UnixTime(now),
            Freshness::AsOf(UnixTime(common::NOW)),
            &mut NoCache,
        ))
    };
    assert_eq!((at(common::NOW + 10), at(common::NOW + 11)), ("allow", "stale_snapshot"));
    document["not_after"] = json!(common::NOW + 1);
    let limited = snapshot(&document);
    assert_eq!(code(&judge_at(&limited, &fields, Body::Absent, common::NOW)), "allow");
    assert_eq!(code(&judge_at(&limited, &fields, Body::Absent, common::NOW + 1)), "stale_snapshot");
}

#[test]
fn shadow_records_and_ends() {
    let mut document = document();
    document["hosts"][0]["mode"] = json!({"shadow": {"until": common::NOW + 10}});
    let snapshot = snapshot(&document);
    let fields = request("GET", MAY, None, &[("x-writ-agent", b"forged")]);
    let Verdict::Allow(permit) = judge_at(&snapshot, &fields, Body::Absent, common::NOW) else {
        panic!("denied")
    };
    assert_eq!(permit.kind(), PermitKind::Shadowed);
    assert_eq!(permit.shadowed_denial().unwrap().code().as_str(), "missing_token");
    assert_eq!(permit.edits().remove, [b"x-writ-agent".to_vec()]);
    assert!(permit.edits().set.is_empty());
    assert_eq!(code(&judge_at(&snapshot, &fields, Body::Absent, common::NOW + 10)), "missing_token");
    let mut elsewhere = fields;
    elsewhere[2].1 = b"unlisted.internal".to_vec();
    assert_eq!(code(&judge_at(&snapshot, &elsewhere, Body::Absent, common::NOW)), "missing_token");
}

#[test]
fn a_limited_grant_waits_for_a_server() {
    let limited = |first: bool| {
        with(|claims| {
            let grant = |limits: Value| {
                json!({"type": "task_grant", "id": "g", "actions": ["s3:GetObject"],
            "resources": ["s3://my-bucket/**"], "limits": limits})
            };
            let mut free = grant(Value::Null);
            free.as_object_mut().unwrap().remove("limits");
            let counted = grant(json!({"uses": 1}));
            claims["authorization_details"] = if first { json!([counted]) } else { json!([counted, free]) };
        })
    };
    assert_eq!(judge(&get(MAY, &limited(true), &[])), "server_unavailable");
    assert_eq!(judge(&get(MAY, &limited(false), &[])), "allow");
}

#[test]
fn the_response_says_the_code_and_no_more() {
    let fields = get("/my-bucket/logs/2026-06/x", &token(&common::claims()), &[("x-request-id", b"abc-1")]);
    let headers: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
    let verdict =
        decide(&snapshot(&document()), &request, UnixTime(common::NOW), Freshness::Static, &mut NoCache);
    let Verdict::Deny(denial) = verdict else { panic!("allowed") };
    let response = denial.response(&request);
    assert_eq!(response.status, 403);
    assert!(
        response.headers.contains(&("www-authenticate", r#"Bearer error="insufficient_scope""#.to_owned()))
    );
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(
        body,
        json!({"type": "urn:writ:denial:not_granted", "title": "request denied", "status": 403,
        "code": "not_granted", "request_id": "abc-1", "task_id": "task-1"})
    );
}
