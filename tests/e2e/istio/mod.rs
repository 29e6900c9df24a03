//! `envoy/istio/`: manifests that read strictly, and patches that do in a real Envoy what the bootstraps do.

mod clusters;
mod manifests;
mod mesh;
mod patches;

use std::{fs, process::Command};

use harness::{
    corpus::{Place, disagreement},
    http::RawRequest,
    server::{Server, Setup},
    surface::Proxy,
    upstream::Echo,
};
use serde_json::{Value, json};

use self::{
    manifests::manifests,
    mesh::{Enforced, Mesh},
};
use crate::world::{OBJECT, OTHER_OBJECT, World, answer, get};

/// What the sidecar proves itself by.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A server that takes data planes by bearer, as in the mesh. The mutual TLS that its sidecar would end is its own.
async fn server(world: &World) -> Server {
    let setup = world.setup().unwrap();
    let (certificate, key) = world.pki.save("holder").unwrap();
    let more = format!(
        "data_planes: [{{name: logs, secret_sha256: \"{}\"}}]\n\
         tls: {{certificate: {}, key: {}, client_ca: {}}}\n",
        mesh::sha256(SECRET),
        certificate.display(),
        key.display(),
        world.pki.authority_file.display(),
    );
    let config = setup.config.as_ref().map(|config| format!("{config}{more}"));
    Server::start(&Setup { config, ..setup }).await.unwrap()
}

async fn sidecar(world: &World, server: &Server, enforced: Enforced, secret: &str) -> Proxy {
    let mesh = Mesh { data: world.data(), writ: server.listeners.grpc, secret, pki: &world.pki };
    let mut config = mesh.bootstrap(enforced).unwrap();
    let echo = Echo::start("upstream").await.unwrap();
    config.upstream("inbound|8000||", echo.address).unwrap();
    world.start(config, echo, &world.data().join(format!("{enforced:?}-{secret}"))).await.unwrap()
}

#[test]
fn every_manifest_reads_strictly() {
    let all = manifests();
    assert!(all.len() >= 17, "{}", all.len());
    for manifest in &all {
        manifest.check();
    }
    let zeros = "0".repeat(64);
    let pinned = all.iter().filter(|manifest| manifest.text.contains(&format!(" sha256: \"{zeros}\"")));
    assert_eq!(pinned.count(), 2, "placeholders that nothing fits");
}

/// What the server's own ConfigMaps hold is what it reads.
#[test]
fn the_server_takes_its_configuration() {
    let world = World::new().unwrap();
    let held = |name: &str| {
        let all = manifests();
        let map = all.iter().find(|manifest| manifest.value["metadata"]["name"] == name).unwrap();
        map.value["data"].as_object().unwrap().clone()
    };
    let policies = world.data().with_extension("policies");
    fs::create_dir_all(&policies).unwrap();
    for (name, text) in &held("writ-policies") {
        fs::write(policies.join(name), text.as_str().unwrap()).unwrap();
    }
    let config = held("writ-config")["writ.yaml"].as_str().unwrap().to_owned();
    let file = world.data().with_extension("yaml");
    fs::write(&file, config.replace("/etc/writ/policies", &policies.display().to_string())).unwrap();
    let mut command = Command::new(harness::paths::writ().unwrap());
    let output = command.args(["policy", "check", "--config"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The filter in the mesh may do what it may do in the bootstraps, and what its feed needs.
#[test]
fn the_filter_is_as_in_the_bootstraps() {
    let template = fs::read_to_string(harness::paths::repository().join("envoy/writ-filter.yaml")).unwrap();
    let template = template.replace("@WRIT_PLUGIN_CONFIGURATION@", "''");
    let template: Value = serde_saphyr::from_str(&template).unwrap();
    let (mut ours, mut theirs) =
        (template["resources"][0]["typed_config"].clone(), mesh::extension()["typed_config"].clone());
    for filter in [&mut ours, &mut theirs] {
        let config = filter["config"].as_object_mut().unwrap();
        config.remove("configuration");
        config["vm_config"].as_object_mut().unwrap().remove("code");
    }
    let feed = [
        "proxy_on_tick",
        "proxy_on_grpc_receive",
        "proxy_on_grpc_close",
        "proxy_set_tick_period_milliseconds",
        "proxy_grpc_call",
        "proxy_grpc_stream",
        "proxy_grpc_send",
        "proxy_grpc_cancel",
        "proxy_get_shared_data",
        "proxy_set_shared_data",
        "proxy_set_effective_context",
        "proxy_continue_stream",
    ];
    let place = "/config/vm_config/capability_restriction_config/allowed_capabilities";
    for capability in feed {
        ours.pointer_mut(place).unwrap()[capability] = json!({});
    }
    assert_eq!(ours, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_judges_what_the_sidecar_takes_in() {
    let world = World::new().unwrap();
    let server = server(&world).await;
    let proxy = sidecar(&world, &server, Enforced::Filter, SECRET).await;
    let token = world.token(&json!({}));
    let good = get("logs.internal", OBJECT, &token);
    assert_eq!(answer(&proxy, &good).await.unwrap().0, 200);
    let [seen] = <[_; 1]>::try_from(proxy.echo.take()).unwrap();
    assert_eq!((seen.values("authorization").len(), seen.values("x-writ-task").len()), (0, 1));
    let exempt = RawRequest { headers: Vec::new(), ..get("logs.internal", "/healthz", &token) };
    assert_eq!(answer(&proxy, &exempt).await.unwrap().0, 200);
    proxy.echo.take();
    for (target, status, code) in [
        (OTHER_OBJECT, 403, "not_granted"),
        ("/my-bucket/logs/2026-05/../../x", 400, "ambiguous_request"),
        ("/my-bucket/logs/2026-05/a%2Fb", 400, "ambiguous_request"),
        ("/nowhere", 403, "not_granted"),
    ] {
        let refused = answer(&proxy, &get("logs.internal", target, &token)).await.unwrap();
        assert_eq!(refused, (status, code.to_owned()), "{target}");
    }
    let nobody = RawRequest { headers: Vec::new(), ..good };
    assert_eq!(answer(&proxy, &nobody).await.unwrap(), (401, "missing_token".to_owned()));
    assert_eq!(proxy.echo.take(), []);
}

/// Whoever takes the filter out of the chain closes the service: nobody but the filter can name a task.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_filter_nothing_opens() {
    let world = World::new().unwrap();
    let server = server(&world).await;
    let proxy = sidecar(&world, &server, Enforced::FilterTakenOut, SECRET).await;
    let mut forged = get("logs.internal", OBJECT, &world.token(&json!({})));
    assert_eq!(answer(&proxy, &forged).await.unwrap().0, 403);
    forged.headers.push((b"x-writ-task".to_vec(), b"forged".to_vec()));
    assert_eq!(answer(&proxy, &forged).await.unwrap().0, 403);
    assert_eq!(proxy.echo.take(), []);
}

/// The mounted secret opens the feed, and without it there is nothing to judge by.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_no_feed() {
    let world = World::new().unwrap();
    let server = server(&world).await;
    let proxy = sidecar(&world, &server, Enforced::Filter, "another").await;
    let good = get("logs.internal", OBJECT, &world.token(&json!({})));
    assert_eq!(answer(&proxy, &good).await.unwrap().0, 503);
    assert_eq!(proxy.echo.take(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_is_asked_with_the_mounted_secret() {
    let world = World::new().unwrap();
    let server = server(&world).await;
    let good = get("logs.internal", OBJECT, &world.token(&json!({})));
    let proxy = sidecar(&world, &server, Enforced::ExtAuthz, SECRET).await;
    assert_eq!(answer(&proxy, &good).await.unwrap().0, 200);
    drop(proxy);
    let stranger = sidecar(&world, &server, Enforced::ExtAuthz, "another").await;
    assert_eq!(answer(&stranger, &good).await.unwrap().0, 503, "not judged, so not let through");
    assert_eq!(stranger.echo.take(), []);
}

/// All that the corpus knows, behind the patches, on both paths.
#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_agrees_behind_the_patches() {
    let world = World::new().unwrap();
    let server = server(&world).await;
    let mut filter = sidecar(&world, &server, Enforced::FilterAlone, SECRET).await;
    let mut ext_authz = sidecar(&world, &server, Enforced::ExtAuthz, SECRET).await;
    let (mut tried, mut wrong) = (0, Vec::new());
    for (_, case) in world.corpus.cases() {
        if case.exception(Place::Wasm).is_some() || case.exception(Place::ExtAuthz).is_some() {
            continue;
        }
        tried += 1;
        let prepared = world.preparer().prepare(case).unwrap();
        // Some refusals take Envoy a second.
        let (by_filter, by_check) = tokio::join!(
            filter.judge(case, &prepared, &world.pki),
            ext_authz.judge(case, &prepared, &world.pki)
        );
        for (place, outcome) in [(Place::Wasm, by_filter), (Place::ExtAuthz, by_check)] {
            let wrong_here = disagreement(case, &prepared, place, &outcome.unwrap());
            wrong.extend(wrong_here.map(|text| format!("{}: {place:?}: {text}", case.name)));
        }
    }
    let stats = ext_authz.envoy.stats().await.unwrap();
    let timeouts: Vec<_> =
        stats.matching(&["writ-system", "timeout"]).filter(|(_, count)| *count > 0).collect();
    assert_eq!((wrong, timeouts), (Vec::<String>::new(), Vec::new()));
    assert!(tried > 600, "{tried}");
}
