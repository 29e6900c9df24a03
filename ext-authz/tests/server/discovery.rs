//! What the world may know.

use crate::support::{Setup, http::get};

#[tokio::test]
async fn metadata_is_that_of_rfc_8414() {
    let setup = Setup::new().config("issuer: https://writ.example.org/base\n");
    let writ = setup.serve().await;
    let metadata = get(writ.http, "/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["issuer"], "https://writ.example.org/base");
    assert_eq!(metadata["token_endpoint"], "https://writ.example.org/base/oauth2/token");
    assert_eq!(metadata["jwks_uri"], "https://writ.example.org/base/.well-known/jwks.json");
    assert_eq!(metadata["authorization_details_types_supported"][0], "task_grant");
    assert_eq!(metadata["grant_types_supported"][0], "client_credentials");
    assert!(metadata["response_types_supported"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn keys_are_published_without_their_private_half() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let keys = get(writ.http, "/.well-known/jwks.json").await.json();
    let mut members: Vec<&str> = keys["keys"][0].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!(keys["keys"][0]["alg"], "EdDSA");
}
