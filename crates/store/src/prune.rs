//! What nobody needs any more, removed in pieces.

use audit::ChainKey;
use sqlx::Executor as _;

use crate::{
    Store,
    error::{Fault, StoreError},
    link::{Link, Sql, on_link},
    number::{signed, unsigned},
    revocation::MARGIN,
    store::bounded,
};

/// How long what has ended is kept, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Tasks, after their end or expiry; lifted revocations, after the lifting.
    pub tasks: u64,
    /// Audit batches, after they were sealed.
    pub audit: u64,
}

/// How many rows were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Tasks.
    pub tasks: u64,
    /// Revocations that could refuse nothing any more, or were lifted.
    pub revocations: u64,
    /// Audit batches.
    pub audit_batches: u64,
    /// Servers that have not been there for a day.
    pub replicas: u64,
}

/// Rows of one transaction: nobody waits long for it.
const PIECE: i64 = 1000;
/// Pieces of one call, of each kind; the next call goes on.
const PIECES: usize = 100;
/// How long servers that have gone are remembered, seconds.
const REPLICAS: u64 = 24 * 3600;

const REVOCATIONS: &str = "DELETE FROM revocations WHERE seq IN (SELECT seq FROM revocations \
    WHERE expires_at <= $1 LIMIT $2)";
const LIFTED: &str = "DELETE FROM revocations WHERE seq IN (SELECT seq FROM revocations \
    WHERE lifted_seq IS NOT NULL AND lifted_at <= $1 LIMIT $2)";
/// No task goes before those under it: they expire no later than it.
const TASKS: &str = "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE expires_at <= $1 LIMIT $2)";
const REPLICAS_GONE: &str =
    "DELETE FROM replicas WHERE id IN (SELECT id FROM replicas WHERE seen_at <= $1 LIMIT $2)";

/// The writers that have batches of an age, each with the last one of them.
const OLD_CHAINS: &str =
    "SELECT writer, MAX(seq) FROM audit_batches WHERE sealed_at <= $1 GROUP BY writer LIMIT $2";
/// The last batch of a piece.
const PIECE_OF_CHAIN: &str = "SELECT seq, hash FROM audit_batches WHERE writer = $1 AND seq = ( \
        SELECT MAX(seq) FROM (SELECT seq FROM audit_batches WHERE writer = $1 AND seq <= $2 ORDER BY seq LIMIT $3) AS p)";
/// What was removed is remembered, sealed: the chain goes on from it. Another replica may have been here meanwhile.
const FORGET_UP_TO: &str = "UPDATE audit_writers SET pruned_seq = $2, pruned_hash = $3, pruned_mac = $4 \
    WHERE writer = $1 AND pruned_seq < $2";
const FORGET_BATCHES: &str = "DELETE FROM audit_batches WHERE writer = $1 \
    AND seq <= (SELECT pruned_seq FROM audit_writers WHERE writer = $1)";

const BEGIN: Sql = Sql { sqlite: "BEGIN IMMEDIATE", postgres: "BEGIN" };

impl Store {
    /// Removes what has ended so long ago at `now`, Unix seconds, in pieces that each are a transaction. `key` seals what is
    /// said of audit batches that are gone.
    ///
    /// # Errors
    /// The store failed. What was removed before stays removed.
    pub async fn prune(&self, now: u64, retention: Retention, key: &ChainKey) -> Result<Pruned, StoreError> {
        let Retention { tasks, audit } = retention;
        let ended = now.saturating_sub(tasks);
        let batches = now.saturating_sub(audit).saturating_mul(1000);
        Ok(Pruned {
            revocations: self.delete(REVOCATIONS, now.saturating_sub(60)).await?
                + self.delete(LIFTED, now.saturating_sub(tasks.max(MARGIN))).await?,
            tasks: self.delete(TASKS, ended).await?,
            audit_batches: self.prune_audit(batches, key).await?,
            replicas: self.delete(REPLICAS_GONE, now.saturating_sub(REPLICAS)).await?,
        })
    }

    async fn delete(&self, statement: &'static str, until: u64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for _ in 0..PIECES {
            let mut lease = self.lease().await?;
            let piece = async {
                let until = signed(until)?;
                let done: u64 = on_link!(&mut lease.link, link => {
                    sqlx::query(statement).bind(until).bind(PIECE).execute(link).await?.rows_affected()
                });
                Ok::<_, Fault>(done)
            };
            let piece = bounded(piece).await.map_err(|fault| lease.error(fault))?;
            lease.give_back();
            deleted += piece;
            if piece < PIECE.unsigned_abs() {
                break;
            }
        }
        Ok(deleted)
    }

    async fn prune_audit(&self, until_millis: u64, key: &ChainKey) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for _ in 0..PIECES {
            let mut lease = self.lease().await?;
            let piece = bounded(prune_audit(&mut lease.link, until_millis, key)).await;
            let piece = piece.map_err(|fault| lease.error(fault))?;
            lease.give_back();
            deleted += piece;
            if piece == 0 {
                break;
            }
        }
        Ok(deleted)
    }
}

/// Removes a piece of each chain that has old batches.
async fn prune_audit(link: &mut Link, until_millis: u64, key: &ChainKey) -> Result<u64, Fault> {
    const CHAINS: i64 = 100;
    let begin = BEGIN.of(link);
    let until = signed(until_millis)?;
    let mut deleted = 0;
    on_link!(link, connection => {
        let query = sqlx::query_as(OLD_CHAINS).bind(until).bind(CHAINS);
        let chains: Vec<(String, i64)> = query.fetch_all(&mut *connection).await?;
        for (writer, seq) in chains {
            connection.execute(begin).await?;
            let last = sqlx::query_as(PIECE_OF_CHAIN).bind(&writer).bind(seq).bind(PIECE);
            let last: Option<(i64, String)> = last.fetch_optional(&mut *connection).await?;
            if let Some((seq, hash)) = last.and_then(|(seq, hash)| Some((seq, audit::Digest::parse(&hash)?))) {
                let pruned = audit::Pruned::seal(key, &writer, unsigned(seq)?, hash);
                let forget = sqlx::query(FORGET_UP_TO).bind(&writer).bind(seq);
                let forget = forget.bind(pruned.hash.to_string()).bind(pruned.mac.to_string());
                forget.execute(&mut *connection).await?;
            }
            let delete = sqlx::query(FORGET_BATCHES).bind(&writer).execute(&mut *connection).await?;
            connection.execute("COMMIT").await?;
            deleted += delete.rows_affected();
        }
    });
    Ok(deleted)
}
