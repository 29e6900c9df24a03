//! The operator's listener.

use tokio::time::timeout;

use crate::support::{MAY, Setup, http::get, sha256, writ::PATIENCE};

#[tokio::test]
async fn metrics_count_what_happened_by_closed_labels() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    writ.check("GET", "/my-bucket/logs/2026-05-01.log", &[("authorization", &bearer)]).await;
    writ.check("GET", "/my-bucket/logs/2026-05-01.log", &[]).await;
    writ.check("GET", "/healthz", &[]).await;
    let metrics = get(writ.admin, "/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        "writ_tokens_issued_total 1",
        r#"writ_check_decisions_total{code="granted"} 1"#,
        r#"writ_check_decisions_total{code="missing_token"} 1"#,
        r#"writ_check_decisions_total{code="exempt"} 1"#,
        r#"writ_http_requests_total{listener="http",status="2xx"} 1"#,
        r#"writ_http_requests_total{listener="data_plane",status="2xx"} 3"#,
        "writ_build_info{",
    ] {
        assert!(metrics.body.contains(line), "{line} in {}", metrics.body);
    }
    assert!(!metrics.body.contains("hashed") && !metrics.body.contains("logs.internal"), "{}", metrics.body);
}

#[tokio::test]
async fn health_and_readiness() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    assert_eq!(get(writ.admin, "/healthz").await.status, 200);
    let ready = get(writ.admin, "/readyz").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (200, &"ready".into()));
    for path in ["/v1/tasks", "/oauth2/token", "/"] {
        assert_eq!(get(writ.admin, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_configuration_is_shown_without_hashes() {
    let hash = sha256("edge-secret");
    let setup = Setup::new().config(&format!("data_planes: [{{name: edge, secret_sha256: \"{hash}\"}}]\n"));
    let writ = setup.serve().await;
    let shown = get(writ.admin, "/config").await;
    let config = shown.json();
    assert_eq!(config["data_planes"][0], "edge");
    assert_eq!(config["clients"], serde_json::json!(["generated", "hashed"]));
    assert_eq!(config["exemptions"][0], "GET logs.internal/healthz");
    assert_eq!(config["limits"]["body_bytes"], 65536);
    assert!(!shown.body.contains(&hash) && !shown.body.contains(&sha256("hashed-secret")));
}

/// Percentiles need buckets.
#[tokio::test]
async fn waits_and_commits_are_distributions() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    writ.access_token(MAY).await;
    for name in ["writ_store_wait_seconds", "writ_store_commit_seconds"] {
        let measuring = async {
            loop {
                let metrics = get(writ.admin, "/metrics").await.body;
                let value = |line: String| {
                    let value = metrics.lines().find_map(|own| own.strip_prefix(&line));
                    value.map_or(0, |value| value.parse::<u64>().unwrap())
                };
                let buckets: Vec<_> = ["0.001", "0.01", "0.1", "1", "30", "+Inf"]
                    .into_iter()
                    .map(|most| value(format!("{name}_bucket{{le=\"{most}\"}} ")))
                    .collect();
                if buckets.last() > Some(&0) {
                    assert!(buckets.is_sorted(), "{buckets:?}");
                    assert_eq!(buckets.last(), Some(&value(format!("{name}_count "))));
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, measuring).await.unwrap_or_else(|_| panic!("nothing of {name}"));
    }
}
