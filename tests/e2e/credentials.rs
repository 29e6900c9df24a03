//! The service's own credential, with a real server, both Envoys, and a service that takes its own key and nothing else.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use harness::{
    Result,
    corpus::ISSUER,
    envoy::{Config, Shipped},
    error::unexpected,
    http::{RawRequest, h1},
    load::Load,
    paths,
    server::{Server, Setup},
    surface::Proxy,
    upstream::{Echo, Keyed},
    wait,
};
use serde_json::{Value, json};

use crate::world::{OBJECT, World, answer, get};

const KEY: &str = "k3y-of-the-bucket-0";
const HOST: &str = "logs.internal";
const BOTH: [Shipped; 2] = [Shipped::Wasm, Shipped::ExtAuthz];

/// A server whose one host sends a credential from the file `key`, and whose data planes are trusted with it.
struct Lent {
    world: World,
    setup: Setup,
}

impl Lent {
    fn new() -> Self {
        let world = World::new().unwrap();
        let mut setup = world.setup().unwrap();
        setup.policies = world.data().with_extension("policies");
        fs::create_dir_all(&setup.policies).unwrap();
        setup.config =
            Some(format!("issuer: {ISSUER}\nleeway: 0s\nlisteners: {{data_plane_trusted_egress: true}}\n"));
        let lent = Self { world, setup };
        lent.put(KEY);
        let policy = fs::read_to_string(paths::corpus().join("policy/logs.yaml")).unwrap();
        let policy = policy.replacen("audience: mesh", "audience: mesh\n    credential: minio", 1);
        let credential = format!(
            "credentials:\n  minio:\n    clusters: [upstream]\n    inject: {{header: authorization, format: \"Bearer {{secret}}\"}}\n    \
             secret: {{file: {}}}\n    lease: 2s\n",
            lent.key().display()
        );
        fs::write(lent.setup.policies.join("logs.yaml"), policy + &credential).unwrap();
        lent
    }

    fn key(&self) -> PathBuf {
        self.world.data().with_extension("key")
    }

    /// Puts the secret in place, in one step.
    fn put(&self, key: &str) {
        let draft = self.world.data().with_extension("draft");
        fs::write(&draft, key).unwrap();
        fs::set_permissions(&draft, Permissions::from_mode(0o600)).unwrap();
        fs::rename(draft, self.key()).unwrap();
    }

    async fn server(&self) -> Server {
        Server::start(&self.setup).await.unwrap()
    }

    /// An Envoy in front of `service`, and what `change` does.
    async fn envoy(
        &self,
        which: Shipped,
        service: &Keyed,
        change: impl FnOnce(&mut Config) -> Result<()>,
    ) -> Proxy {
        let change = |config: &mut Config| {
            config.upstream("upstream", service.address)?;
            change(config)
        };
        match which {
            Shipped::ExtAuthz => self
                .world
                .proxy(which, |config| {
                    config.patient()?;
                    change(config)
                })
                .await
                .unwrap(),
            _ => self.world.fed_with(change).await.unwrap(),
        }
    }

    fn granted(&self) -> RawRequest {
        get(HOST, OBJECT, &self.world.token(&json!({})))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_gets_through_without_ever_holding_the_key() {
    let lent = Lent::new();
    let _server = lent.server().await;
    for which in BOTH {
        let service = Keyed::start(&[KEY]).await.unwrap();
        let proxy = lent.envoy(which, &service, |_| Ok(())).await;
        let granted = lent.granted();
        let stranger = RawRequest { headers: Vec::new(), ..granted.clone() };
        assert_eq!(answer(&proxy, &stranger).await.unwrap().1, "missing_token", "{which:?}");
        assert!(service.take().is_empty());
        // The token alone is nothing to the service, and the key is nothing to Writ.
        let direct = tokio::net::TcpStream::connect(service.address).await.unwrap();
        let refused = h1::exchange(direct, &h1::render(&granted)).await.unwrap().unwrap();
        assert_eq!(refused.status, 401);
        service.take();
        let with_key = get(HOST, OBJECT, KEY.as_bytes());
        assert_eq!(
            answer(&proxy, &with_key).await.unwrap(),
            (401, "malformed_token".to_owned()),
            "{which:?}"
        );

        let passed = proxy.send(&granted).await.unwrap().unwrap();
        assert_eq!(passed.status, 200, "{which:?}");
        let [seen] = <[_; 1]>::try_from(service.take()).unwrap();
        assert!(seen.contains(&format!("authorization: Bearer {KEY}\r\n")), "{which:?}: {seen}");
        assert!(seen.contains("x-writ-task: ") && !seen.contains("writ-cluster"), "{seen}");
        // What the service echoes of it is hidden, where there is a filter to hide it.
        if which == Shipped::Wasm {
            assert_eq!(passed.header("x-your-key").unwrap(), "Bearer ***");
            let cookies: Vec<_> = passed.headers.iter().filter(|(name, _)| name == b"set-cookie").collect();
            assert_eq!(cookies.len(), 2, "{:?}", passed.headers);
            assert!(!format!("{:?}", passed.headers).contains(KEY));
            let stats = proxy.envoy.stats().await.unwrap();
            assert_eq!(stats.matching(&["writ.responses.masked"]).map(|(_, count)| count).max(), Some(1));
        }
    }
}

/// Warm requests take no hop: the server's own counters say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_serves_many_requests() {
    let lent = Lent::new();
    let server = lent.server().await;
    let service = Keyed::start(&[KEY]).await.unwrap();
    let proxy = lent.envoy(Shipped::Wasm, &service, |_| Ok(())).await;
    let load = Load::start(proxy.envoy.listener(&proxy.plain).unwrap(), &lent.granted());
    load.answers(400).await.unwrap();
    let tally = load.stop().await.unwrap();
    assert!(tally.keys().all(|(status, _)| *status == 200), "{tally:?}");
    let metrics = h1::get(server.listeners.admin, "/metrics").await.unwrap();
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    let leases = metrics
        .lines()
        .find_map(|line| line.strip_prefix("writ_credential_leases_total{result=\"granted\"} "));
    let leases: u64 = leases.unwrap().parse().unwrap();
    let answers: u64 = tally.values().sum();
    assert!(leases * 10 < answers, "{leases} leases for {answers} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_client_writes_it_reaches_one_cluster_only() {
    let lent = Lent::new();
    let _server = lent.server().await;
    let service = Keyed::start(&[KEY]).await.unwrap();
    for which in BOTH {
        let evil = Echo::start("evil").await.unwrap();
        let proxy = lent.envoy(which, &service, |config| lead_astray(config, which, &evil)).await;
        let granted = lent.granted();
        assert_eq!(answer(&proxy, &granted).await.unwrap().0, 200, "{which:?}");
        // Another Host, and other fields by which routes choose.
        let forged_host = get("evil.internal", OBJECT, &lent.world.token(&json!({})));
        assert_eq!(answer(&proxy, &forged_host).await.unwrap(), (403, "no_route".to_owned()), "{which:?}");
        let forged = |name: &str, value: &str| {
            let mut request = granted.clone();
            request.headers.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
            request
        };
        for (name, value) in
            [("x-target", "evil"), ("x-forwarded-host", "evil.internal"), ("x-writ-task", "forged")]
        {
            let answered = answer(&proxy, &forged(name, value)).await.unwrap();
            assert_ne!(answered.0, 500, "{which:?} {name}: {answered:?}");
            if name == "x-target" {
                assert_eq!(answered, (403, "no_route".to_owned()), "{which:?}");
            }
        }
        for seen in evil.take() {
            assert!(!format!("{:?}", seen.values("authorization")).contains(KEY), "{which:?}: {seen:?}");
        }
    }
}

/// Routes to another cluster: by a field of the client's; and, as no operator should, by one that the filter edits, so that
/// the route before its edits and the one after them differ.
fn lead_astray(config: &mut Config, which: Shipped, evil: &Echo) -> Result<()> {
    config.copy_cluster("upstream", "evil", evil.address)?;
    let routes = config
        .connection_manager()?
        .pointer_mut("/route_config/virtual_hosts/0/routes")
        .and_then(Value::as_array_mut)
        .ok_or_else(|| unexpected("no routes"))?;
    let by = |name: &str, value: &str| json!({"prefix": "/", "headers": [{"name": name, "string_match": {"exact": value}}]});
    let mut astray = json!({"match": by("x-target", "evil"), "route": {"cluster": "evil"}});
    if which == Shipped::ExtAuthz {
        // The cluster's name is said here, too, and truthfully.
        let per_route = routes[0]["typed_per_filter_config"].clone();
        astray["typed_per_filter_config"] = per_route;
        let place = "/typed_per_filter_config/envoy.filters.http.ext_authz/check_settings/context_extensions";
        astray.pointer_mut(place).ok_or_else(|| unexpected("no context"))?["writ_cluster"] = "evil".into();
    }
    routes.insert(0, astray);
    Ok(())
}

/// The route before the filter's edits leads to the cluster that the credential is for, and the one after them elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_changes_behind_the_filter_gets_none() {
    let lent = Lent::new();
    let _server = lent.server().await;
    let service = Keyed::start(&[KEY]).await.unwrap();
    let evil = Echo::start("evil").await.unwrap();
    let proxy = lent
        .envoy(Shipped::Wasm, &service, |config| {
            config.copy_cluster("upstream", "evil", evil.address)?;
            let routes = config
                .connection_manager()?
                .pointer_mut("/route_config/virtual_hosts/0/routes")
                .and_then(Value::as_array_mut)
                .ok_or_else(|| unexpected("no routes"))?;
            let forged = json!({"prefix": "/", "headers": [{"name": "x-writ-task", "string_match": {"exact": "forged"}}]});
            let any = json!({"match": {"prefix": "/"}, "route": {"cluster": "evil"}});
            *routes = vec![json!({"match": forged, "route": {"cluster": "upstream"}}), any];
            Ok(())
        })
        .await;
    let mut request = lent.granted();
    assert_eq!(answer(&proxy, &request).await.unwrap(), (403, "no_route".to_owned()));
    request.headers.push((b"x-writ-task".to_vec(), b"forged".to_vec()));
    // The filter lent it, and the rule behind the filter saw where it would have gone.
    let refused = proxy.send(&request).await.unwrap().unwrap();
    assert_eq!((refused.status, refused.body.as_slice()), (403, &b"RBAC: access denied"[..]));
    assert_eq!((evil.take().len(), service.take().len()), (0, 0));
}

/// The service takes both keys for a while, as those do whose keys can be rotated at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_under_load_and_nothing_fails() {
    let lent = Lent::new();
    let _server = lent.server().await;
    for which in BOTH {
        lent.put("k3y-of-the-bucket-0");
        let service = Keyed::start(&["k3y-of-the-bucket-0"]).await.unwrap();
        let proxy = lent.envoy(which, &service, |_| Ok(())).await;
        // The server may still have the last one of the other path.
        wait::until("the first key", async || {
            Ok((answer(&proxy, &lent.granted()).await?.0 == 200).then_some(()))
        })
        .await
        .unwrap();
        let load = Load::start(proxy.envoy.listener(&proxy.plain).unwrap(), &lent.granted());
        load.answers(50).await.unwrap();
        for number in 1..=2 {
            let (old, new) =
                (format!("k3y-of-the-bucket-{}", number - 1), format!("k3y-of-the-bucket-{number}"));
            service.accept(&[&old, &new]);
            lent.put(&new);
            // Every worker has taken the new one up when the old one is not seen any more.
            wait::until("the new key alone", async || {
                service.take();
                load.answers(100).await?;
                Ok(service.take().iter().all(|seen| seen.contains(&new)).then_some(()))
            })
            .await
            .unwrap();
            service.accept(&[&new]);
            load.answers(50).await.unwrap();
        }
        let tally = load.stop().await.unwrap();
        assert!(tally.keys().all(|(status, _)| *status == 200), "{which:?}: {tally:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_nothing_goes_on_and_it_recovers_by_itself() {
    let lent = Lent::new();
    let server = lent.server().await;
    for which in BOTH {
        lent.put("k3y-of-the\nbucket-0");
        let service = Keyed::start(&[KEY]).await.unwrap();
        let proxy = lent.envoy(which, &service, |_| Ok(())).await;
        wait::until("a denial", async || {
            let answered = answer(&proxy, &lent.granted()).await?;
            Ok((answered == (503, "server_unavailable".to_owned())).then_some(()))
        })
        .await
        .unwrap();
        service.take();
        for _ in 0..10 {
            assert_eq!(answer(&proxy, &lent.granted()).await.unwrap().0, 503, "{which:?}");
        }
        assert!(service.take().is_empty(), "{which:?}: nothing goes on without it");
        let place = lent.key().display().to_string();
        let log = server.log();
        let line = log.lines().find(|line| line.contains("a credential cannot be had")).unwrap();
        assert!(line.contains(&place) && !line.contains("of-the"), "{line}");
        lent.put(KEY);
        wait::until("the credential", async || {
            Ok((answer(&proxy, &lent.granted()).await?.0 == 200).then_some(()))
        })
        .await
        .unwrap();
    }
}

/// Neither logs nor metrics, neither configuration nor audit: it is nowhere but on its way.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_it_anywhere() {
    let lent = Lent::new();
    let server = lent.server().await;
    let mut shown = Vec::new();
    for which in BOTH {
        let service = Keyed::start(&[KEY]).await.unwrap();
        let proxy = lent.envoy(which, &service, |_| Ok(())).await;
        assert_eq!(answer(&proxy, &lent.granted()).await.unwrap().0, 200, "{which:?}");
        for page in [
            "/config_dump",
            "/config_dump?include_eds",
            "/stats",
            "/stats/prometheus",
            "/clusters",
            "/listeners",
            "/server_info",
        ] {
            let page = h1::get(proxy.envoy.admin, page).await.unwrap();
            assert_eq!(page.status, 200);
            shown.push(String::from_utf8_lossy(&page.body).into_owned());
        }
        shown.push(proxy.envoy.log());
    }
    for page in ["/metrics", "/config", "/readyz", "/dataplanes"] {
        shown.push(
            String::from_utf8_lossy(&h1::get(server.listeners.admin, page).await.unwrap().body).into_owned(),
        );
    }
    let audit = wait::until("the lease in the audit log", || {
        let output = lent.setup.operate(&["audit", "query", "--json"]);
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        std::future::ready(text.map(|text| text.contains("credential_leased").then_some(text)))
    });
    shown.push(audit.await.unwrap());
    for arguments in
        [&["snapshot", "show", "--json"][..], &["policy", "status", "--json"], &["policy", "diff"]]
    {
        let output = lent.setup.run(arguments).unwrap();
        shown.push(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned());
    }
    shown.push(server.log());
    for text in shown {
        assert!(!text.contains(KEY), "{text}");
    }
}
