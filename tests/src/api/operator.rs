//! What operators do: revoke and lift, change keys, read the audit log.

use serde_json::{Value, json};

use super::{Caller, client::wanted, refused};
use crate::error::Result;

/// An operator with its proof.
#[derive(Debug, Clone)]
pub struct Operator(pub Caller);

impl Operator {
    /// Revokes what `level` and `name` say.
    ///
    /// # Errors
    /// It is not acknowledged.
    pub async fn revoke(&self, level: &str, name: &str) -> Result<Value> {
        let body = json!({"level": level, "name": name, "reason": "a test"});
        let response = self.0.post("/v1/revocations", &body).await?;
        match response.status {
            200 | 201 => wanted("a revocation", response.status, &response),
            _ => Err(refused("a revocation", &response)),
        }
    }

    /// Lifts a revocation.
    ///
    /// # Errors
    /// It is not acknowledged.
    pub async fn lift(&self, level: &str, name: &str) -> Result<()> {
        let response = self.0.post("/v1/revocations/lift", &json!({"level": level, "name": name})).await?;
        if (200..300).contains(&response.status) { Ok(()) } else { Err(refused("a lifting", &response)) }
    }

    /// A page of JSON.
    ///
    /// # Errors
    /// There is none.
    pub async fn get(&self, target: &str) -> Result<Value> {
        wanted(target, 200, &self.0.get(target).await?)
    }

    /// Has another key sign.
    ///
    /// # Errors
    /// It is not acknowledged.
    pub async fn rotate_keys(&self) -> Result<Value> {
        let response = self.0.post("/v1/keys/rotate", &json!({})).await?;
        wanted("a rotation", response.status.clamp(200, 202), &response)
    }

    /// Withdraws a key: nothing that it signed counts any more.
    ///
    /// # Errors
    /// It is not acknowledged.
    pub async fn withdraw_key(&self, kid: &str) -> Result<Value> {
        let response = self.0.post(&format!("/v1/keys/{kid}/withdraw"), &json!({"reason": "a test"})).await?;
        wanted("a withdrawal", 200, &response)
    }
}
