//! Secrets that all replicas share. Encrypted before they come here: the store has no key to them.

use std::collections::BTreeMap;

use crate::{
    Store,
    error::{Fault, StoreError},
    link::{Link, on_link},
    store::bounded,
};

const INSERT: &str = "INSERT INTO sealed_secrets (name, sealed, made_at) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO NOTHING";

impl Store {
    /// Each secret by its name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn sealed_secrets(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let mut lease = self.lease().await?;
        let secrets = sealed(&mut lease.link).await.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(secrets)
    }

    /// Keeps the secret `name`, unless there is one: of several replicas that made one at the same time, one keeps its
    /// own, and whoever asks afterwards gets that.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn add_sealed_secret(&self, name: &str, sealed: &str, made_at: u64) -> Result<(), StoreError> {
        let mut lease = self.lease().await?;
        let made_at = i64::try_from(made_at).unwrap_or(i64::MAX);
        let done: Result<(), Fault> = on_link!(&mut lease.link, link => {
            let insert = sqlx::query(INSERT).bind(name).bind(sealed).bind(made_at);
            bounded(insert.execute(link)).await.map(|_| ())
        });
        done.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(())
    }
}

/// Each secret by its name, as a transaction in progress has it.
pub(crate) async fn sealed(link: &mut Link) -> Result<BTreeMap<String, String>, Fault> {
    let query = "SELECT name, sealed FROM sealed_secrets";
    let rows: Vec<(String, String)> =
        on_link!(link, connection => bounded(sqlx::query_as(query).fetch_all(connection)).await?);
    Ok(rows.into_iter().collect())
}
