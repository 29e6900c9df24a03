//! Where secrets are from: a place that is gone, slow, or holds nonsense denies, is named, and recovers by itself.

use futures_util::future::join_all;

use crate::support::{
    MAY, Setup, Writ,
    credential::{NAME, TRUSTED, bearer},
    endpoint::{Answer, Endpoint, token},
};

/// The secret of this server as a client of the endpoint.
const CLIENT_SECRET: &str = "cl1ent-s3cret";

/// A server whose credential is from `endpoint`, with a token for it.
async fn world(endpoint: &Endpoint) -> (Setup, Writ, String) {
    let setup = Setup::new().config(TRUSTED).write_secret("client", CLIENT_SECRET);
    let oauth2 = format!(
        "{{oauth2: {{token_url: \"http://{}/token?tenant=1\", client_id: writ, client_secret: {{file: {}}}, scope: \"a b\", \
         audience: minio}}}}",
        endpoint.address,
        setup.path("client").display(),
    );
    let setup = setup.write("policies/logs.yaml", &bearer(&oauth2));
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    (setup, writ, token)
}

#[tokio::test]
async fn a_file_that_cannot_be_used_denies_and_is_named() {
    let setup = Setup::with_key("k3y-of-the-bucket");
    for broken in ["k3y\nof-the-bucket", "k3y\r\nx: of-the-bucket", "short", "", "\n", &"x".repeat(20_000)] {
        setup.rotate(broken);
        let mut writ = setup.serve().await;
        let token = writ.access_token(MAY).await;
        let denied = writ.inject(&token, "minio").await;
        assert_eq!(denied.code(), "server_unavailable", "{broken:?}");
        assert!(!format!("{denied:?}").contains("of-the-bucket"), "{denied:?}");
        let line = writ.log("a credential cannot be had").await;
        let place = setup.path("key").display().to_string();
        assert!(line.contains(NAME) && line.contains(&place) && !line.contains("of-the-bucket"), "{line}");
        writ.stop().await;
    }
    // One that others may read is a secret no more.
    setup.rotate("k3y-of-the-bucket");
    setup.set_mode("key", 0o644);
    let mut writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    assert_eq!(writ.inject(&token, "minio").await.code(), "server_unavailable");
    assert!(writ.log("a credential cannot be had").await.contains("its mode 644"));
    std::fs::remove_file(setup.path("key")).unwrap();
    assert_eq!(writ.inject(&token, "minio").await.code(), "server_unavailable");
    // And it recovers by itself.
    setup.rotate("k3y-of-the-bucket");
    while writ.inject(&token, "minio").await.status != 200 {}
    assert!(writ.log("a credential can be had again").await.contains(NAME));
}

#[tokio::test]
async fn a_variable_that_is_not_set_denies_and_is_named() {
    let setup = Setup::new().config(TRUSTED);
    let setup = setup.write("policies/logs.yaml", &bearer("{env: WRIT_TEST_NOT_SET}"));
    let mut writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    assert_eq!(writ.inject(&token, "minio").await.code(), "server_unavailable");
    assert!(writ.log("a credential cannot be had").await.contains("`WRIT_TEST_NOT_SET` is not set"));
}

/// However many ask, the endpoint is asked once; and again before the token ends, while nobody waits.
#[tokio::test]
async fn a_token_is_fetched_once_and_renewed_ahead() {
    let endpoint = Endpoint::start(Answer::Hang).await;
    let (_setup, writ, grant) = world(&endpoint).await;
    let asking = join_all((0..20).map(|_| writ.inject(&grant, "minio")));
    let answering = async {
        while endpoint.asked() == 0 {
            tokio::task::yield_now().await;
        }
        endpoint.answers(token("t0ken-number-1", 4));
    };
    let (answers, ()) = tokio::join!(asking, answering);
    for answer in answers {
        assert_eq!((answer.status, answer.set["authorization"].as_str()), (200, "Bearer t0ken-number-1"));
    }
    assert_eq!(endpoint.asked(), 1);
    let request = endpoint.last();
    let (head, form) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /token?tenant=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Basic d3JpdDpjbDFlbnQtczNjcmV0"), "{head}");
    assert_eq!(form, "grant_type=client_credentials&scope=a+b&audience=minio");

    endpoint.answers(token("t0ken-number-2", 3600));
    loop {
        let answer = writ.inject(&grant, "minio").await;
        assert_eq!(answer.status, 200, "none waits for it, and none is refused");
        if answer.set["authorization"] == "Bearer t0ken-number-2" {
            break;
        }
    }
    assert_eq!(endpoint.asked(), 2);
    assert!(writ.metric(r#"writ_credential_fetches_total{result="ok"} 2"#).await);
}

#[tokio::test]
async fn a_token_is_exchanged() {
    let endpoint = Endpoint::start(token("exchanged-t0ken", 3600)).await;
    let setup = Setup::new().config(TRUSTED).write_secret("subject", "the.workloads.own\n");
    let exchange = format!(
        "{{token_exchange: {{token_url: \"http://{}/sts\", subject_token: {{file: {}}}, audience: minio}}}}",
        endpoint.address,
        setup.path("subject").display(),
    );
    let setup = setup.write("policies/logs.yaml", &bearer(&exchange));
    let writ = setup.serve().await;
    let answer = writ.inject(&writ.access_token(MAY).await, "minio").await;
    assert_eq!(answer.set["authorization"], "Bearer exchanged-t0ken");
    let request = endpoint.last();
    assert!(!request.to_ascii_lowercase().contains("authorization:"), "{request}");
    let form = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        form,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=the.workloads.own&\
         subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&audience=minio"
    );
}

/// Each is a denial, and a line in the log that names the endpoint and repeats nothing of what it said.
#[tokio::test]
async fn an_endpoint_that_answers_nonsense_denies_and_is_named() {
    let say = |status, headers, body: &str| Answer::Say(status, headers, body.to_owned());
    let elsewhere = "location: http://127.0.0.1:1/t0ken-leak\r\n";
    let huge = format!("{{\"access_token\":\"{}\"}}", "t0ken-leak".repeat(10_000));
    for (answer, reason) in [
        (say(302, elsewhere, ""), "answered 302, a redirect, which is not followed"),
        (say(307, elsewhere, ""), "answered 307, a redirect, which is not followed"),
        (say(500, "", "t0ken-leak"), "answered 500"),
        (
            say(401, "", r#"{"error":"invalid_client","error_description":"t0ken-leak"}"#),
            "answered 401 `invalid_client`",
        ),
        (say(400, "", r#"{"error":"t0ken-leak"}"#), "answered 400"),
        (say(200, "", "t0ken-leak"), "gave an answer that is no token"),
        (
            say(200, "", r#"{"access_token":["t0ken-leak"],"token_type":"Bearer"}"#),
            "gave an answer that is no token",
        ),
        (
            say(200, "", r#"{"access_token":"t0ken-leak","token_type":"mac"}"#),
            "its `token_type` is not `Bearer`",
        ),
        (
            say(200, "", r#"{"access_token":"t0ken-leak","token_type":"Bearer","expires_in":-1}"#),
            "gave an answer that is no token",
        ),
        (
            say(200, "", r#"{"access_token":"t0ken-leak","token_type":"Bearer","expires_in":0}"#),
            "has expired already",
        ),
        (
            say(200, "", r#"{"access_token":"t0ken\nleak","token_type":"Bearer","expires_in":60}"#),
            "has a line break, a control character",
        ),
        (say(200, "", r#"{"access_token":"","token_type":"Bearer"}"#), "has not 8 to 8192 bytes"),
        (say(200, "", &huge), "gave no whole answer of at most 65536 bytes"),
        (Answer::Endless, "gave no whole answer of at most 65536 bytes"),
        (Answer::Drop, "cannot be reached"),
    ] {
        let endpoint = Endpoint::start(answer.clone()).await;
        let (_setup, mut writ, grant) = world(&endpoint).await;
        let denied = writ.inject(&grant, "minio").await;
        assert_eq!(denied.code(), "server_unavailable", "{answer:?}");
        let line = writ.log("a credential cannot be had").await;
        let place = format!("the token endpoint `http://{}/token`", endpoint.address);
        assert!(
            line.contains(&place) || line.contains("has a line break") || line.contains("has not"),
            "{line}"
        );
        assert!(
            line.contains(reason) && !line.contains("leak") && !line.contains("tenant"),
            "{reason}: {line}"
        );
        // It recovers by itself.
        endpoint.answers(token("good-t0ken", 60));
        while writ.inject(&grant, "minio").await.status != 200 {}
        let (_, stdout, stderr) = writ.stop().await;
        assert!(!format!("{stdout}{stderr}").contains(CLIENT_SECRET));
    }
}

/// Whoever waits is told in time, and everything else goes on meanwhile.
#[tokio::test]
async fn an_endpoint_that_hangs_holds_nobody_up() {
    let endpoint = Endpoint::start(Answer::Hang).await;
    let (_setup, writ, grant) = world(&endpoint).await;
    let waiting = join_all((0..50).map(|_| writ.inject(&grant, "minio")));
    let others = async {
        for _ in 0..50 {
            assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
        }
    };
    let (denied, ()) = tokio::join!(waiting, others);
    assert!(denied.iter().all(|answer| answer.code() == "server_unavailable"), "{denied:?}");
    assert_eq!(endpoint.asked(), 1, "one question, however many wait");
    endpoint.answers(token("late-t0ken", 60));
    while writ.inject(&grant, "minio").await.status != 200 {}
    assert_eq!(endpoint.asked(), 1);
}

/// While its token lasts, an endpoint may be away.
#[tokio::test]
async fn an_endpoint_that_goes_away_is_missed_when_its_token_ends() {
    let endpoint = Endpoint::start(token("short-t0ken", 3)).await;
    let (_setup, mut writ, grant) = world(&endpoint).await;
    assert_eq!(writ.inject(&grant, "minio").await.status, 200);
    endpoint.answers(Answer::Drop);
    // It is asked ahead of the end, and what is here goes on.
    while endpoint.asked() == 1 {
        assert_eq!(writ.inject(&grant, "minio").await.status, 200);
    }
    assert!(writ.log("a credential cannot be had").await.contains("in_use=true"));
    while writ.inject(&grant, "minio").await.status == 200 {}
    assert_eq!(writ.inject(&grant, "minio").await.code(), "server_unavailable");
}
