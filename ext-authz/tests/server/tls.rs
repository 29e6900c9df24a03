//! TLS of the listeners, and who is let in by which certificate.

use std::time::{Duration, SystemTime};

use tokio::io::AsyncWriteExt as _;
use tonic::{Code, Status};

use crate::support::{
    MAY, Setup, Writ,
    command::code_and_text,
    feed::{Watch, hello},
    grpc::check_over,
    http::{basic, get},
    pki::{Authority, Pair},
    raw::{begin, read_to_close},
    sha256,
};

const EDGE: &str = "spiffe://example.org/edge";
const CONFIG: &str = "tls: {certificate: tls/server.pem, key: tls/server.key, client_ca: tls/ca.pem}\n";

fn setup(authority: &Authority, extra: &str) -> Setup {
    let server = authority.server();
    let secret = sha256("edge-secret");
    let config = format!(
        "{CONFIG}{extra}data_planes:\n  - {{name: edge, secret_sha256: \"{secret}\", certificate: {{uri: \"{EDGE}\"}}}}\n  \
         - {{name: dns, certificate: {{dns: Dns.example.org}}}}\n"
    );
    Setup::new()
        .config(&config)
        .write("tls/ca.pem", &authority.pem)
        .write("tls/server.pem", &server.certificate)
        .write_secret("tls/server.key", &server.key)
}

/// Who the server takes the bearer of this certificate for.
async fn identify(
    writ: &Writ,
    authority: &Authority,
    client: Option<&Pair>,
    authorization: &[&str],
) -> Result<String, Status> {
    let unconnected = |error: tonic::transport::Error| Status::unavailable(error.to_string());
    let channel = authority.channel(writ.grpc, client).await.map_err(unconnected)?;
    let mut watch = Watch::open(channel, authorization).await?;
    watch.send(hello(None)).await;
    watch.snapshot().await;
    let planes = writ.data_planes(|planes| planes.len() == 1).await;
    drop(watch);
    writ.data_planes(Vec::is_empty).await;
    Ok(planes[0]["name"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_client_certificate_is_an_identity() {
    let authority = Authority::new();
    let setup = setup(&authority, "");
    let writ = setup.serve().await;
    let edge = authority.issue(&[EDGE], &["Dns.example.org"], None);
    let dns = authority.issue(&[], &["DNS.example.org"], None);
    for (client, authorization, name) in [
        (Some(&edge), &[][..], "edge"),
        (Some(&dns), &[], "dns"),
        (Some(&edge), &["Bearer edge-secret"], "edge"),
        (None, &["Bearer edge-secret"], "edge"),
    ] {
        assert_eq!(identify(&writ, &authority, client, authorization).await.unwrap(), name);
    }
    let channel = authority.channel(writ.grpc, Some(&edge)).await.unwrap();
    assert_eq!(check_over(channel, &[]).await.unwrap().status, 200);
}

#[tokio::test]
async fn nobody_else_follows_the_feed() {
    let authority = Authority::new();
    let setup = setup(&authority, "");
    let writ = setup.serve().await;
    let token = authority_token(&writ, &authority).await;
    let edge = authority.issue(&[EDGE], &[], None);
    let unknown = authority.issue(&["spiffe://example.org/agent/janitor-1"], &[], None);
    let two = authority.issue(&[EDGE, "spiffe://example.org/other"], &[], None);
    let twice = authority.issue(&[EDGE, EDGE], &[], None);
    let names = authority.issue(&[], &["dns.example.org", "other.example.org"], None);
    let both = authority.issue(&["spiffe://example.org/other"], &["dns.example.org"], None);
    let none = authority.issue(&[], &[], None);
    let (token, client) = (format!("Bearer {token}"), basic("hashed", "hashed-secret"));
    for (client, authorization) in [
        (None, &[][..]),
        (None, &["Bearer wrong"]),
        (None, &[token.as_str()]),
        (None, &[client.as_str()]),
        (None, &["Bearer edge-secret", "Bearer edge-secret"]),
        (Some(&unknown), &[]),
        (Some(&unknown), &[token.as_str()]),
        (Some(&two), &[]),
        (Some(&twice), &[]),
        (Some(&names), &[]),
        (Some(&both), &[]),
        (Some(&none), &[]),
        // Whoever has a good certificate says nothing wrong beside it.
        (Some(&edge), &[token.as_str()]),
    ] {
        let status = identify(&writ, &authority, client, authorization).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{authorization:?}");
    }
}

/// These do not even shake hands, whatever secret they know.
#[tokio::test]
async fn a_certificate_that_does_not_hold_ends_the_handshake() {
    let authority = Authority::new();
    let setup = setup(&authority, "");
    let mut writ = setup.serve_with(&["--log-level", "debug"]).await;
    let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
    let expired = authority.issue(&[EDGE], &[], Some(yesterday));
    let stranger = Authority::new().issue(&[EDGE], &[], None);
    for client in [&expired, &stranger] {
        assert!(identify(&writ, &authority, Some(client), &["Bearer edge-secret"]).await.is_err());
    }
    writ.log("a TLS handshake failed").await;
    // Whoever does not encrypt is not understood.
    assert!(writ.check_over_tcp(&["Bearer edge-secret"]).await.is_err());
    assert_eq!(identify(&writ, &authority, None, &["Bearer edge-secret"]).await.unwrap(), "edge");
}

/// A task token for May's logs, over TLS.
async fn authority_token(writ: &Writ, authority: &Authority) -> String {
    let body = format!(r#"{{"grants":[{MAY}]}}"#);
    let request = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: writ\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        basic("hashed", "hashed-secret"),
        body.len()
    );
    let mut stream = authority.connect(writ.http, None, "http/1.1").await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_to_close(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str::<serde_json::Value>(body).unwrap()["access_token"].as_str().unwrap().to_owned()
}

/// Newcomers' seats are few, and time for a handshake too.
#[tokio::test]
async fn a_handshake_is_bounded() {
    let authority = Authority::new();
    let setup = setup(&authority, "limits: {header_timeout: 2s, connections: 2}\n");
    let writ = setup.serve().await;
    for address in [writ.http, writ.grpc] {
        let mut slow = [begin(address, b"").await, begin(address, b"\x16\x03\x01\x02\x00").await];
        let protocol = if address == writ.http { "http/1.1" } else { "h2" };
        authority.connect(address, None, protocol).await.unwrap();
        for slow in &mut slow {
            read_to_close(slow).await;
        }
    }
}

#[tokio::test]
async fn new_certificates_are_taken_up_and_bad_ones_are_not() {
    let authority = Authority::new();
    let setup = setup(&authority, "");
    let mut writ = setup.serve().await;
    let edge = authority.issue(&[EDGE], &[], None);
    let mut open = Watch::open(authority.channel(writ.grpc, Some(&edge)).await.unwrap(), &[]).await.unwrap();
    open.send(hello(None)).await;
    let snapshot = open.snapshot().await;

    // Half of a change: the old pair goes on.
    let successor = Authority::new();
    let server = successor.server();
    setup.replace("tls/server.pem", &server.certificate);
    let line = writ.log("certificates rejected").await;
    assert!(line.contains("tls/server.pem") && line.contains("tls/server.key"), "{line}");
    assert!(authority.connect(writ.grpc, None, "h2").await.is_ok());

    setup.replace("tls/server.key", &server.key);
    setup.replace("tls/ca.pem", &successor.pem);
    writ.log("took up new certificates").await;
    assert!(authority.connect(writ.http, None, "http/1.1").await.is_err());
    let client = successor.issue(&[EDGE], &[], None);
    assert_eq!(watch_over(&successor, &writ, &client).await.unwrap(), snapshot.version.generation);
    // Who was let in by the roots of before is not any more, unless it stayed.
    assert!(watch_over(&successor, &writ, &edge).await.is_err());
    assert_eq!(open.heartbeat().await.version, Some(snapshot.version));
}

async fn watch_over(authority: &Authority, writ: &Writ, client: &Pair) -> Result<u64, String> {
    let channel = authority.channel(writ.grpc, Some(client)).await.map_err(|error| error.to_string())?;
    let mut watch = Watch::open(channel, &[]).await.map_err(|status| status.to_string())?;
    watch.send(hello(None)).await;
    Ok(watch.snapshot().await.version.generation)
}

#[test]
fn what_is_configured_wrongly_is_named_with_its_place() {
    let authority = Authority::new();
    let secret = sha256("x");
    let cases = [
        (
            "listeners: {grpc: \"0.0.0.0:9000\"}\n".to_owned(),
            "writ.yaml:1:19: listeners.grpc: ",
            "needs `tls`",
        ),
        ("listeners: {grpc: \"[::]:9000\"}\n".to_owned(), "writ.yaml:1:19: listeners.grpc: ", "loopback"),
        (
            format!("data_planes:\n  - {{name: a, certificate: {{uri: \"{EDGE}\"}}}}\n"),
            "writ.yaml:2:5: data_planes[0].certificate: ",
            "tls.client_ca",
        ),
        (format!("{CONFIG}data_planes: [{{name: a}}]\n"), "data_planes[0].secret_sha256: ", "is needed"),
        (
            format!("{CONFIG}data_planes: [{{name: a, certificate: {{uri: \"spiffe://A\"}}}}]\n"),
            "data_planes[0].certificate: ",
            "no SPIFFE ID",
        ),
        (
            format!("{CONFIG}data_planes: [{{name: a, certificate: {{dns: \"*.a\"}}}}]\n"),
            "certificate: ",
            "DNS",
        ),
        (format!("{CONFIG}data_planes: [{{name: a, certificate: {{ip: \"::1\"}}}}]\n"), "writ.yaml:2:", "ip"),
        (
            format!("data_planes: [{{name: a, secret_sha256: \"{secret}\", audiences: []}}]\n"),
            "data_planes[0].audiences: ",
            "empty",
        ),
        (
            format!(
                "data_planes:\n  - {{name: a, secret_sha256: \"{secret}\"}}\n  - {{name: b, secret_sha256: \"{secret}\"}}\n"
            ),
            "writ.yaml:3:5: data_planes[1].secret_sha256: ",
            "`a`",
        ),
        (
            format!("data_planes: [{{name: socket, secret_sha256: \"{secret}\"}}]\n"),
            "data_planes[0].name: ",
            "listeners.data_plane",
        ),
        ("tls: {certificate: a}\n".to_owned(), "writ.yaml:1:", "key"),
        ("tls: {certificate: a.pem, key: a.key}\n".to_owned(), "tls.certificate: cannot read", "a.pem"),
        (
            "tls: {certificate: tls/server.key, key: tls/server.key}\n".to_owned(),
            "tls/server.key",
            "no certificate",
        ),
        ("tls: {certificate: tls/server.pem, key: tls/server.pem}\n".to_owned(), "tls/server.pem", ""),
        (
            "tls: {certificate: tls/ca.pem, key: tls/server.key}\n".to_owned(),
            "`tls/ca.pem` and `tls/server.key`",
            "",
        ),
    ];
    for (config, place, reason) in cases {
        let setup = setup(&authority, "").config(&config);
        let output = setup.run(&["serve", "--http-addr", "127.0.0.1:0"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{config}: {stderr}");
        assert!(stderr.contains(place) && stderr.contains(reason), "{config}: {stderr}");
    }
    let output = Setup::new().run(&["serve", "--http-addr", "127.0.0.1:0", "--grpc-addr", "0.0.0.0:0"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(stderr.contains("command line: --grpc-addr: "), "{stderr}");
}

#[tokio::test]
async fn plaintext_elsewhere_is_the_operators_word() {
    let secret = sha256("edge-secret");
    let setup = Setup::new().config(&format!(
        "listeners: {{grpc_plaintext: true}}\ndata_planes: [{{name: edge, secret_sha256: \"{secret}\"}}]\n"
    ));
    let addresses = ["--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--grpc-addr", "0.0.0.0:0"];
    let command = setup.command(&[&["serve"][..], &addresses].concat());
    let writ = Writ::start(command, &setup.data("listeners.json")).await;
    assert_eq!(get(writ.admin, "/config").await.json()["listeners"]["grpc_plaintext"], true);
    assert_eq!(writ.check_over_tcp(&["Bearer edge-secret"]).await.unwrap().status, 200);
}

/// The command speaks TLS where the server does, and believes nobody it was not told to believe.
#[tokio::test]
async fn a_token_is_issued_over_tls() {
    let authority = Authority::new();
    let local = authority.issue(&[], &["localhost"], None);
    let setup = setup(&authority, "")
        .write("tls/server.pem", &local.certificate)
        .write_secret("tls/server.key", &local.key)
        .write("other.pem", &Authority::new().pem)
        .write("secret", "hashed-secret");
    let writ = setup.serve().await;
    let server = format!("https://localhost:{}", writ.http.port());
    let issue = |roots: &str, server: &[&str]| {
        let issue = ["token", "issue", "--client", "hashed", "--secret-file", "secret", "--grant", MAY];
        let mut command = setup.command(&[&issue[..], server].concat());
        code_and_text(command.env("SSL_CERT_FILE", setup.path(roots)).output().unwrap())
    };
    let (code, token, stderr) = issue("tls/ca.pem", &["--server", &server]);
    assert_eq!((code, stderr.as_str(), token.split('.').count()), (0, "", 3));
    let (code, token, stderr) = issue("other.pem", &["--server", &server]);
    assert!(code == 1 && token.is_empty() && stderr.contains("invalid peer certificate"), "{stderr}");
    // The listener of the data directory, which the certificate does not name.
    let (code, _, stderr) = issue("tls/ca.pem", &[]);
    assert!(code == 1 && stderr.contains("error: https://127.0.0.1:"), "{stderr}");
}
