//! Stopping loses no request, and takes no longer than it may.

use rustix::process::Signal;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{
    MAY, Setup,
    http::{basic, get},
    raw::{hold_request, read_to_close},
};

#[tokio::test]
async fn requests_in_progress_end_before_the_server_does() {
    let setup = Setup::new();
    let mut writ = setup.serve().await;
    let (http, admin) = (writ.http, writ.admin);
    let body = format!(r#"{{"grants":[{MAY}]}}"#);
    let mut held = hold_request(http, &basic("hashed", "hashed-secret"), body.len()).await;
    // A connection without a request must not keep the server.
    let mut idle = TcpStream::connect(admin).await.unwrap();
    writ.signal(Signal::TERM);
    writ.log("stopping").await;
    read_to_close(&mut idle).await;
    held.write_all(body.as_bytes()).await.unwrap();
    let answer = read_to_close(&mut held).await;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("access_token"), "{answer}");

    let (status, _, log) = writ.ended().await;
    assert!(status.success(), "{log}");
    assert!(log.contains("stopped"), "{log}");
    assert!(TcpStream::connect(http).await.is_err());
    for file in ["data-plane.sock", "listeners.json"] {
        assert!(!setup.data(file).exists(), "{file}");
    }
}

#[tokio::test]
async fn draining_has_an_end() {
    let setup = Setup::new().config("limits: {drain_timeout: 1s}\n");
    let writ = setup.serve().await;
    let mut held = hold_request(writ.http, &basic("hashed", "hashed-secret"), 100).await;
    writ.signal(Signal::INT);
    let (status, _, log) = writ.ended().await;
    assert!(status.success() && log.contains("did not end in time"), "{log}");
    read_to_close(&mut held).await;
}

#[tokio::test]
async fn a_restart_keeps_keys_and_secrets() {
    let setup = Setup::new();
    let mut first = setup.serve().await;
    let secret = first.secret("generated").await;
    let keys = get(first.http, "/.well-known/jwks.json").await.json();
    let bearer = format!("Bearer {}", first.access_token(MAY).await);
    first.stop().await;
    let second = setup.serve().await;
    assert_eq!(get(second.http, "/.well-known/jwks.json").await.json(), keys);
    assert_ne!(second.token(&basic("generated", &secret), &[]).await.status, 401);
    let answer = second.check("GET", "/my-bucket/logs/2026-05-01.log", &[("authorization", &bearer)]).await;
    assert_eq!(answer.status, 200);
}
