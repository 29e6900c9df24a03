//! A service's own credential: who gets it, where it goes, and that it is nowhere else.

use std::sync::atomic::{AtomicBool, Ordering};

use tonic::Code;

use crate::support::{
    MAY, Setup,
    credential::{NAME, OBJECT, TRUSTED, bearer, lease_over, policy, routed},
    http::get,
    sha256,
};

const KEY: &str = "k3y-of-the-bucket";

#[tokio::test]
async fn check_puts_it_in_the_tokens_place() {
    let setup = Setup::with_key(&format!("{KEY}\n"));
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    let answer = writ.inject(&token, "minio").await;
    assert_eq!((answer.status, answer.set["authorization"].as_str()), (200, &*format!("Bearer {KEY}")));
    assert!(!answer.remove.contains(&"authorization".to_owned()), "Envoy removes after it sets");
    assert!(answer.set.contains_key("x-writ-task"));
    assert_eq!(writ.inject(&token, "other").await.status, 200);
}

/// What a client sends in the credential's place is replaced, in whatever punctuation.
#[tokio::test]
async fn a_clients_own_copy_does_not_go_on() {
    let setup = Setup::new().config(TRUSTED).write_secret("key", KEY);
    let file = format!("{{file: {}}}", setup.path("key").display());
    let setup = setup.write("policies/logs.yaml", &policy("{header: X-Api-Key}", &file));
    let writ = setup.serve().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let headers =
        [("authorization", &*bearer), ("x-api-key", "forged"), ("x_api_key", "forged"), ("x.api.key", "f")];
    let answer = writ.check_message(routed("minio", OBJECT, &headers)).await;
    assert_eq!((answer.status, answer.set["x-api-key"].as_str()), (200, KEY));
    for name in ["authorization", "x_api_key", "x.api.key"] {
        assert!(answer.remove.contains(&name.to_owned()), "{name}: {answer:?}");
    }
    assert!(!answer.remove.contains(&"x-api-key".to_owned()));
}

#[tokio::test]
async fn basic_authentication_has_the_secret_as_its_password() {
    let setup = Setup::new().config(TRUSTED).write_secret("key", "open sesame");
    let file = format!("{{file: {}}}", setup.path("key").display());
    let setup = setup.write("policies/logs.yaml", &policy("{basic: {username: Aladdin}}", &file));
    let writ = setup.serve().await;
    let answer = writ.inject(&writ.access_token(MAY).await, "minio").await;
    assert_eq!(answer.set["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let lease = writ.lease(NAME).await.unwrap();
    assert_eq!(lease.masked, [&b"open sesame"[..], b"QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
}

#[tokio::test]
async fn it_reaches_only_the_clusters_that_it_names() {
    let setup = Setup::with_key(KEY);
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    for cluster in ["evil", "minio2", "MINIO", "minio,evil", ""] {
        let answer = writ.inject(&token, cluster).await;
        assert_eq!(answer.code(), "no_route", "{cluster}");
        assert!(answer.set.values().all(|value| !value.contains(KEY)), "{answer:?}");
    }
    // Where Envoy does not say, it may be any.
    let bearer = format!("Bearer {token}");
    assert_eq!(writ.check("GET", OBJECT, &[("authorization", &bearer)]).await.code(), "server_unavailable");
}

#[tokio::test]
async fn strangers_exemptions_and_shadow_get_none() {
    let setup = Setup::with_key(KEY);
    let writ = setup.serve().await;
    let open = writ.check_message(routed("minio", "/healthz", &[])).await;
    assert_eq!(open.status, 200);
    assert!(!open.set.contains_key("authorization"), "{open:?}");
    assert_eq!(writ.check_message(routed("minio", OBJECT, &[])).await.code(), "missing_token");

    let generation = writ.generation().await;
    let shadowed = std::fs::read_to_string(setup.path("policies/logs.yaml")).unwrap();
    let shadowed =
        shadowed.replace("    credential:", "    mode: shadow\n    until: 2099-01-01\n    credential:");
    setup.replace("policies/logs.yaml", &shadowed);
    writ.reloaded(generation).await;
    for path in [OBJECT, "/other-bucket/x"] {
        let stranger = writ.check_message(routed("minio", path, &[])).await;
        assert_eq!(stranger.status, 200);
        assert!(stranger.set.is_empty(), "{stranger:?}");
    }
    // Nor does one that is granted lead to another cluster with it: it goes on as in shadow, without its token.
    let token = writ.access_token(MAY).await;
    let misrouted = writ.inject(&token, "evil").await;
    assert_eq!((misrouted.status, misrouted.metadata["denial"].as_str()), (200, "no_route"));
    assert!(
        misrouted.set.is_empty() && misrouted.remove.contains(&"authorization".to_owned()),
        "{misrouted:?}"
    );
    // Nor one whose use is not left.
    let limited = MAY.replace("]}", r#"],"limits":{"uses":1}}"#);
    let token = writ.access_token(&limited).await;
    let first = writ.inject(&token, "minio").await;
    assert!(first.set.contains_key("authorization"), "{first:?}");
    let second = writ.inject(&token, "minio").await;
    assert_eq!((second.status, second.metadata["denial"].as_str()), (200, "limit_exhausted"));
    assert!(second.set.is_empty(), "{second:?}");
}

#[tokio::test]
async fn only_data_planes_that_are_trusted_get_it() {
    let setup = Setup::with_key(KEY).config(&format!(
        "data_planes:\n  - {{name: egress, secret_sha256: \"{}\", trusted_egress: true}}\n  \
         - {{name: edge, secret_sha256: \"{}\"}}\n  \
         - {{name: other, secret_sha256: \"{}\", trusted_egress: true, audiences: [other]}}\n",
        sha256("egress-secret"),
        sha256("edge-secret"),
        sha256("other-secret"),
    ));
    let mut writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    // The socket's trust has to be said.
    assert_eq!(writ.inject(&token, "minio").await.code(), "server_unavailable");
    assert_eq!(writ.lease(NAME).await.unwrap_err().code(), Code::PermissionDenied);

    let task_token = format!("Bearer {token}");
    for (authorization, code) in [
        ("", Code::Unauthenticated),
        (&*task_token, Code::Unauthenticated),
        ("Bearer edge-secret", Code::PermissionDenied),
        ("Bearer other-secret", Code::PermissionDenied),
    ] {
        let refused = lease_over(writ.grpc_channel().await, NAME, authorization).await.unwrap_err();
        assert_eq!(refused.code(), code, "{authorization}");
        assert!(!format!("{refused:?}").contains(KEY));
    }
    let unknown =
        lease_over(writ.grpc_channel().await, "logs/other", "Bearer egress-secret").await.unwrap_err();
    assert_eq!(unknown.code(), Code::PermissionDenied);

    let lease = lease_over(writ.grpc_channel().await, NAME, "Bearer egress-secret").await.unwrap();
    assert_eq!((lease.header.as_str(), lease.value), ("authorization", format!("Bearer {KEY}").into_bytes()));
    assert_eq!(lease.masked, [KEY.as_bytes()]);
    assert!((1..=2000).contains(&lease.lease_ms), "{}", lease.lease_ms);
    let told = writ.audit_until("event=credential_leased", |events| !events.is_empty()).await;
    assert_eq!((&told[0]["name"], &told[0]["data_plane"]), (&NAME.into(), &"egress".into()));
    assert_eq!(told.len(), 1, "once for the lease: {told:?}");
    assert!(writ.metric(r#"writ_credential_leases_total{result="granted"} 1"#).await);
    assert!(writ.metric(r#"writ_credential_leases_total{result="refused"} 4"#).await);
    // What data planes are not told, operators are: whom to trust, and how.
    for (plane, advice) in [
        ("socket", "set `listeners.data_plane_trusted_egress: true`"),
        ("edge", "set `trusted_egress: true` for it in `data_planes`"),
        ("other", "its `audiences` in `data_planes` lack"),
        ("egress", "no host of the policy sends a credential of this name"),
    ] {
        let line = writ.log(&format!("refused a credential to a data plane data_plane=\"{plane}\"")).await;
        assert!(line.contains(advice), "{line}");
    }
}

/// The old one and the new one are both good for a while, as they are at services whose keys can be rotated at all.
#[tokio::test]
async fn a_key_is_replaced_on_disk_and_nothing_fails() {
    let setup = Setup::with_key("k3y-number-0");
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    let done = AtomicBool::new(false);
    let load = async {
        let mut answered = 0;
        while !done.load(Ordering::SeqCst) {
            let answer = writ.inject(&token, "minio").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.set["authorization"].starts_with("Bearer k3y-number-"));
            answered += 1;
        }
        answered
    };
    let rotations = async {
        for number in 1..=3 {
            setup.rotate(&format!("k3y-number-{number}"));
            let new = format!("Bearer k3y-number-{number}");
            while writ.inject(&token, "minio").await.set["authorization"] != new {}
        }
        done.store(true, Ordering::SeqCst);
    };
    let (answered, ()) = tokio::join!(load, rotations);
    assert!(answered > 3);
}

#[tokio::test]
async fn an_edit_of_the_policy_takes_effect_at_once() {
    let setup = Setup::with_key(KEY).write_secret("other", "another-k3y");
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    assert_eq!(writ.inject(&token, "minio").await.set["authorization"], format!("Bearer {KEY}"));
    let generation = writ.generation().await;
    let edited =
        bearer(&format!("{{file: {}}}", setup.path("other").display())).replace("[minio, other]", "[other]");
    setup.replace("policies/logs.yaml", &edited);
    writ.reloaded(generation).await;
    assert_eq!(writ.inject(&token, "minio").await.code(), "no_route");
    assert_eq!(writ.inject(&token, "other").await.set["authorization"], "Bearer another-k3y");
}

/// In nothing that anybody but Envoy gets to see.
#[tokio::test]
async fn it_is_shown_to_nobody() {
    let setup = Setup::with_key(KEY);
    let mut writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    assert_eq!(writ.inject(&token, "minio").await.status, 200);
    writ.lease(NAME).await.unwrap();
    setup.rotate(&format!("{KEY}\nsecond-line"));
    while writ.inject(&token, "minio").await.status == 200 {}
    writ.log("cannot be had").await;
    let mut shown = Vec::new();
    for path in ["/metrics", "/config", "/readyz", "/dataplanes"] {
        shown.push(get(writ.admin, path).await.body);
    }
    assert!(shown[1].contains(NAME), "its name is shown: {}", shown[1]);
    shown.push(format!(
        "{:?}",
        writ.audit_until("event=credential_leased", |events| !events.is_empty()).await
    ));
    for arguments in
        [&["policy", "status"][..], &["policy", "diff"], &["snapshot", "show"], &["audit", "query"]]
    {
        let output = setup.run(arguments);
        shown.push(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned());
    }
    let (_, stdout, stderr) = writ.stop().await;
    shown.extend([stdout, stderr]);
    for text in shown {
        assert!(!text.contains(KEY) && !text.contains("second-line"), "{text}");
    }
    // Nor does the store have it.
    for file in std::fs::read_dir(setup.data("")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            assert!(!content.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{}", path.display());
        }
    }
}
