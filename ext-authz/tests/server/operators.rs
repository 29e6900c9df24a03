//! Who may do what operators do.

use std::{fs, os::unix::fs::PermissionsExt as _};

use http::Method;

use crate::support::{
    MAY, Response, Setup, Writ,
    http::{basic, get, send, send_local},
    sha256,
};

const WHOAMI: &str = "/v1/operator";

fn setup() -> Setup {
    let hash = sha256;
    Setup::new().config(&format!(
        "operators: [{{name: ada, secret_sha256: \"{}\"}}, {{name: bob, secret_sha256: \"{}\"}}]\n\
         data_planes: [{{name: edge, secret_sha256: \"{}\"}}]\n",
        hash("ada-secret"),
        hash("bob-secret").to_uppercase(),
        hash("edge-secret")
    ))
}

async fn ask(writ: &Writ, values: &[&str]) -> Response {
    let headers: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
    send(writ.http, Method::GET, WHOAMI, &headers, "").await
}

#[tokio::test]
async fn a_secret_or_the_socket_makes_an_operator() {
    let setup = setup();
    let writ = setup.serve().await;
    assert_eq!(ask(&writ, &["Bearer ada-secret"]).await.json()["operator"], "ada");
    assert_eq!(ask(&writ, &["bearer bob-secret"]).await.json()["operator"], "bob");
    assert_eq!(fs::metadata(&writ.operator).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(send_local(&writ.operator, Method::GET, WHOAMI, &[], "").await.json()["operator"], "local");
    let path = writ.operator.clone();
    writ.stop().await;
    assert!(!path.exists());
}

/// Whatever else opens something here opens nothing of this.
#[tokio::test]
async fn nobody_elses_credentials_are_an_operators() {
    let setup = setup();
    let mut writ = setup.serve().await;
    let task_token = format!("Bearer {}", writ.access_token(MAY).await);
    let (client, as_basic) = (basic("hashed", "hashed-secret"), basic("ada", "ada-secret"));
    let hash = format!("Bearer {}", sha256("ada-secret"));
    let strangers: [&[&str]; 10] = [
        &[],
        &["Bearer "],
        &["Bearer wrong"],
        &["Bearer hashed-secret"],
        &["Bearer edge-secret"],
        &[&task_token],
        &[&client],
        &[&as_basic],
        &[&hash],
        &["Bearer ada-secret", "Bearer ada-secret"],
    ];
    for values in strangers {
        let refused = ask(&writ, values).await;
        assert_eq!(refused.status, 401, "{values:?}");
        assert_eq!(refused.json()["code"], "not_an_operator");
        assert!(refused.header("www-authenticate").starts_with("Bearer "), "{refused:?}");
    }
    assert!(writ.metric("writ_operator_refused_total 10").await);
    writ.log("a caller that is no operator").await;
    let (_, _, log) = writ.stop().await;
    assert_eq!(
        log.matches("a caller that is no operator").count(),
        1,
        "strangers do not fill the log: {log}"
    );
    assert!(!log.contains("wrong") && !log.contains("-secret"), "{log}");
}

/// The socket is the operators' alone: clients' routes are not behind it, nor are operators' behind the others.
#[tokio::test]
async fn what_is_behind_one_listener_is_not_behind_another() {
    let setup = setup();
    let writ = setup.serve().await;
    for path in ["/oauth2/token", "/v1/tasks"] {
        let answer = send_local(&writ.operator, Method::POST, path, &[], "").await;
        assert!(answer.status == 404 || answer.status == 405, "{path}: {}", answer.status);
    }
    assert_eq!(get(writ.admin, WHOAMI).await.status, 404);
}
