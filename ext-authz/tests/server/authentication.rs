//! Who is a client, and who is not.

use argon2::{Algorithm, Argon2, Params, Version, password_hash::CustomizedPasswordHasher as _};
use http::Method;

use crate::support::{
    MAY, POLICY, Setup,
    http::{basic, send},
    sha256,
};

#[tokio::test]
async fn a_stranger_is_challenged_and_learns_no_names() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    let strangers = [
        basic("hashed", "wrong"),
        basic("nobody", "hashed-secret"),
        basic("generated", "hashed-secret"),
        basic("hashed", &sha256("hashed-secret")),
    ];
    let mut bodies = Vec::new();
    for stranger in &strangers {
        let response = writ.token(stranger, &[]).await;
        assert_eq!(response.status, 401);
        assert!(response.header("www-authenticate").starts_with("Basic realm="));
        bodies.push(response.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");

    // A task token starts no tasks: an agent could widen itself.
    for authorization in [format!("Bearer {token}"), format!("DPoP {token}"), "Basic !".into(), String::new()]
    {
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let headers = if authorization.is_empty() { &headers[1..] } else { &headers };
        let response = send(writ.http, Method::POST, "/v1/tasks", headers, "{}").await;
        assert_eq!((response.status.as_u16(), &response.json()["code"]), (401, &"invalid_client".into()));
        assert!(response.header("www-authenticate").starts_with("Basic realm="));
        assert_eq!(writ.token(&authorization, &[("grant_type", "client_credentials")]).await.status, 401);
    }
    let mut twice = vec![("content-type", "application/json")];
    let good = basic("hashed", "hashed-secret");
    twice.extend([("authorization", good.as_str()), ("authorization", good.as_str())]);
    assert_eq!(send(writ.http, Method::POST, "/v1/tasks", &twice, "{}").await.status, 401);
}

#[tokio::test]
async fn a_chosen_password_is_checked_by_its_argon2id_hash() {
    let params = Params::new(64, 1, 1, None).unwrap();
    let hash = Argon2::default()
        .hash_password_customized(
            b"correct horse",
            b"0123456789abcdef",
            Some(Algorithm::Argon2id.ident().as_str()),
            Some(Version::V0x13.into()),
            params,
        )
        .unwrap();
    let chosen =
        format!("  chosen:\n    authenticate: {{secret_argon2: \"{hash}\"}}\n    may_request: *may\nroutes:");
    let policy = POLICY.replace("HASHED", &sha256("hashed-secret")).replace("routes:", &chosen);
    let setup = Setup::bare().write("policies/logs.yaml", &policy);
    let writ = setup.serve().await;
    let details = format!("[{MAY}]");
    let parameters = [("grant_type", "client_credentials"), ("authorization_details", details.as_str())];
    assert_eq!(writ.token(&basic("chosen", "correct+horse"), &parameters).await.status, 200);
    assert_eq!(writ.token(&basic("hashed", "hashed-secret"), &parameters).await.status, 200);
    for (id, secret) in [("chosen", "wrong"), ("nobody", "correct+horse"), ("hashed", "correct+horse")] {
        assert_eq!(writ.token(&basic(id, secret), &parameters).await.status, 401, "{id}");
    }
}
