//! Two servers of one release on one store, restarted one after the other under load: no request notices. Of two releases
//! only the filter and its snapshot get along (`previous.rs`): a store that was brought up to date is not an older server's.

use std::path::Path;

use harness::{
    envoy::{Config, Shipped},
    load::Load,
    server::{Server, Setup},
    wait,
};
use serde_json::json;

use crate::{
    live::{editable, streams, until_everywhere},
    world::{OBJECT, World, get},
};

const RESTARTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_request_at_the_filter() {
    assert_unnoticed(Shipped::Wasm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_request_at_ext_authz() {
    assert_unnoticed(Shipped::ExtAuthz).await;
}

async fn assert_unnoticed(which: Shipped) {
    let world = World::new().unwrap();
    let setups = replicas(&world);
    let mut servers = Vec::new();
    for setup in &setups {
        servers.push(Server::start(setup).await.unwrap());
    }
    let sockets: Vec<_> = servers.iter().map(|server| server.listeners.data_plane.clone()).collect();
    let change = |config: &mut Config| {
        let endpoint = |path: &Path| json!({"endpoint": {"address": {"pipe": {"path": path}}}});
        let endpoints: Vec<_> = sockets.iter().map(|path| endpoint(path)).collect();
        config.cluster("writ")?["load_assignment"]["endpoints"] = json!([{"lb_endpoints": endpoints}]);
        Ok(())
    };
    let proxy = match which {
        Shipped::Wasm => world.fed_with(change).await,
        _ => {
            let patient = |config: &mut Config| config.patient().and_then(|()| change(config));
            world.proxy(which, patient).await
        }
    }
    .unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    until_everywhere(&proxy, &request, (200, ""), &[(503, "")]).await;

    let load = Load::start(proxy.envoy.listener(&proxy.plain).unwrap(), &request);
    for restart in 0..RESTARTS {
        let index = restart % servers.len();
        load.answers(100).await.unwrap();
        servers.remove(index).stop().await.unwrap();
        load.answers(100).await.unwrap();
        servers.insert(index, Server::start(&setups[index]).await.unwrap());
        if which == Shipped::Wasm {
            // Every worker and the main thread follow a server that runs.
            wait::until("every stream to be back", || async {
                let (one, other) = (streams(&servers[0]).await?, streams(&servers[1]).await?);
                Ok((one + other == harness::envoy::WORKERS as usize + 1).then_some(()))
            })
            .await
            .unwrap();
        }
    }
    let tally = load.stop().await.unwrap();
    assert_eq!(tally.keys().collect::<Vec<_>>(), [&(200, String::new())], "{tally:?}");
}

/// Two servers with data directories of their own; store, keys and policy are shared.
pub(crate) fn replicas(world: &World) -> [Setup; 2] {
    let first = editable(world, "p").unwrap();
    let shared = world.data().with_file_name("shared");
    let keyed = Setup { data: shared.clone(), ..first.clone() };
    keyed.install_key(&world.forge.issuer).unwrap();
    let config = format!(
        "{}store: sqlite://{}\nkeys_dir: {}\n",
        first.config.clone().unwrap_or_default(),
        shared.join("writ.db").display(),
        shared.join("keys").display(),
    );
    ["a", "b"].map(|name| Setup {
        data: world.data().with_file_name(name),
        config: Some(config.clone()),
        ..first.clone()
    })
}
