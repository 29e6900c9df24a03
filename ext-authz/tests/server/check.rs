//! `Authorization/Check`: the verdict, as Envoy gets it.

use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue},
    service::auth::v3::{CheckRequest, attribute_context::HttpRequest},
};
use prost::Message as _;

use crate::support::{
    MAY, Setup,
    grpc::{message, with_http},
};

const OBJECT: &str = "/my-bucket/logs/2026-05-01.log";

#[tokio::test]
async fn a_granted_request_passes_with_its_names() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let sent = [
        ("authorization", bearer.as_str()),
        ("x-writ-task", "forged"),
        ("X-Writ-Admin", "yes"),
        ("x_writ_agent", "forged"),
        ("x-envoy-original-path", "/other"),
        ("x-request-id", "7b1c"),
    ];
    let answer = writ.check("GET", OBJECT, &sent).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        (answer.set["x-writ-agent"].as_str(), answer.set["x-writ-client"].as_str()),
        ("hashed", "hashed")
    );
    assert_eq!(answer.metadata["task"], answer.set["x-writ-task"]);
    for name in ["authorization", "x-envoy-original-path", "x-writ-admin", "x_writ_agent"] {
        assert!(answer.remove.iter().any(|removed| removed == name), "{name}: {answer:?}");
    }
    assert!(!answer.remove.iter().any(|name| name == "x-request-id"), "{answer:?}");
    // Envoy removes after it sets.
    assert!(answer.set.keys().all(|name| !answer.remove.contains(name)));
    // The second time the signature is remembered; nothing else is.
    assert_eq!(writ.check("GET", OBJECT, &sent).await.status, 200);
    assert_eq!(writ.check("GET", "/my-bucket/logs/2026-06-01.log", &sent).await.code(), "not_granted");
}

#[tokio::test]
async fn what_is_outside_the_task_is_denied_with_a_problem() {
    let setup = Setup::new();
    let mut writ = setup.serve_with(&["--log-level", "debug"]).await;
    let token = writ.access_token(MAY).await;
    let bearer = format!("Bearer {token}");
    let tampered = format!("{}A", &bearer[..bearer.len() - 1]);
    let tampered = if tampered == bearer { format!("{}Q", &bearer[..bearer.len() - 1]) } else { tampered };
    let authorized = |value| vec![("authorization", value), ("x-request-id", "7b1c")];
    let cases = [
        ("GET", OBJECT, vec![], 401, "missing_token"),
        ("GET", OBJECT, authorized("Bearer x"), 401, "malformed_token"),
        ("GET", OBJECT, authorized(tampered.as_str()), 401, ""),
        ("GET", OBJECT, [authorized(&bearer), authorized(&bearer)].concat(), 400, "malformed_request"),
        ("GET", "/my-bucket/logs/2026-06-01.log", authorized(&bearer), 403, "not_granted"),
        ("GET", "/my-bucket/logs/2026-05/../x", authorized(&bearer), 400, "ambiguous_request"),
        ("DELETE", OBJECT, authorized(&bearer), 403, "no_route"),
        ("GET", "/healthz", vec![], 200, "allowed"),
    ];
    for (method, path, headers, status, code) in cases {
        let answer = writ.check(method, path, &headers).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(code.is_empty() || answer.code() == code, "{method} {path}: {answer:?}");
        if status != 200 {
            assert_eq!(answer.set["content-type"], "application/problem+json");
            assert_eq!(answer.metadata["denial"], answer.code());
            assert!(answer.set.contains_key("www-authenticate"), "{answer:?}");
        }
    }
    writ.log("missing_token").await;
    let (_, _, log) = writ.stop().await;
    assert!(!log.contains(&token), "tokens are not logged");
}

#[tokio::test]
async fn a_body_is_one_that_envoy_saw() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let mut request = message("GET", OBJECT, &[("authorization", &bearer)]);
    request.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap().raw_body =
        vec![b'x'];
    assert_eq!(writ.check_message(request).await.code(), "ambiguous_request");
    let promised = [("authorization", bearer.as_str()), ("content-length", "5")];
    assert_eq!(writ.check("GET", OBJECT, &promised).await.code(), "malformed_request");
}

#[tokio::test]
async fn merged_headers_count_only_where_raw_ones_are_absent() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let merged = |authorization: &str| {
        let fields = [
            (":method", "GET"),
            (":path", OBJECT),
            (":authority", "logs.internal"),
            ("authorization", authorization),
        ];
        HttpRequest {
            headers: fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            ..HttpRequest::default()
        }
    };
    assert_eq!(writ.check_message(with_http(merged(&bearer))).await.status, 200);
    let twice = format!("{bearer},{bearer}");
    assert_eq!(writ.check_message(with_http(merged(&twice))).await.code(), "malformed_request");
    let raw = HeaderMap {
        headers: vec![HeaderValue { key: ":method".into(), value: "GET".into(), ..HeaderValue::default() }],
    };
    let both = HttpRequest { header_map: Some(raw), ..merged(&bearer) };
    assert_ne!(writ.check_message(with_http(both)).await.status, 200);
}

#[tokio::test]
async fn a_message_of_another_shape_is_denied() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    for message in [CheckRequest::default(), with_http(HttpRequest::default())] {
        let answer = writ.check_message(message).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "server_unavailable"));
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_judged() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let mut request = message("GET", "/my-bucket/logs/@@@@", &[("authorization", &bearer)]);
    request.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap().path =
        "/@@@@".to_owned();
    // As Envoy's encoder does it: whatever the bytes are, they go into `string` fields.
    let mut encoded = request.encode_to_vec();
    let mut replaced = 0;
    while let Some(at) = encoded.windows(4).position(|window| window == b"@@@@") {
        encoded[at..at + 4].fill(0xff);
        replaced += 1;
    }
    assert_eq!(replaced, 2);
    assert_eq!(writ.check_bytes(encoded).await.code(), "ambiguous_request");
}
