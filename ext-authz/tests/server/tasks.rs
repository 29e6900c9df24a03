//! `POST /v1/tasks`.

use http::Method;

use crate::support::{
    MAY, Setup,
    http::{basic, send},
};

#[tokio::test]
async fn a_task_is_created_with_its_first_token() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let response =
        writ.start_task(&format!(r#"{{"grants":[{MAY}],"subject":"hashed","note":"tidy up"}}"#)).await;
    assert_eq!(response.status, 201, "{}", response.body);
    assert_eq!(response.header("cache-control"), "no-store");
    let body = response.json();
    assert_eq!((&body["task"]["client"], &body["task"]["agent"]), (&"hashed".into(), &"hashed".into()));
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &300.into()));
    assert_eq!(body["task"]["id"].as_str().unwrap().len(), 36);
    assert_eq!(
        body["authorization_details"],
        serde_json::from_str::<serde_json::Value>(&format!("[{MAY}]")).unwrap()
    );
}

#[tokio::test]
async fn errors_name_the_grant_and_the_member() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let grant =
        |member: &str| format!(r#"{{"grants":[{MAY},{}]}}"#, MAY.replace("}", &format!(",{member}}}")));
    let other = MAY.replace("2026-05*", "2026-06*");
    let cases = [
        (grant(r#""more":1"#), "grants[1].more: unknown field `more`"),
        (grant(r#""constraints":{"prefix":{"regex":"x"}}"#), "grants[1].constraints"),
        (grant(r#""actions":["s3:GetObject"]"#), "grants[1]"),
        (grant(r#""limits":{"uses":0}"#), "grants[1].limits.uses"),
        (grant(r#""limits":{"uses":1,"per":"day"}"#), "grants[1].limits.per"),
        (format!(r#"{{"grants":[{MAY},{other},{MAY}]}}"#), "grants[2]: the same as"),
        (grant(r#""id":"another""#), "grants[1]: the same as"),
        (format!(r#"{{"grants":[{}]}}"#, MAY.replace("task_grant", "payment")), "grants[0].type"),
        (format!(r#"{{"grants":[{}]}}"#, MAY.replace("s3:GetObject", "s3:G*t")), "grants[0].actions[0]"),
        (format!(r#"{{"grants":[{}]}}"#, MAY.replace("s3://my", "S3://my")), "grants[0].resources[0]"),
        (r#"{"grants":[]}"#.into(), "grants"),
        ("{}".into(), "grants"),
        ("[]".into(), "body"),
        ("".into(), "body"),
        (format!("[[{MAY}]]"), "body: invalid type: sequence, expected an object"),
        (format!("[[{MAY}],null,null,null,null,null,null]"), "expected an object"),
        ("null".into(), "expected an object"),
        (r#"{"grants":null}"#.into(), "grants"),
        (format!(r#"{{"grants":[{MAY}],"subject":null}}"#), "subject"),
        (format!(r#"{{"grants":[{MAY}],"agent":null}}"#), "agent"),
        (format!(r#"{{"grants":[{MAY}],"expires_in":null}}"#), "expires_in"),
        (format!(r#"{{"grants":[{MAY}],"audience":null}}"#), "audience"),
        (format!(r#"{{"grants":[{MAY}],"note":null}}"#), "note"),
        (format!(r#"{{"grants":[{MAY}],"cnf":null}}"#), "cnf"),
        (format!(r#"{{"grants":[{MAY}],"cnf":["spiffe://example.org/a"]}}"#), "cnf"),
        (format!(r#"{{"grants":[{MAY}],"audiense":"mesh"}}"#), "audiense"),
        (format!(r#"{{"grants":[{MAY}],"audience":"mesh","audience":"mesh"}}"#), "audience"),
        (format!(r#"{{"grants":[{MAY}]}} x"#), "body"),
        (format!(r#"{{"grants":[{MAY}],"expires_in":"60"}}"#), "expires_in"),
        (format!(r#"{{"grants":[{MAY}],"note":"{}"}}"#, "x".repeat(513)), "note"),
        (format!(r#"{{"grants":[{MAY}],"cnf":{{"jkt":"x"}}}}"#), "`jkt` (DPoP) is not supported"),
        (format!(r#"{{"grants":[{MAY}],"cnf":{{}}}}"#), "cnf"),
        (format!(r#"{{"grants":[{MAY}],"cnf":{{"spiffe":"https://example.org"}}}}"#), "cnf"),
        (format!(r#"{{"grants":[{MAY}],"cnf":{{"spiffe":"spiffe://example.org/../a"}}}}"#), "cnf"),
        (format!(r#"{{"grants":[{MAY}],"subject":"spiffe://example.org/a/"}}"#), "subject: begins with"),
        (
            format!(r#"{{"grants":[{MAY}],"agent":"spiffe://example.org/agent/janitor-1/../../root"}}"#),
            "agent: begins with `spiffe://` and is no SPIFFE ID",
        ),
        (format!(r#"{{"grants":[{MAY}],"cnf":{{"x5t#S256":"short"}}}}"#), "cnf"),
        (format!(r#"{{"grants":[{MAY}],"cnf":{{"unknown":"x"}}}}"#), "cnf.unknown"),
    ];
    for (body, place) in cases {
        let response = writ.start_task(&body).await;
        assert_eq!(response.status, 400, "{body}: {}", response.body);
        assert_eq!(response.header("content-type"), "application/problem+json");
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(place), "{body}: {detail}");
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let authorization = basic("hashed", "hashed-secret");
    let body = format!(r#"{{"grants":[{MAY}]}}"#);
    let headers = [("authorization", authorization.as_str()), ("content-type", "text/plain")];
    assert_eq!(send(writ.http, Method::POST, "/v1/tasks", &headers, &body).await.status, 415);
    let headers =
        [("authorization", authorization.as_str()), ("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(send(writ.http, Method::POST, "/v1/tasks", &headers, &body).await.status, 201);
}

#[tokio::test]
async fn a_token_that_data_planes_would_refuse_is_not_signed() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let grant = |n: usize| MAY.replace("2026-05*", &format!("{n}-{}", "x".repeat(200)));
    let grants: Vec<String> = (0..64).map(grant).collect();
    let response = writ.start_task(&format!(r#"{{"grants":[{}]}}"#, grants.join(","))).await;
    assert_eq!((response.status.as_u16(), &response.json()["code"]), (400, &"invalid_grants".into()));
    assert!(response.body.contains("8192"), "{}", response.body);
}
