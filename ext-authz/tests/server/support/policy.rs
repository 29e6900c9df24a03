//! Policies that change, and waiting until they count.

use serde_json::Value;
use tokio::time::timeout;

use super::{POLICY, Setup, Writ, http::get, sha256, writ::PATIENCE};

/// Changes are found by being told of them, or not in any test's time.
pub(crate) const TOLD_ONLY: &str = "policy_poll_interval: 1h\n";

/// Changes are found by being told of them or by looking, whichever comes first.
pub(crate) const FOUND_SOON: &str = "policy_poll_interval: 2s\n";

/// The test policy, with another exemption at `path`.
pub(crate) fn opening(path: &str) -> String {
    let rule = format!("      - {{method: GET, path: {path}, action: none}}\n");
    POLICY.replace("HASHED", &sha256("hashed-secret")) + &rule
}

/// A policy whose document has more than three chunks; `word` is in it.
pub(crate) fn large(word: &str) -> String {
    let long = "x".repeat(800);
    let rule = |index| format!("      - {{method: GET, path: /{index}/{long}, action: none}}\n");
    opening(&format!("/{word}")) + &(0..1000).map(rule).collect::<String>()
}

/// A policy of `namespace` with one host, `<namespace>.internal`, and an exemption at `path`.
pub(crate) fn small(namespace: &str, path: &str) -> String {
    format!(
        "namespace: {namespace}\nroutes:\n  - hosts: [{namespace}.internal]\n    audience: mesh\n    rules:\n      \
         - {{method: GET, path: {path}, action: none}}\n"
    )
}

impl Setup {
    /// Replaces a file as careful editors do: written beside it, and renamed.
    pub(crate) fn replace(&self, name: &str, content: &str) {
        let draft = self.path("draft");
        std::fs::write(&draft, content).unwrap();
        std::fs::rename(draft, self.path(name)).unwrap();
    }
}

impl Writ {
    pub(crate) async fn ready(&self) -> Value {
        let ready = get(self.admin, "/readyz").await;
        assert_eq!(ready.status, 200, "{}", ready.body);
        ready.json()
    }

    /// Waits until `/readyz` is as `wanted`. Asked again and again: it never fails meanwhile.
    pub(crate) async fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let asking = async {
            loop {
                let ready = self.ready().await;
                if wanted(&ready) {
                    return ready;
                }
                tokio::task::yield_now().await;
            }
        };
        match timeout(PATIENCE, asking).await {
            Ok(ready) => ready,
            Err(_) => panic!("still {}", self.ready().await),
        }
    }

    /// Waits until `/readyz` says that the store's latest generation is not served.
    pub(crate) async fn outdated(&self) -> Value {
        let asking = async {
            loop {
                let ready = get(self.admin, "/readyz").await;
                if ready.status == 503 {
                    return ready.json();
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, asking).await.expect("still ready")
    }

    pub(crate) async fn generation(&self) -> u64 {
        generation(&self.ready().await)
    }

    /// Waits for a policy after `generation` that is all of what the directory holds.
    pub(crate) async fn reloaded(&self, before: u64) -> u64 {
        let is_new = |ready: &Value| generation(ready) > before && ready["policy_rejected"].is_null();
        generation(&self.until(is_new).await)
    }

    /// Waits for a rejected edit whose errors contain `text`.
    pub(crate) async fn rejected(&self, text: &str) -> Value {
        self.until(|ready| ready["policy_rejected"]["errors"].to_string().contains(text)).await
    }

    /// Waits until `/metrics` has `line`: counters follow what they count.
    pub(crate) async fn metric(&self, line: &str) -> bool {
        let asking = async {
            while !get(self.admin, "/metrics").await.body.lines().any(|own| own == line) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, asking).await.is_ok()
    }

    /// Waits until a request gets this code.
    pub(crate) async fn check_until(&self, method: &str, path: &str, headers: &[(&str, &str)], code: &str) {
        let asking = async {
            while self.check(method, path, headers).await.code() != code {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(PATIENCE, asking).await.is_ok(), "{path} never got `{code}`");
    }

    /// Whether a request without token passes.
    pub(crate) async fn is_open(&self, path: &str) -> bool {
        self.check("GET", path, &[]).await.status == 200
    }
}

pub(crate) fn generation(ready: &Value) -> u64 {
    ready["policy_generation"].as_u64().unwrap()
}
