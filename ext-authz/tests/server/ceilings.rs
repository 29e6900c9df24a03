//! No token is wider, longer or about anyone else than the policy allows its client.

use http::StatusCode;
use serde_json::Value;

use crate::support::{MAY, POLICY, Setup, Writ, sha256};

const LIST: &str = r#"{"type":"task_grant","actions":["s3:ListBucket"],"resources":["s3://my-bucket"],"constraints":{"prefix":{"glob":"logs/2026-05*"}}}"#;

async fn start(writ: &Writ, grants: &str, more: &str) -> (StatusCode, Value) {
    let response = writ.start_task(&format!(r#"{{"grants":[{grants}]{more}}}"#)).await;
    (response.status, response.json())
}

#[tokio::test]
async fn a_grant_is_covered_by_one_ceiling_or_refused() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    for grants in [MAY, LIST, &format!("{MAY},{LIST}")] {
        assert_eq!(start(&writ, grants, "").await.0, 201, "{grants}");
    }
    let wider = [
        MAY.replace("s3:GetObject", "s3:*"),
        MAY.replace("s3:GetObject", "s3:GetObject*"),
        MAY.replace("my-bucket", "*"),
        MAY.replace("my-bucket", "other-bucket"),
        MAY.replace("logs/2026-05*", "**"),
        MAY.replace(r#"["s3:GetObject"]"#, r#"["s3:GetObject","s3:PutObject"]"#),
        // One ceiling has the action and another one the resource; none has both.
        MAY.replace("s3:GetObject", "s3:ListBucket"),
        LIST.replace("logs/2026-05*", "*"),
        LIST.replace(r#","constraints":{"prefix":{"glob":"logs/2026-05*"}}"#, ""),
    ];
    for grant in wider {
        let (status, body) = start(&writ, &format!("{MAY},{grant}"), "").await;
        assert_eq!((status.as_u16(), &body["code"]), (403, &"not_allowed".into()), "{grant}");
        assert!(body["detail"].as_str().unwrap().starts_with("grants[1]: not covered"), "{body}");
    }
}

#[tokio::test]
async fn a_ceiling_may_say_how_often() {
    let limited = |uses: &str| MAY.replace("]}", &format!(r#"],"limits":{{"uses":{uses}}}}}"#));
    let ceiling = r#"resources: ["s3://my-bucket/logs/**"], "#;
    let policy = POLICY.replace("HASHED", &sha256("hashed-secret"));
    let setup = Setup::bare()
        .write("policies/logs.yaml", &policy.replace(ceiling, &format!("{ceiling}limits: {{uses: 2}}, ")));
    let writ = setup.serve().await;
    for (grant, wanted) in
        [(MAY.to_owned(), "`limits`, with `uses` of at most 2"), (limited("3"), "`limits.uses` of at most 2")]
    {
        let (status, body) = start(&writ, &grant, "").await;
        assert_eq!(status, 403, "{grant}");
        assert!(body["detail"].as_str().unwrap().contains(&format!("the nearest wants {wanted}")), "{body}");
    }
    for grant in [limited("2"), limited("1")] {
        assert_eq!(start(&writ, &grant, "").await.0, 201, "{grant}");
    }
}

#[tokio::test]
async fn a_lifetime_over_a_cap_is_refused_and_not_cut() {
    let setup = Setup::new().config("max_ttl: 10m\ndefault_ttl: 2m\n");
    let writ = setup.serve().await;
    let cases = [
        (MAY, "", Ok(120)),
        // The default is cut to the ceiling: nobody asked for more.
        (LIST, "", Ok(60)),
        (MAY, r#","expires_in":600"#, Ok(600)),
        (MAY, r#","expires_in":601"#, Err("600 s for this server")),
        (LIST, r#","expires_in":61"#, Err("60 s for grants[0]")),
        (&format!("{MAY},{LIST}"), r#","expires_in":61"#, Err("60 s for grants[1]")),
        (MAY, r#","expires_in":18446744073709551615"#, Err("600 s for this server")),
    ];
    for (grants, more, expected) in cases {
        let (status, body) = start(&writ, grants, more).await;
        match expected {
            Ok(seconds) => {
                assert_eq!((status.as_u16(), &body["expires_in"]), (201, &seconds.into()), "{grants}{more}");
            }
            Err(cap) => {
                assert_eq!(
                    (status.as_u16(), &body["code"]),
                    (400, &"lifetime_over_cap".into()),
                    "{grants}{more}"
                );
                assert!(body["detail"].as_str().unwrap().contains(cap), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_names_only_its_own_agents() {
    let setup = Setup::new();
    let mut writ = setup.serve().await;
    let secret = writ.secret("generated").await;
    let details = format!("[{MAY}]");
    let cases = [
        (&[("agent", "spiffe://example.org/agent/janitor-7")][..], true),
        (&[("agent", "generated")], true),
        (&[("subject", "user:ada"), ("agent", "generated")], true),
        (&[("agent", "spiffe://example.org/agent/cleaner-7")], false),
        (&[("agent", "hashed")], false),
        // Without an agent the subject presents the token itself.
        (&[("subject", "user:ada")], false),
        (&[("subject", "spiffe://example.org/agent/janitor-7")], true),
    ];
    for (names, allowed) in cases {
        let base = [("grant_type", "client_credentials"), ("authorization_details", details.as_str())];
        let authorization = crate::support::http::basic("generated", &secret);
        let response = writ.token(&authorization, &[&base, names].concat()).await;
        assert_eq!(response.status == 200, allowed, "{names:?}: {}", response.body);
    }
}

#[tokio::test]
async fn among_several_audiences_one_must_be_named() {
    let other = "namespace: other\nroutes:\n  - hosts: [other.internal]\n    audience: edge\n    rules:\n      \
                 - {method: GET, path: \"/\", action: none}\n";
    let setup = Setup::new().write("policies/other.yaml", other);
    let writ = setup.serve().await;
    let (status, body) = start(&writ, MAY, "").await;
    assert_eq!(status, 400);
    assert!(body["detail"].as_str().unwrap().starts_with("audience: must be named"), "{body}");
    assert_eq!(start(&writ, MAY, r#","audience":"mesh""#).await.0, 201);
    assert_eq!(start(&writ, MAY, r#","audience":"nowhere""#).await.0, 400);
}
