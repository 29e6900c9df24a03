//! `writ token verify`: by each source of keys, with the verdict's codes.

use serde_json::Value;

use crate::support::{MAY, Setup, Writ, http::get};

async fn started() -> (Setup, Writ, String) {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let (_, token, stderr) = setup.run_with(
        &["token", "issue", "--client", "hashed", "--secret-file", "-", "--grant", MAY],
        "hashed-secret",
    );
    assert_eq!(stderr, "");
    (setup, writ, token)
}

#[tokio::test]
async fn every_source_of_keys_says_the_same() {
    let (setup, writ, token) = started().await;
    let setup = setup.write("jwks.json", &get(writ.http, "/.well-known/jwks.json").await.body);
    for format in ["json", "envoy"] {
        let export = ["snapshot", "export", "--format", format, "--output", format];
        assert!(setup.run(&export).status.success());
    }
    let url = format!("http://{}/.well-known/jwks.json", writ.http);
    let issuer = ["--issuer", "http://127.0.0.1:8080"];
    let sources = [
        vec![],
        vec!["--snapshot", "json"],
        vec!["--snapshot", "envoy"],
        [&["--jwks", "jwks.json"][..], &issuer].concat(),
        [&["--jwks", &url][..], &issuer].concat(),
    ];
    let (head, payload) = token.trim_end().split_at(token.find('.').unwrap());
    let other = if payload.as_bytes()[20] == b'A' { "B" } else { "A" };
    let tampered = format!("{head}{}{other}{}", &payload[..20], &payload[21..]);
    for source in sources {
        let verify = [&["token", "verify"][..], &source].concat();
        let (code, stdout, stderr) = setup.run_with(&verify, &token);
        assert_eq!((code, stderr.as_str()), (0, ""), "{source:?}");
        assert!(stdout.starts_with("valid by ") && stdout.contains("unchecked    what the grants allow"));
        for (token, expected) in [(tampered.as_str(), "bad_signature"), ("a.b.c", "malformed_token")] {
            let (code, stdout, stderr) = setup.run_with(&verify, token);
            assert_eq!((code, stdout.as_str()), (1, ""), "{source:?}");
            assert!(stderr.contains(&format!(": {expected}: ")), "{source:?}: {stderr}");
        }
        let (code, shown) = setup.run_json(&verify, &token);
        assert_eq!(
            (code, &shown["valid"], &shown["claims"]["client_id"]),
            (0, &true.into(), &"hashed".into())
        );
    }
}

#[tokio::test]
async fn what_is_revoked_is_not_valid() {
    let (setup, writ, token) = started().await;
    let setup = setup.write("jwks.json", &get(writ.http, "/.well-known/jwks.json").await.body);
    let (code, shown) = setup.run_json(&["token", "verify"], &token);
    assert_eq!((code, &shown["unchecked"]), (0, &serde_json::json!(["grants"])));
    let task = shown["claims"]["txn"].as_str().unwrap().to_owned();
    assert!(setup.run(&["revoke", "task", &task]).status.success());
    let (code, shown) = setup.run_json(&["token", "verify"], &token);
    assert_eq!((code, &shown["code"]), (1, &"revoked".into()));
    // A key set does not know, and says so.
    let by_keys = ["token", "verify", "--jwks", "jwks.json", "--issuer", "http://127.0.0.1:8080"];
    let (code, shown) = setup.run_json(&by_keys, &token);
    assert_eq!((code, &shown["unchecked"]), (0, &serde_json::json!(["grants", "revocation"])));
}

#[tokio::test]
async fn a_denial_has_its_code() {
    let (setup, writ, token) = started().await;
    let denied = |arguments: &[&str]| -> (i32, Value) {
        let (code, shown) = setup.run_json(&[&["token", "verify"], arguments].concat(), &token);
        assert_eq!(shown["valid"], false);
        (code, shown["code"].clone())
    };
    assert_eq!(denied(&["--audience", "other"]), (1, "wrong_audience".into()));
    let url = format!("http://{}/.well-known/jwks.json", writ.http);
    assert_eq!(denied(&["--jwks", &url, "--issuer", "http://other"]), (1, "wrong_issuer".into()));
    let other = Setup::new();
    other.serve().await.stop().await;
    assert!(other.run(&["snapshot", "export", "--output", "s"]).status.success());
    let snapshot = other.path("s");
    assert_eq!(denied(&["--snapshot", snapshot.to_str().unwrap()]), (1, "unknown_key".into()));

    // The same snapshot, whose time has passed.
    assert!(setup.run(&["snapshot", "export", "--output", "s"]).status.success());
    let mut plugin: Value = serde_json::from_slice(&std::fs::read(setup.path("s")).unwrap()).unwrap();
    plugin["snapshot"]["not_after"] = 1.into();
    std::fs::write(setup.path("s"), plugin.to_string()).unwrap();
    assert_eq!(denied(&["--snapshot", "s"]), (1, "stale_snapshot".into()));
}

#[tokio::test]
async fn sources_that_are_none_are_refused() {
    let setup = Setup::new().write("x", "x: 1\n").write("empty.json", r#"{"keys":[{"kty":"RSA"}]}"#);
    let verify = |arguments: &[&str]| setup.run_with(&[&["token", "verify"], arguments].concat(), "a.b.c");
    for (arguments, code, fault) in [
        (&[][..], 64, "no signing key"),
        (&["--jwks", "empty.json"], 2, "--issuer"),
        (&["--jwks", "empty.json", "--issuer", "x"], 1, "no Ed25519 key there"),
        (&["--jwks", "http://example.org/jwks", "--issuer", "x"], 1, "not without TLS"),
        (&["--snapshot", "x"], 1, "neither a snapshot nor Envoy's resource"),
        (&["--snapshot", "empty.json"], 1, "not a snapshot: "),
        (&["--snapshot", "x", "--jwks", "y", "--issuer", "z"], 2, "cannot be used with"),
    ] {
        let (got, _, stderr) = verify(arguments);
        assert!(got == code && stderr.contains(fault), "{arguments:?}: {got} {stderr}");
    }
}
