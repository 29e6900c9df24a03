//! The proof towards the server belongs to the data plane: the application beside it sends nothing in its name.

use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, authorization_client::AuthorizationClient};
use serde_json::Value;
use tonic::{Code, Request, transport::Endpoint};

use super::{
    SECRET,
    mesh::{Enforced, ISTIOS_CLUSTER, Mesh, OUTBOUND, OWN_CLUSTER, each},
    server, sidecar,
};
use crate::world::World;

const BOTH: [Enforced; 2] = [Enforced::Filter, Enforced::ExtAuthz];

/// Only what no listener and no route leads to has the secret.
#[test]
fn no_cluster_of_the_application_has_the_secret() {
    let world = World::new().unwrap();
    let address = "127.0.0.1:9000".parse().unwrap();
    let mesh = Mesh { data: world.data(), writ: address, secret: SECRET, pki: &world.pki };
    for enforced in BOTH {
        let resources = &mesh.patched(enforced)["static_resources"];
        let clusters = resources["clusters"].as_array().unwrap();
        let with_secret: Vec<_> = clusters
            .iter()
            .filter(|cluster| cluster.to_string().contains("credential_injector"))
            .map(|cluster| cluster["name"].as_str().unwrap())
            .collect();
        assert_eq!(with_secret, [OWN_CLUSTER], "{enforced:?}");
        let routed = routed(&resources["listeners"]);
        assert!(routed.iter().any(|cluster| cluster == ISTIOS_CLUSTER), "{routed:?}");
        assert!(!routed.iter().any(|cluster| cluster == OWN_CLUSTER), "{enforced:?}: {routed:?}");
    }
}

/// The clusters that requests and connections are sent on to. Calls of filters name theirs `cluster_name`.
fn routed(listeners: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    each(&mut listeners.clone(), &mut |value| {
        let members = value.as_object().into_iter().flatten();
        found.extend(members.filter(|(name, _)| *name == "cluster").map(|(_, cluster)| cluster.clone()));
    });
    found
}

/// Istio's own cluster stays as Istio makes it: what the application asks there is asked without the secret.
#[tokio::test(flavor = "multi_thread")]
async fn the_application_proves_nothing_to_the_server() {
    let world = World::new().unwrap();
    let server = server(&world).await;
    for enforced in BOTH {
        let proxy = sidecar(&world, &server, enforced, SECRET).await;
        let way_out = proxy.envoy.listener(OUTBOUND).unwrap();
        let channel = Endpoint::from_shared(format!("http://{way_out}")).unwrap().connect().await.unwrap();
        let mut client = AuthorizationClient::new(channel);
        let refused = client.check(CheckRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{enforced:?}: {refused}");
        // The way is open: it is the proof alone that is missing.
        let mut proven = Request::new(CheckRequest::default());
        proven.metadata_mut().insert("authorization", format!("Bearer {SECRET}").parse().unwrap());
        let answer = client.check(proven).await.map_err(|status| status.code());
        assert_ne!(answer.err(), Some(Code::Unauthenticated), "{enforced:?}");
    }
}
