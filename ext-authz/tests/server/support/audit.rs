//! Reading the audit log as an operator.

use http::Method;
use serde_json::Value;
use tokio::time::timeout;

use super::{Response, Setup, Writ, http::send_local, writ::PATIENCE};

impl Writ {
    /// The events of one page of `GET /v1/audit`, and where the next one begins.
    pub(crate) async fn audit_page(&self, query: &str) -> (Vec<Value>, Option<String>) {
        self.try_audit_page(query).await.unwrap_or_else(|answer| panic!("{query}: {answer:?}"))
    }

    async fn try_audit_page(&self, query: &str) -> Result<(Vec<Value>, Option<String>), Response> {
        let path = format!("/v1/audit?{query}");
        let answer = send_local(&self.operator, Method::GET, &path, &[], "").await;
        if answer.status != 200 {
            return Err(answer);
        }
        let page = answer.json();
        Ok((page["events"].as_array().unwrap().clone(), page["next"].as_str().map(str::to_owned)))
    }

    /// All events that are asked for.
    pub(crate) async fn audit(&self, query: &str) -> Vec<Value> {
        self.try_audit(query).await.unwrap_or_else(|answer| panic!("{query}: {answer:?}"))
    }

    async fn try_audit(&self, query: &str) -> Result<Vec<Value>, Response> {
        let (mut events, mut next) = self.try_audit_page(&format!("limit=1000&{query}")).await?;
        while let Some(after) = next {
            let (more, then) = self.try_audit_page(&format!("limit=1000&{query}&after={after}")).await?;
            events.extend(more);
            next = then;
        }
        Ok(events)
    }

    /// The same, once they are as `wanted`: decisions get into the log a moment after they were made, and the store may
    /// have been away.
    pub(crate) async fn audit_until(&self, query: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let asking = async {
            loop {
                match self.try_audit(query).await {
                    Ok(events) if wanted(&events) => return events,
                    Ok(_) => tokio::task::yield_now().await,
                    Err(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                }
            }
        };
        match timeout(PATIENCE, asking).await {
            Ok(events) => events,
            Err(_) => panic!("{query}: still {:#?}", self.audit(query).await),
        }
    }
}

impl Setup {
    /// What `writ audit verify` says: its exit code, and faults as `writer's number, batch, fault`.
    pub(crate) fn verify(&self, arguments: &[&str]) -> (i32, Value) {
        self.run_json(&[&["audit", "verify"], arguments].concat(), "")
    }
}

/// The faults that were found, with their batches.
pub(crate) fn faults(report: &Value) -> Vec<(u64, &str)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| (finding["seq"].as_u64().unwrap(), finding["fault"].as_str().unwrap())).collect()
}
