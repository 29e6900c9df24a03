//! `writ token issue` and `writ token inspect`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::support::{MAY, Setup, command::code_and_text};

const READ_MAY: [&str; 8] = [
    "token",
    "issue",
    "--client",
    "hashed",
    "--action",
    "s3:GetObject",
    "--resource",
    "s3://my-bucket/logs/2026-05*",
];

#[tokio::test]
async fn a_token_is_issued_by_the_server_that_runs_here() {
    let setup = Setup::new().write("secret", "hashed-secret\n");
    let _writ = setup.serve().await;
    let from_file = [&READ_MAY[..], &["--secret-file", "secret"]].concat();
    let (code, token, stderr) = setup.run_with(&from_file, "");
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(token.trim_end().split('.').count(), 3, "the token alone: {token}");

    let from_stdin = [&READ_MAY[..], &["--secret-file", "-", "--expires-in", "1m"]].concat();
    let (code, answer) = setup.run_json(&from_stdin, "hashed-secret");
    assert_eq!((code, &answer["expires_in"]), (0, &60.into()));
    assert_eq!(answer["authorization_details"][0]["actions"], json!(["s3:GetObject"]));

    let from_variable = setup.command(&READ_MAY).env("WRIT_CLIENT_SECRET", "hashed-secret").output().unwrap();
    assert_eq!(code_and_text(from_variable).0, 0);
}

#[tokio::test]
async fn grants_come_as_json_too() {
    let setup = Setup::new().write("secret", "hashed-secret").write("grants.json", &format!("[{MAY}]"));
    let _writ = setup.serve().await;
    let issue = |grants: &[&str], input: &str| {
        let fixed = ["token", "issue", "--client", "hashed", "--secret-file", "secret"];
        setup.run_with(&[&fixed[..], grants].concat(), input)
    };
    assert_eq!(issue(&["--grants", "grants.json"], "").0, 0);
    assert_eq!(issue(&["--grants", "-"], &format!("[{MAY}]")).0, 0);
    let june = MAY.replace("05", "06");
    assert_eq!(issue(&["--grant", MAY, "--grant", &june], "").0, 0);
    for (grants, code, fault) in [
        (&["--grant", "{"][..], 1, "--grant: "),
        (&["--grant", &format!("{MAY},{MAY}")], 1, "--grant: trailing characters"),
        (&["--grant", MAY, "--action", "s3:GetObject", "--resource", "s3://a"], 2, "cannot be used with"),
        (&["--action", "s3:GetObject"], 2, "--resource"),
        (&[], 2, "--action"),
        (&["--grants", "nowhere.json"], 1, "cannot read `nowhere.json`"),
        (
            &["--action", "s3:PutObject", "--resource", "s3://my-bucket/a"],
            1,
            "invalid_authorization_details: ",
        ),
    ] {
        let (got, stdout, stderr) = issue(grants, "");
        assert_eq!((got, stdout.as_str()), (code, ""), "{grants:?}: {stderr}");
        assert!(stderr.contains(fault), "{grants:?}: {stderr}");
    }
}

#[tokio::test]
async fn a_secret_is_neither_shown_nor_sent_where_others_could_read_it() {
    let setup = Setup::new().write("secret", "wrong-secret");
    let writ = setup.serve().await;
    let issue = [&READ_MAY[..], &["--secret-file", "secret"]].concat();
    let (code, stdout, stderr) = setup.run_with(&issue, "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.starts_with("error: invalid_client: "), "{stderr}");
    assert!(!stderr.contains("wrong-secret"));

    let elsewhere = [&issue[..], &["--server", "http://writ.example.org"]].concat();
    let (code, _, stderr) = setup.run_with(&elsewhere, "");
    assert!(code == 1 && stderr.contains("not without TLS"), "{stderr}");
    let (code, _, stderr) = setup.run_with(&READ_MAY, "");
    assert!(code == 1 && stderr.contains("WRIT_CLIENT_SECRET"), "{stderr}");

    let http = format!("http://{}", writ.http);
    assert_eq!(setup.run_with(&[&issue[..], &["--server", "nonsense"]].concat(), "").0, 2);
    writ.stop().await;
    let (code, _, stderr) = setup.run_with(&issue, "");
    assert!(code == 1 && stderr.contains("no server runs here"), "{stderr}");
    let (code, _, stderr) = setup.run_with(&[&issue[..], &["--server", &http]].concat(), "");
    assert!(code == 1 && stderr.contains("no server answers"), "{stderr}");
}

#[tokio::test]
async fn a_token_is_shown_in_words_and_said_to_prove_nothing() {
    let setup = Setup::new().write("secret", "hashed-secret");
    let _writ = setup.serve().await;
    let (_, token, _) = setup.run_with(&[&READ_MAY[..], &["--secret-file", "secret"]].concat(), "");
    for presented in [token.clone(), format!("Bearer {token}"), format!("\n bearer  {token}\n")] {
        let (code, stdout, _) = setup.run_with(&["token", "inspect"], &presented);
        assert_eq!(code, 0);
        assert!(stdout.starts_with("not verified: anyone could have written"), "{stdout}");
        for said in [
            "started by   hashed\n",
            "audience     mesh\n",
            ", in ",
            "grant 1      s3:GetObject\n",
            "on s3://my-bucket/",
        ] {
            assert!(stdout.contains(said), "{said}: {stdout}");
        }
    }
    let (code, shown) = setup.run_json(&["token", "inspect"], &token);
    assert_eq!((code, &shown["verified"], &shown["problem"]), (0, &false.into(), &().into()));
    assert_eq!((&shown["header"]["alg"], &shown["claims"]["client_id"]), (&"EdDSA".into(), &"hashed".into()));
}

#[test]
fn what_is_no_task_token_is_shown_as_far_as_it_goes() {
    let setup = Setup::bare();
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let foreign = format!("{}.{}.x", part(r#"{"alg":"none"}"#), part("{\"sub\":\"a\u{9b}31m\u{202e}b\"}"));
    let (code, stdout, stderr) = setup.run_with(&["token", "inspect"], &foreign);
    assert_eq!(code, 1);
    assert!(stderr.starts_with("error: not a task token: claims: missing field"), "{stderr}");
    assert!(stdout.contains(r#""sub": "a\u{9b}31m\u{202e}b""#), "nothing that a terminal obeys: {stdout}");
    let (code, shown) = setup.run_json(&["token", "inspect"], &foreign);
    assert_eq!((code, &shown["header"]["alg"]), (1, &"none".into()));
    for text in ["", "a.b", "a.b.c.d", "!.!.!", "e30.bm8.x"] {
        let (code, stdout, stderr) = setup.run_with(&["token", "inspect"], text);
        assert!(code == 1 && stdout.is_empty() && stderr.starts_with("error: no"), "{text}: {stderr}");
    }
}
