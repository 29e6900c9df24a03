//! No stranger holds a listener: bodies, header fields, time and numbers are bounded on each.

use std::io;

use http::Method;
use tokio::{io::AsyncWriteExt as _, net::UnixStream};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::support::{
    MAY, Setup, Writ,
    http::{basic, get, send},
    raw::{begin, hold_request, read_to_close, read_until},
};

#[tokio::test]
async fn bodies_are_bounded_whether_or_not_they_say_how_long_they_are() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let authorization = basic("hashed", "hashed-secret");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = |length: usize| {
        let empty = format!(r#"{{"grants":[{MAY}],"note":""}}"#);
        empty.replace(r#""note":"""#, &format!(r#""note":"{}""#, "x".repeat(length - empty.len())))
    };
    // The note is too long, so the body was read.
    assert_eq!(send(writ.http, Method::POST, "/v1/tasks", &headers, &body(65536)).await.status, 400);
    let response = send(writ.http, Method::POST, "/v1/tasks", &headers, &body(65537)).await;
    assert_eq!((response.status.as_u16(), response.header("connection")), (413, "close"));
    assert_eq!(response.header("content-type"), "application/problem+json");
    assert_eq!(response.json()["detail"], "the body is too large");
    let response = send(writ.http, Method::POST, "/oauth2/token", &headers, &body(65537)).await;
    assert_eq!((response.status.as_u16(), response.header("connection")), (413, "close"));
    assert_eq!(response.json()["error"], "invalid_request");

    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: writ\r\nauthorization: {authorization}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n10001\r\n"
    );
    let mut chunked = begin(writ.http, head.as_bytes()).await;
    chunked.write_all(&[b' '; 0x10001]).await.unwrap();
    let answer = read_to_close(&mut chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("application/problem+json"), "{answer}");
}

/// As large as `writ.yaml` allows, and no other limit below it.
#[tokio::test]
async fn the_bound_of_bodies_can_be_raised() {
    let setup = Setup::new().config("limits: {body_bytes: 4194304}\n");
    let writ = setup.serve().await;
    assert_eq!(writ.start_task(&" ".repeat(4 * 1024 * 1024)).await.status, 400);
    // Who waits for `100 Continue` is told before it sends a byte of the body.
    let authorization = basic("hashed", "hashed-secret");
    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: writ\r\nauthorization: {authorization}\r\ncontent-type: application/json\r\n\
         content-length: 4194305\r\nexpect: 100-continue\r\n\r\n"
    );
    let mut large = begin(writ.http, head.as_bytes()).await;
    assert!(read_to_close(&mut large).await.starts_with("HTTP/1.1 413"));
}

/// Each connection takes a descriptor, and the usual limit is lower than all connections that are allowed.
#[tokio::test]
async fn as_many_files_as_allowed_may_be_open() {
    // None of the connections goes before the test gives up.
    let setup = Setup::new().config("limits: {header_timeout: 2m}\n");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"ulimit -S -n 64 && exec "$0" "$@""#, env!("CARGO_BIN_EXE_writ"), "serve"]);
    for listener in ["--http-addr", "--grpc-addr", "--admin-addr"] {
        command.args([listener, "127.0.0.1:0"]);
    }
    command.current_dir(setup.path(""));
    let writ = Writ::start(command, &setup.data("listeners.json")).await;
    let mut open = Vec::new();
    for _ in 0..100 {
        let mut stream = begin(writ.http, b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: writ\r\n\r\n").await;
        read_until(&mut stream, "keys").await;
        open.push(stream);
    }
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
}

#[tokio::test]
async fn header_fields_are_bounded() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    for address in [writ.http, writ.admin] {
        let head = format!("GET /healthz HTTP/1.1\r\nhost: writ\r\nx: {}\r\n\r\n", "x".repeat(16 * 1024));
        let mut stream = begin(address, head.as_bytes()).await;
        assert!(read_to_close(&mut stream).await.starts_with("HTTP/1.1 431"));
        let many = "x: x\r\n".repeat(200);
        let mut stream = begin(address, format!("GET /healthz HTTP/1.1\r\n{many}\r\n").as_bytes()).await;
        assert!(read_to_close(&mut stream).await.starts_with("HTTP/1.1 431"));
    }
    let long = "x".repeat(17 * 1024);
    assert!(writ.check_over_tcp(&[&long]).await.is_err());
}

#[tokio::test]
async fn messages_are_bounded() {
    let setup = Setup::new().config("limits: {message_bytes: 4096}\n");
    let writ = setup.serve().await;
    let request = crate::support::grpc::message("GET", "/healthz", &[("x", &"x".repeat(8192))]);
    let mut client =
        envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient::new(
            writ.socket_channel().await,
        );
    assert!(client.check(request).await.is_err());
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
}

/// Fewer slots than slow connections: whoever comes later is served all the same, once those are cut.
#[tokio::test]
async fn slow_connections_do_not_hold_a_listener() {
    let setup = Setup::new().config("limits: {connections: 2, header_timeout: 1s}\n");
    let writ = setup.serve().await;
    for (address, start) in [
        (writ.http, "POST /oauth2/token HTTP/1.1\r\nhost:"),
        (writ.http, ""),
        (writ.admin, "GET /met"),
        (writ.admin, ""),
        (writ.grpc, "PRI * HTTP/2.0\r\n"),
        (writ.grpc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0"),
        (writ.grpc, ""),
    ] {
        let mut slow = [begin(address, start.as_bytes()).await, begin(address, start.as_bytes()).await];
        if address == writ.grpc {
            assert!(
                writ.check_over_tcp(&[])
                    .await
                    .is_err_and(|status| status.code() == tonic::Code::Unauthenticated)
            );
        } else {
            get(address, "/healthz").await;
        }
        for slow in &mut slow {
            read_to_close(slow).await;
        }
    }
    let slow =
        [UnixStream::connect(&writ.socket).await.unwrap(), UnixStream::connect(&writ.socket).await.unwrap()];
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
    for mut slow in slow {
        read_to_close(&mut slow).await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_its_request() {
    let setup = Setup::new().config("limits: {request_timeout: 1s}\n");
    let writ = setup.serve().await;
    let mut held = hold_request(writ.http, &basic("hashed", "hashed-secret"), 100).await;
    let answer = read_to_close(&mut held).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("connection: close"), "{answer}");
}

/// Health may be watched by anyone, but not for ever: each watcher takes a place.
#[tokio::test]
async fn streams_end_in_time() {
    let setup = Setup::new().config("limits: {request_timeout: 1s}\n");
    let writ = setup.serve().await;
    let mut client = HealthClient::new(writ.grpc_channel().await);
    let mut stream = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().status, 1);
    assert!(stream.message().await.is_err());
}

#[tokio::test]
async fn idle_connections_are_let_go() {
    let setup = Setup::new().config("limits: {idle_timeout: 1s}\n");
    let writ = setup.serve().await;
    let mut idle = begin(writ.admin, b"GET /healthz HTTP/1.1\r\nhost: writ\r\n\r\n").await;
    assert!(read_to_close(&mut idle).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn requests_in_progress_are_bounded_for_each_listener() {
    let setup = Setup::new().config("limits: {requests: 1}\n");
    let writ = setup.serve().await;
    let authorization = basic("hashed", "hashed-secret");
    let body = format!(r#"{{"grants":[{MAY}]}}"#);
    let mut held = hold_request(writ.http, &authorization, body.len()).await;
    assert_eq!(get(writ.http, "/.well-known/jwks.json").await.status, 503);
    assert_eq!(get(writ.admin, "/healthz").await.status, 200);
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
    held.write_all(body.as_bytes()).await.unwrap();
    assert!(read_until(&mut held, "access_token").await.starts_with("HTTP/1.1 201"));
    assert_eq!(get(writ.http, "/.well-known/jwks.json").await.status, 200);
}

#[tokio::test]
async fn rubbish_ends_only_its_own_connection() -> io::Result<()> {
    let setup = Setup::new();
    let writ = setup.serve().await;
    for address in [writ.http, writ.grpc, writ.admin] {
        for rubbish in
            [&b"\0\0\0\0"[..], b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"]
        {
            let mut stream = begin(address, rubbish).await;
            stream.shutdown().await?;
            read_to_close(&mut stream).await;
        }
    }
    assert_eq!(get(writ.admin, "/healthz").await.status, 200);
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
    Ok(())
}
