//! Sender binding over Check: the certificate counts where Envoy's RBAC filter says that it was validated.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use envoy_types::pb::{
    envoy::{
        config::core::v3::Metadata,
        service::auth::v3::{CheckRequest, attribute_context::Peer},
    },
    google::protobuf::{Struct, Value, value::Kind},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{CertificateParams, KeyPair, SanType};
use sha2::{Digest as _, Sha256};

use crate::support::{MAY, Setup, Writ, grpc::message};

const HOLDER: &str = "spiffe://example.org/agent/janitor-7";

fn certificate(uris: &[&str]) -> rcgen::Certificate {
    let mut params = CertificateParams::default();
    params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    params.self_signed(&KeyPair::generate().unwrap()).unwrap()
}

fn question(bearer: &str, certificate: &rcgen::Certificate, rbac: Option<&str>) -> CheckRequest {
    let mut message = message("GET", "/my-bucket/logs/2026-05-01.log", &[("authorization", bearer)]);
    let attributes = message.attributes.as_mut().unwrap();
    let certificate = utf8_percent_encode(&certificate.pem(), NON_ALPHANUMERIC).to_string();
    attributes.source = Some(Peer { certificate, ..Peer::default() });
    let value = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let fields =
        rbac.map(|text| ("writ_peer_shadow_engine_result".to_owned(), value(text))).into_iter().collect();
    attributes.metadata_context = Some(Metadata {
        filter_metadata: HashMap::from([("envoy.filters.http.rbac".to_owned(), Struct { fields })]),
        ..Metadata::default()
    });
    message
}

async fn bound_token(writ: &Writ, cnf: &str) -> String {
    let response = writ.start_task(&format!(r#"{{"grants":[{MAY}],"cnf":{cnf}}}"#)).await;
    assert_eq!(response.status, 201, "{}", response.body);
    format!("Bearer {}", response.json()["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_bound_token_needs_its_validated_certificate() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let own = certificate(&[HOLDER]);
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(own.der()));
    let both = format!(r#"{{"spiffe":"{HOLDER}","x5t#S256":"{thumbprint}"}}"#);
    for cnf in
        [format!(r#"{{"spiffe":"{HOLDER}"}}"#), format!(r#"{{"x5t#S256":"{thumbprint}"}}"#), both.clone()]
    {
        let bearer = bound_token(&writ, &cnf).await;
        let answer = writ.check_message(question(&bearer, &own, Some("allowed"))).await;
        assert_eq!(answer.status, 200, "{cnf}: {answer:?}");
        for unproven in [None, Some("denied"), Some("ALLOWED"), Some("")] {
            let answer = writ.check_message(question(&bearer, &own, unproven)).await;
            assert_eq!(answer.code(), "sender_mismatch", "{cnf}: {unproven:?}");
        }
        let answer = writ.check("GET", "/my-bucket/logs/2026-05-01.log", &[("authorization", &bearer)]).await;
        assert_eq!(answer.code(), "sender_mismatch");
    }
    let bearer = bound_token(&writ, &both).await;
    for stranger in [certificate(&[HOLDER]), certificate(&["spiffe://example.org/agent/janitor-8"])] {
        let answer = writ.check_message(question(&bearer, &stranger, Some("allowed"))).await;
        assert_eq!(answer.code(), "sender_mismatch");
    }
    let bearer = bound_token(&writ, &format!(r#"{{"spiffe":"{HOLDER}"}}"#)).await;
    let double = certificate(&[HOLDER, "spiffe://example.org/agent/janitor-8"]);
    assert_eq!(
        writ.check_message(question(&bearer, &double, Some("allowed"))).await.code(),
        "sender_mismatch"
    );
}
