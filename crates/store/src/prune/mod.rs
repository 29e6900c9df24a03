//! What nobody needs any more, removed in pieces.

mod chains;

use audit::ChainKey;

use crate::{
    Store,
    error::{Fault, StoreError},
    link::{Link, on_link},
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

impl Retention {
    /// How long what was lifted is kept, seconds: whoever reads the store on after that has missed it.
    #[must_use]
    pub fn lifted(self) -> u64 {
        self.tasks.max(MARGIN)
    }
}

/// What came of a removal: how many rows are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Tasks.
    pub tasks: u64,
    /// Revocations that could refuse nothing any more, or were lifted.
    pub revocations: u64,
    /// Audit batches.
    pub audit_batches: u64,
    /// Audit chains of which nothing was removed although it seems old: somebody without the key changed them.
    pub suspect_chains: u64,
    /// Servers that have not been there for a day.
    pub replicas: u64,
    /// Limits that no token has any more.
    pub limits: u64,
    /// Uses that nobody asks about again.
    pub uses: u64,
}

/// Rows of one transaction: nobody waits long for it.
const PIECE: i64 = 1000;
/// Pieces of one call, of each kind; the next call goes on.
const PIECES: usize = 100;
/// How long servers that have gone are remembered, seconds.
const REPLICAS: u64 = 24 * 3600;
/// How long an answer about a use is remembered, seconds.
const ANSWERS: u64 = 600;

const REVOCATIONS: &str = "DELETE FROM revocations WHERE seq IN (SELECT seq FROM revocations \
    WHERE expires_at <= $1 LIMIT $2)";
const LIFTED: &str = "DELETE FROM revocations WHERE seq IN (SELECT seq FROM revocations \
    WHERE lifted_seq IS NOT NULL AND lifted_at <= $1 LIMIT $2)";
/// No task goes before those under it: they expire no later than it.
const TASKS: &str = "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE expires_at <= $1 LIMIT $2)";
const LIMITS: &str = "DELETE FROM limits WHERE (task, id) IN (SELECT task, id FROM limits \
    WHERE expires_at <= $1 LIMIT $2)";
const USES: &str =
    "DELETE FROM uses WHERE decision IN (SELECT decision FROM uses WHERE used_at <= $1 LIMIT $2)";
const REPLICAS_GONE: &str =
    "DELETE FROM replicas WHERE id IN (SELECT id FROM replicas WHERE seen_at <= $1 LIMIT $2)";

/// What time it is for those who share the database. A file has no clock of its own.
const CLOCK: &str = "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp())) AS BIGINT)";

impl Store {
    /// Removes what has ended so long ago at `now`, Unix seconds, in pieces that each are a transaction. Where the database
    /// has a clock of its own, the earlier of the two counts. `key` tells which audit batches are as old as they seem, and
    /// seals what is said of those that are gone.
    ///
    /// # Errors
    /// The store failed. What was removed before stays removed.
    pub async fn prune(&self, now: u64, retention: Retention, key: &ChainKey) -> Result<Pruned, StoreError> {
        let Retention { tasks, audit } = retention;
        let now = self.earliest(now).await?;
        let ended = now.saturating_sub(tasks);
        let batches = now.saturating_sub(audit).saturating_mul(1000);
        let chains = self.prune_chains(batches, key).await?;
        Ok(Pruned {
            revocations: self.delete(REVOCATIONS, now.saturating_sub(60)).await?
                + self.delete(LIFTED, now.saturating_sub(retention.lifted())).await?,
            tasks: self.delete(TASKS, ended).await?,
            audit_batches: chains.batches,
            suspect_chains: chains.suspects.len() as u64,
            replicas: self.delete(REPLICAS_GONE, now.saturating_sub(REPLICAS)).await?,
            limits: self.delete(LIMITS, ended).await?,
            uses: self.delete(USES, now.saturating_sub(ANSWERS)).await?,
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

    /// The earlier of `now`, Unix seconds, and what the database's clock says, if it has one: what all replicas share does not go because one of them has
    /// a clock that is ahead.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn earliest(&self, now: u64) -> Result<u64, StoreError> {
        let mut lease = self.lease().await?;
        let there = match &mut lease.link {
            Link::Sqlite(..) => Ok(now),
            Link::Postgres(link) => {
                let clock = sqlx::query_scalar(CLOCK).fetch_one(&mut **link);
                bounded(clock).await.and_then(unsigned)
            }
        };
        let there = there.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(now.min(there))
    }
}
