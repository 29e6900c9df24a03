//! Hashes of secrets that the server made for its clients.

use std::{collections::BTreeMap, io};

use sqlx::Executor as _;

use crate::{
    Store,
    error::{Fault, SecretError, StoreError},
    link::on_link,
    store::bounded,
};

const INSERT: &str = "INSERT INTO client_secrets (client, secret_sha256, made_at) VALUES ($1, $2, $3) \
    ON CONFLICT (client) DO NOTHING";

impl Store {
    /// The hexadecimal SHA-256 of each client's secret.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn secrets(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let mut lease = self.lease().await?;
        let query = "SELECT client, secret_sha256 FROM client_secrets";
        let rows: Result<Vec<(String, String)>, Fault> =
            on_link!(&mut lease.link, link => bounded(sqlx::query_as(query).fetch_all(link)).await);
        let rows = rows.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(rows.into_iter().collect())
    }

    /// Keeps the hash of a new secret of `client`, unless the client has one; the answer is whether it was kept. Of
    /// several replicas that made one at the same time, one keeps its own.
    ///
    /// `show` is called before the hash is committed, and only by the replica that keeps it: a secret that nobody saw
    /// must not stand in the way of another, and one that does not count must not be shown.
    ///
    /// # Errors
    /// `show` failed, or the store did. Nothing was kept.
    pub async fn add_secret(
        &self,
        client: &str,
        secret_sha256: &str,
        made_at: u64,
        show: impl FnOnce() -> io::Result<()>,
    ) -> Result<bool, SecretError> {
        let mut lease = self.lease().await?;
        let inserting = async {
            let made_at = i64::try_from(made_at).unwrap_or(i64::MAX);
            let done: Result<u64, sqlx::Error> = on_link!(&mut lease.link, link => {
                link.execute("BEGIN").await?;
                let insert = sqlx::query(INSERT).bind(client).bind(secret_sha256).bind(made_at);
                Ok(insert.execute(&mut *link).await?.rows_affected())
            });
            done
        };
        let is_new = bounded(inserting).await.map_err(|fault| lease.error(fault))? == 1;
        if is_new {
            show().map_err(SecretError::NotShown)?;
        }
        let committing =
            async { on_link!(&mut lease.link, link => link.execute("COMMIT").await.map(|_| ())) };
        bounded(committing).await.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(is_new)
    }
}
