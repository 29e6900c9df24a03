//! Servers of the store, and what their data planes know of its keys.

use crate::{
    Store,
    error::{Fault, StoreError},
    link::on_link,
    number::signed,
    store::bounded,
};

const SEEN: &str = "INSERT INTO replicas (id, seen_at, keys_acked) VALUES ($1, $2, $3) \
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, keys_acked = excluded.keys_acked";

const GONE: &str = "DELETE FROM replicas WHERE id = $1";

const BEHIND: &str = "SELECT COUNT(*) FROM replicas WHERE seen_at >= $1 AND keys_acked < $2";

const LAST_TASK: &str = "SELECT MAX(expires_at) FROM tasks";

impl Store {
    /// The server `id` is there, and all data planes that are connected to it hold the keys of this sequence.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn replica_is_there(&self, id: &str, seen_at: u64, keys_acked: u64) -> Result<(), StoreError> {
        let mut lease = self.lease().await?;
        let done: Result<(), Fault> = async {
            let [seen_at, keys_acked] = [signed(seen_at)?, signed(keys_acked)?];
            on_link!(&mut lease.link, link => {
                let seen = sqlx::query(SEEN).bind(id).bind(seen_at).bind(keys_acked);
                bounded(seen.execute(link)).await.map(|_| ())
            })
        }
        .await;
        done.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(())
    }

    /// The server `id` ends.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn replica_is_gone(&self, id: &str) -> Result<(), StoreError> {
        let mut lease = self.lease().await?;
        let done: Result<(), Fault> = on_link!(&mut lease.link, link => {
            bounded(sqlx::query(GONE).bind(id).execute(link)).await.map(|_| ())
        });
        done.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(())
    }

    /// How many servers that were seen since `since` have data planes that do not hold the keys of this sequence yet.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn replicas_behind(&self, since: u64, keys: u64) -> Result<u64, StoreError> {
        let mut lease = self.lease().await?;
        let count: Result<i64, Fault> = async {
            let [since, keys] = [signed(since)?, signed(keys)?];
            on_link!(&mut lease.link, link => {
                bounded(sqlx::query_scalar(BEHIND).bind(since).bind(keys).fetch_one(link)).await
            })
        }
        .await;
        let count = count.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// When the last task expires; 0 if there is none. No token is valid for longer than its task.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn last_task_expiry(&self) -> Result<u64, StoreError> {
        let mut lease = self.lease().await?;
        let last: Result<Option<i64>, Fault> = on_link!(&mut lease.link, link => {
            bounded(sqlx::query_scalar(LAST_TASK).fetch_one(link)).await
        });
        let last = last.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
    }
}
