//! `POST /oauth2/token`.

use http::Method;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::support::{
    MAY, Response, Setup, Writ,
    http::{basic, get, send},
};

/// Names and values of a form.
type Parameters<'p> = &'p [(&'p str, &'p str)];

const GRANT_TYPE: (&str, &str) = ("grant_type", "client_credentials");

fn grants(grants: &str) -> String {
    format!("[{grants}]")
}

/// Verifies as a stranger would: with what the server publishes.
async fn verify(writ: &Writ, token: &str) -> Value {
    let keys = get(writ.http, "/.well-known/jwks.json").await.json();
    let header = decode_header(token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some("at+jwt")));
    assert_eq!(keys["keys"][0]["kid"].as_str(), header.kid.as_deref());
    let key = DecodingKey::from_ed_components(keys["keys"][0]["x"].as_str().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["mesh"]);
    validation.set_issuer(&["http://127.0.0.1:8080"]);
    decode::<Value>(token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn a_token_carries_its_grants_and_where_it_stands() {
    let setup = Setup::new();
    let mut writ = setup.serve().await;
    let secret = writ.secret("generated").await;
    let details = grants(MAY);
    let agent = "spiffe://example.org/agent/janitor-7";
    let parameters = [
        GRANT_TYPE,
        ("authorization_details", &details),
        ("subject", "user:ada"),
        ("agent", agent),
        ("expires_in", "60"),
        ("audience", "mesh"),
        ("unknown", "ignored as RFC 6749 section 3.2 has it"),
    ];
    let response = writ.token(&basic("generated", &secret), &parameters).await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert_eq!(response.header("cache-control"), "no-store");
    let body = response.json();
    let (kind, lifetime) = (&body["token_type"], &body["expires_in"]);
    assert_eq!(
        (kind, lifetime, &body["authorization_details"]),
        (&json!("Bearer"), &json!(60), &serde_json::from_str(&details).unwrap())
    );

    let claims = verify(&writ, body["access_token"].as_str().unwrap()).await;
    let task = &body["task_id"];
    assert_eq!(claims["aud"], "mesh");
    assert_eq!((&claims["sub"], &claims["act"]), (&json!("user:ada"), &json!({"sub": agent})));
    assert_eq!((&claims["client_id"], &claims["txn"]), (&json!("generated"), task));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
    let writ_claim = json!({"client": "generated", "tasks": [task], "agents": [agent], "lineage": [], "depth": 0, "max_depth": 2});
    assert_eq!(claims["writ"], writ_claim);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn both_ways_of_authentication_work_and_never_together() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let details = grants(MAY);
    let plain = [GRANT_TYPE, ("authorization_details", &details)];
    let post = [("client_id", "hashed"), ("client_secret", "hashed-secret")];
    let good = basic("hashed", "hashed-secret");

    assert_eq!(writ.token(&good, &plain).await.status, 200);
    // RFC 6749 section 2.3.1: id and secret are form-encoded first.
    assert_eq!(writ.token(&basic("hash%65d", "hashed%2dsecret"), &plain).await.status, 200);
    assert_eq!(writ.token("", &[&plain[..], &post].concat()).await.status, 200);
    assert_eq!(writ.token(&good, &[&plain[..], &[post[0]]].concat()).await.status, 200);
    let both = writ.token(&good, &[&plain[..], &post].concat()).await;
    assert_error(&both, 400, "invalid_request", "two ways");
    let other = writ.token(&good, &[&plain[..], &[("client_id", "generated")]].concat()).await;
    assert_error(&other, 400, "invalid_request", "client_id");
}

fn assert_error(response: &Response, status: u16, error: &str, description: &str) {
    assert_eq!(
        (response.status.as_u16(), response.json()["error"].as_str()),
        (status, Some(error)),
        "{}",
        response.body
    );
    assert!(
        response.json()["error_description"].as_str().unwrap().contains(description),
        "{}",
        response.body
    );
    assert_eq!(response.header("cache-control"), "no-store");
}

#[tokio::test]
async fn errors_are_those_of_rfc_6749() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let details = grants(MAY);
    let details = ("authorization_details", details.as_str());
    let cases: &[(Parameters<'_>, &str, &str)] = &[
        (&[], "invalid_request", "grant_type"),
        (&[GRANT_TYPE], "invalid_request", "authorization_details"),
        (&[GRANT_TYPE, ("authorization_details", "")], "invalid_request", "authorization_details"),
        (&[("grant_type", "password"), details], "unsupported_grant_type", "password"),
        (&[GRANT_TYPE, details, ("scope", "all")], "invalid_scope", "scopes"),
        (&[GRANT_TYPE, details, details], "invalid_request", "repeated"),
        (&[GRANT_TYPE, details, ("expires_in", "-1")], "invalid_request", "expires_in"),
        (&[GRANT_TYPE, details, ("expires_in", "1.5")], "invalid_request", "expires_in"),
        (&[GRANT_TYPE, details, ("expires_in", "0")], "invalid_request", "expires_in"),
        (&[GRANT_TYPE, details, ("audience", "elsewhere")], "invalid_target", "elsewhere"),
        (&[GRANT_TYPE, details, ("resource", "elsewhere")], "invalid_target", "elsewhere"),
        (&[GRANT_TYPE, details, ("audience", "mesh"), ("resource", "mesh")], "invalid_request", "both"),
        (&[GRANT_TYPE, details, ("agent", "someone")], "invalid_request", "someone"),
        (&[GRANT_TYPE, details, ("subject", "a b")], "invalid_request", "subject"),
        (&[GRANT_TYPE, details, ("cnf", "{\"kid\":\"x\"}")], "invalid_request", "cnf"),
        (
            &[GRANT_TYPE, ("authorization_details", "{}")],
            "invalid_authorization_details",
            "authorization_details",
        ),
        (
            &[GRANT_TYPE, ("authorization_details", "[]")],
            "invalid_authorization_details",
            "authorization_details",
        ),
        (
            &[GRANT_TYPE, ("authorization_details", "[] x")],
            "invalid_authorization_details",
            "authorization_details",
        ),
    ];
    for (parameters, error, description) in cases {
        let response = writ.token(&basic("hashed", "hashed-secret"), parameters).await;
        assert_error(&response, 400, error, description);
    }
}

#[tokio::test]
async fn only_forms_are_read() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let authorization = basic("hashed", "hashed-secret");
    for media_type in ["application/json", "text/plain", ""] {
        let headers = [("authorization", authorization.as_str()), ("content-type", media_type)];
        let response =
            send(writ.http, Method::POST, "/oauth2/token", &headers, "grant_type=client_credentials").await;
        assert_error(&response, 400, "invalid_request", "content-type");
    }
    assert_eq!(get(writ.http, "/oauth2/token").await.status, 405);
    assert_eq!(get(writ.http, "/oauth2").await.status, 404);
}
