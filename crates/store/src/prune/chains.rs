//! The beginnings of audit chains, removed for their age.
//!
//! What was removed is sealed with the key of the log, so that verification takes it for no finding. Whoever can write to
//! the database must not get that seal: nothing counts as old that a batch does not say under its own keyed hash.

use std::collections::BTreeSet;

use audit::{Batch, ChainKey, Pruned};
use sqlx::Executor as _;

use super::PIECES;
use crate::{
    Store,
    audit_log::{BatchRow, ExtentRow, batch, extent},
    error::{Fault, StoreError},
    link::{Link, Sql, on_link},
    number::signed,
    store::bounded,
};

/// Batches of one transaction.
const PIECE: i64 = 1000;
/// Chains of one turn with the connection.
const CHAINS: i64 = 100;

/// The writers that seem to have batches of an age.
const OLD_CHAINS: &str = "SELECT DISTINCT writer FROM audit_batches WHERE sealed_at <= $1 AND writer > $2 ORDER BY writer LIMIT $3";
/// The last that seems old of a chain's first piece.
const LAST: &str = "SELECT writer, seq, sealed_at, events, body, previous, hash, mac FROM audit_batches \
    WHERE writer = $1 AND seq = (SELECT MAX(seq) FROM \
        (SELECT seq, sealed_at FROM audit_batches WHERE writer = $1 ORDER BY seq LIMIT $3) AS p WHERE sealed_at <= $2)";
const CHAIN: &str = "SELECT writer, head_seq, head_hash, head_mac, pruned_seq, pruned_hash, pruned_mac \
    FROM audit_writers WHERE writer = $1";
/// What was removed is remembered, sealed: the chain goes on from it. Another replica may have been here meanwhile.
const FORGET_UP_TO: &str = "UPDATE audit_writers SET pruned_seq = $2, pruned_hash = $3, pruned_mac = $4 \
    WHERE writer = $1 AND pruned_seq < $2";
const FORGET_BATCHES: &str = "DELETE FROM audit_batches WHERE writer = $1 AND seq <= $2";

const BEGIN: Sql = Sql { sqlite: "BEGIN IMMEDIATE", postgres: "BEGIN" };

/// What came of it.
#[derive(Default)]
pub(super) struct Done {
    /// Batches that were removed.
    pub(super) batches: u64,
    /// Writers whose chains were left as they are, because somebody else changed them.
    pub(super) suspects: BTreeSet<String>,
}

/// One turn with the connection.
#[derive(Default)]
struct Turn {
    done: Done,
    /// The writer to go on after, if there may be more.
    last: Option<String>,
}

impl Store {
    /// Removes batches that were sealed at `until` or before, Unix milliseconds.
    pub(super) async fn prune_chains(&self, until: u64, key: &ChainKey) -> Result<Done, StoreError> {
        let mut all = Done::default();
        let (mut after, mut of_round) = (String::new(), 0);
        for _ in 0..PIECES {
            let mut lease = self.lease().await?;
            let turn = bounded(turn(&mut lease.link, until, &after, key)).await;
            let Turn { done, last } = turn.map_err(|fault| lease.error(fault))?;
            lease.give_back();
            all.batches += done.batches;
            all.suspects.extend(done.suspects);
            of_round += done.batches;
            match last {
                Some(last) => after = last,
                None if of_round == 0 => break,
                None => (after, of_round) = (String::new(), 0),
            }
        }
        Ok(all)
    }
}

/// Removes a piece of each of some chains.
async fn turn(link: &mut Link, until: u64, after: &str, key: &ChainKey) -> Result<Turn, Fault> {
    let begin = BEGIN.of(link);
    let oldest = signed(until)?;
    let mut turn = Turn::default();
    on_link!(link, connection => {
        let query = sqlx::query_scalar(OLD_CHAINS).bind(oldest).bind(after).bind(CHAINS);
        let writers: Vec<String> = query.fetch_all(&mut *connection).await?;
        turn.last = writers.last().filter(|_| writers.len() as i64 == CHAINS).cloned();
        for writer in writers {
            connection.execute(begin).await?;
            let query = sqlx::query_as(LAST).bind(&writer).bind(oldest).bind(PIECE);
            let last: Option<BatchRow> = query.fetch_optional(&mut *connection).await?;
            let query = sqlx::query_as(CHAIN).bind(&writer);
            let chain: Option<ExtentRow> = query.fetch_optional(&mut *connection).await?;
            let Some(last) = last.map(batch).transpose()? else {
                connection.execute("ROLLBACK").await?;
                continue;
            };
            let pruned = chain.map(extent).transpose()?.map(|extent| extent.pruned);
            if !may_go(&last, pruned.as_ref(), until, key) {
                connection.execute("ROLLBACK").await?;
                turn.done.suspects.insert(writer);
                continue;
            }
            let seq = signed(last.seq)?;
            let pruned = Pruned::seal(key, &writer, last.seq, last.hash);
            let forget = sqlx::query(FORGET_UP_TO).bind(&writer).bind(seq);
            let forget = forget.bind(pruned.hash.to_string()).bind(pruned.mac.to_string());
            forget.execute(&mut *connection).await?;
            let delete = sqlx::query(FORGET_BATCHES).bind(&writer).bind(seq).execute(&mut *connection).await?;
            connection.execute("COMMIT").await?;
            turn.done.batches += delete.rows_affected();
        }
    });
    Ok(turn)
}

/// Whether `last`, and all before it, is as old as it seems. `pruned`: what the chain says of what went before, if it is
/// listed.
fn may_go(last: &Batch, pruned: Option<&Pruned>, until: u64, key: &ChainKey) -> bool {
    let is_authentic = last.digest() == last.hash && last.is_keyed(key);
    is_authentic && last.sealed_at <= until && pruned.is_some_and(|pruned| pruned.is_keyed(key, &last.writer))
}
