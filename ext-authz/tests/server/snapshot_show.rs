//! `writ snapshot show` and `writ keys list`.

use crate::support::{Setup, http::get};

#[tokio::test]
async fn a_snapshot_is_shown_without_its_hash_key() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let generation = writ.generation().await;
    for (format, file) in [("json", "a.json"), ("envoy", "a.yaml")] {
        let export = ["snapshot", "export", "--format", format, "--output", file, "--valid-for", "1h"];
        assert!(setup.run(&export).status.success());
    }
    let exported = std::fs::read_to_string(setup.path("a.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&exported).unwrap();
    let hash_key = document["snapshot"]["hash_key"].as_str().expect("it is there to be shown");
    for (arguments, input) in
        [(vec![], ""), (vec!["a.json"], ""), (vec!["a.yaml"], ""), (vec!["-"], &*exported)]
    {
        let show = [&["snapshot", "show"][..], &arguments].concat();
        let (code, stdout, stderr) = setup.run_with(&show, input);
        assert_eq!((code, stderr.as_str()), (0, ""));
        for said in [
            "host         logs.internal (audience mesh, stale after 30 seconds)\n",
            "GET /{bucket}: s3:ListBucket on s3://{bucket}\n",
            "GET /healthz: open to everyone\n",
            "key          EdDSA ",
        ] {
            assert!(stdout.contains(said), "{said}: {stdout}");
        }
        assert_eq!(
            stdout.contains("valid until"),
            !arguments.is_empty(),
            "a server's own has no end: {stdout}"
        );
        let (_, shown) = setup.run_json(&show, input);
        assert!(shown.get("hash_key").is_none());
        assert!(!stdout.contains(hash_key.trim()) && !shown.to_string().contains(hash_key.trim()));
        assert_eq!(shown["hosts"][0]["names"][0], "logs.internal");
    }
    let (_, shown) = setup.run_json(&["snapshot", "show"], "");
    assert_eq!(shown["version"]["generation"], generation);
}

#[test]
fn without_a_snapshot_there_is_nothing_to_show() {
    let feed = r#"{"feed":{"cluster":"writ","authority":"writ"}}"#;
    let setup = Setup::new().write("feed.json", feed);
    for (arguments, fault) in [
        (&[][..], "no policy was ever published in `sqlite:writ-data/writ.db`"),
        (&["nowhere"], "cannot read `nowhere`"),
        (&["feed.json"], "names a feed"),
    ] {
        let (code, stdout, stderr) = setup.run_with(&[&["snapshot", "show"], arguments].concat(), "");
        assert!(code == 1 && stdout.is_empty() && stderr.contains(fault), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn keys_are_listed_without_their_private_halves() {
    let setup = Setup::new();
    let (code, _, stderr) = setup.run_with(&["keys", "list"], "");
    assert!(code == 64 && stderr.contains("no signing key"), "{stderr}");
    let writ = setup.serve().await;
    let published = get(writ.http, "/.well-known/jwks.json").await.json();
    let kid = published["keys"][0]["kid"].as_str().unwrap();
    let (code, stdout, _) = setup.run_with(&["keys", "list"], "");
    assert!(
        code == 0 && stdout.starts_with(&format!("{kid}  EdDSA  active")) && stdout.contains("made 20"),
        "{stdout}"
    );
    let (_, listed) = setup.run_json(&["keys", "list"], "");
    let key = &listed["keys"][0];
    assert_eq!((&key["kid"], &key["active"], &key["alg"]), (&kid.into(), &true.into(), &"EdDSA".into()));
    assert!(key["created"].as_u64().unwrap() > 1_700_000_000);
    let members: Vec<_> = key.as_object().unwrap().keys().collect();
    assert_eq!(members, ["active", "active_at", "alg", "created", "kid", "last_exp", "retired_at", "state"]);
}
