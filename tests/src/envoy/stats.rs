//! Envoy's counters.

use std::{collections::BTreeMap, net::SocketAddr};

use serde_json::Value;

use crate::{error::Result, http::h1};

/// Counters and gauges at one moment.
#[derive(Debug, Clone, Default)]
pub struct Stats(BTreeMap<String, u64>);

impl Stats {
    /// Those of the Envoy with this admin listener, now; histograms are left out.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn read(admin: SocketAddr) -> Result<Self> {
        Ok(Self::parse(&h1::get(admin, "/stats?format=json").await?.body))
    }

    fn parse(body: &[u8]) -> Self {
        let page: Value = serde_json::from_slice(body).unwrap_or_default();
        let list = page.get("stats").and_then(Value::as_array).cloned().unwrap_or_default();
        let read = |stat: Value| Some((stat.get("name")?.as_str()?.to_owned(), stat.get("value")?.as_u64()?));
        Self(list.into_iter().filter_map(read).collect())
    }

    /// The value of the counter `name`; absent counters are zero.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Every counter whose name holds all of `parts`.
    pub fn matching<'s>(&'s self, parts: &'s [&str]) -> impl Iterator<Item = (&'s str, u64)> {
        let named = self.0.iter().filter(|(name, _)| parts.iter().all(|part| name.contains(part)));
        named.map(|(name, value)| (name.as_str(), *value))
    }

    /// Counters of the wasm runtime that speak of a failure and are not zero.
    pub fn wasm_failures(&self) -> Vec<(String, u64)> {
        const FAILURES: [&str; 8] =
            ["fail", "error", "reload", "trap", "crash", "remote_load_fetch", "rejected", "update_rejected"];
        let wasm = self.0.iter().filter(|(name, value)| name.contains("wasm") && **value > 0);
        wasm.filter(|(name, _)| FAILURES.iter().any(|word| name.contains(word)))
            .map(|(name, value)| (name.clone(), *value))
            .collect()
    }
}
