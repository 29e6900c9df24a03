//! From a request for a task to a request with its token: everything real.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use harness::{
    Result,
    error::unexpected,
    http::{Payload, RawRequest, Response, h1},
    server::Server,
    wait,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::world::{OBJECT, OTHER_OBJECT, World, answer, get};

pub(crate) const CLIENT: &str = "log-janitor";
/// A token of two grants is small beside the header limits of proxies.
const TYPICAL_TOKEN: usize = 1280;

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_token_opens_its_task_and_nothing_else() {
    let world = World::new().unwrap();
    let server = world.server().await.unwrap();
    let secret = secret(&server).await.unwrap();
    let grants = json!([
        {"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]},
        {"type": "task_grant", "actions": ["s3:ListBucket"], "resources": ["s3://my-bucket"],
         "constraints": {"prefix": {"glob": "logs/2026-05*"}}},
    ]);
    let body = json!({"grants": grants, "audience": "mesh", "expires_in": 60, "agent": "spiffe://example.org/agent/janitor-7"});
    let created = start_task(&server, &secret, &body).await.unwrap();
    assert_eq!(created.status, 201, "{}", String::from_utf8_lossy(&created.body));
    let created = created.json().unwrap();
    let token = created["access_token"].as_str().unwrap();
    writeln!(std::io::stdout(), "token of two grants: {} bytes", token.len()).unwrap();
    assert!(token.len() < TYPICAL_TOKEN);

    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        let to = |target: &str| get("logs.internal", target, token.as_bytes());
        assert_eq!(answer(&proxy, &to(OBJECT)).await.unwrap().0, 200);
        let seen = proxy.echo.take();
        assert_eq!(seen[0].values("x-writ-task"), [created["task"]["id"].as_str().unwrap()]);
        assert_eq!(seen[0].values("x-writ-agent"), ["spiffe://example.org/agent/janitor-7"]);
        assert_eq!(seen[0].values("x-writ-client"), [CLIENT]);
        assert_eq!(answer(&proxy, &to("/my-bucket?prefix=logs/2026-05")).await.unwrap().0, 200);
        for (target, code) in [
            (OTHER_OBJECT, "not_granted"),
            ("/other-bucket/x", "not_granted"),
            ("/my-bucket?prefix=logs", "constraint_violated"),
            ("/my-bucket/logs/2026-05/../2026-06/x", "ambiguous_request"),
        ] {
            assert_eq!(answer(&proxy, &to(target)).await.unwrap().1, code, "{target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_ceiling_is_not_issued() {
    let world = World::new().unwrap();
    let server = world.server().await.unwrap();
    let secret = secret(&server).await.unwrap();
    let grant = |action: &str, resource: &str| json!({"type": "task_grant", "actions": [action], "resources": [resource]});
    for grant in [
        grant("s3:PutObject", "s3://my-bucket/logs/**"),
        grant("s3:GetObject", "s3://my-bucket/**"),
        grant("s3:GetObject", "s3://*/logs/**"),
        grant("s3:Get*", "s3://my-bucket/logs/**"),
        grant("s3:ListBucket", "s3://my-bucket"),
    ] {
        let body = json!({"grants": [grant], "audience": "mesh"});
        let refused = start_task(&server, &secret, &body).await.unwrap();
        assert!((400..500).contains(&refused.status), "{grant}: {}", refused.status);
        assert!(refused.json().unwrap_or_default().get("access_token").is_none());
    }
}

/// The secret that the server made for the client and printed at its first start.
pub(crate) async fn secret(server: &Server) -> Result<String> {
    let marker = format!("client {CLIENT} secret: ");
    wait::until("the client's secret", || {
        let log = server.log();
        let found = log.lines().find_map(|line| Some(line.split_once(&marker)?.1.trim().to_owned()));
        std::future::ready(Ok(found))
    })
    .await
}

pub(crate) async fn start_task(server: &Server, secret: &str, body: &Value) -> Result<Response> {
    let basic = STANDARD.encode(format!("{CLIENT}:{secret}"));
    let field = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let request = RawRequest {
        method: b"POST".to_vec(),
        target: b"/v1/tasks".to_vec(),
        authority: Some(server.listeners.http.to_string().into_bytes()),
        headers: vec![
            field("authorization", &format!("Basic {basic}")),
            field("content-type", "application/json"),
            field("connection", "close"),
        ],
        payload: Payload::Sized(body.to_string().into_bytes()),
    };
    let stream = TcpStream::connect(server.listeners.http).await.map_err(unexpected)?;
    h1::exchange(stream, &h1::render(&request)).await?.ok_or_else(|| unexpected("closed without an answer"))
}
