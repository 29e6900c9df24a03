//! Generations of the policy.

use sqlx::Executor as _;

use crate::{
    Head, Store,
    error::{Fault, PublishError, StoreError},
    head::{PolicyHead, head},
    link::on_link,
    number::{signed, unsigned},
    store::bounded,
};

/// Generations whose files are kept.
const SOURCES_KEPT: i64 = 100;
/// Generations that are remembered at all, by their digests: what is forgotten here is a new policy if it comes again.
const GENERATIONS_KEPT: i64 = 10_000;

/// All that a replica follows, as it was at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Epoch, and what is latest.
    pub head: Head,
    /// The latest generation; `None` before the first.
    pub policy: Option<Generation>,
}

/// A published policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its place in the order. Never 0.
    pub number: u64,
    /// Names what was compiled.
    pub digest: String,
    /// Names what the directory held that it was compiled from.
    pub directory_digest: String,
    /// What was compiled, in the publisher's form.
    pub sources: String,
    /// Unix seconds.
    pub published_at: u64,
}

/// A policy to be published.
#[derive(Clone, Copy, Debug)]
pub struct NewGeneration<'p> {
    /// Its place in the order: higher than every one before.
    pub number: u64,
    /// See [`Generation::digest`].
    pub digest: &'p str,
    /// See [`Generation::directory_digest`].
    pub directory_digest: &'p str,
    /// See [`Generation::sources`].
    pub sources: &'p str,
    /// Unix seconds.
    pub published_at: u64,
    /// Who, for operators to read.
    pub published_by: &'p str,
}

/// One statement, so that all of it is of one instant.
const CONTENTS: &str = "SELECT s.epoch, s.min_iat, s.latest_generation, s.revocation, s.keys, \
    g.digest, g.directory_digest, g.sources, g.published_at \
    FROM store s LEFT JOIN policy_generations g ON g.generation = s.latest_generation";

const KNOWN: &str =
    "SELECT MAX(generation) FROM policy_generations WHERE digest = $1 OR directory_digest = $1";

/// Succeeds for one replica alone: the others wait for its row, and find another latest generation there.
const ADVANCE: &str = "UPDATE store SET latest_generation = $1 \
    WHERE id = 1 AND latest_generation = $2 AND epoch = $3 AND min_iat = $4";

const INSERT: &str = "INSERT INTO policy_generations \
    (generation, digest, directory_digest, sources, published_at, published_by) VALUES ($1, $2, $3, $4, $5, $6)";

const FORGET_SOURCES: &str = "UPDATE policy_generations SET sources = NULL WHERE sources IS NOT NULL \
    AND generation <= (SELECT generation FROM policy_generations ORDER BY generation DESC LIMIT 1 OFFSET $1)";

const FORGET: &str = "DELETE FROM policy_generations \
    WHERE generation <= (SELECT generation FROM policy_generations ORDER BY generation DESC LIMIT 1 OFFSET $1)";

type ContentsRow = (i64, i64, i64, i64, i64, Option<String>, Option<String>, Option<String>, Option<i64>);

impl Store {
    /// Reads what is latest, the policy included.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn contents(&self) -> Result<Contents, StoreError> {
        let mut lease = self.lease().await?;
        let row: Result<ContentsRow, Fault> =
            on_link!(&mut lease.link, link => bounded(sqlx::query_as(CONTENTS).fetch_one(link)).await);
        let contents = row.and_then(contents).map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(contents)
    }

    /// The latest generation that was compiled from what `digest` names, or whose directory held that.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn known(&self, digest: &str) -> Result<Option<u64>, StoreError> {
        let mut lease = self.lease().await?;
        let row: Result<Option<i64>, Fault> = on_link!(&mut lease.link, link => {
            bounded(sqlx::query_scalar(KNOWN).bind(digest).fetch_one(link)).await
        });
        let number =
            row.and_then(|number| number.map(unsigned).transpose()).map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(number)
    }

    /// Publishes `generation` in succession to what `head` says, and forgets the oldest ones.
    ///
    /// # Errors
    /// [`PublishError::Lost`] if the store says something else by now: another generation, or another epoch. Nothing
    /// was written in any case.
    pub async fn publish(&self, head: Head, generation: NewGeneration<'_>) -> Result<(), PublishError> {
        let NewGeneration { number, digest, directory_digest, sources, published_at, published_by } =
            generation;
        let mut lease = self.lease().await?;
        let publishing = async {
            let PolicyHead { epoch, min_iat, latest } = head.policy();
            let [number, latest, published_at] = [signed(number)?, signed(latest)?, signed(published_at)?];
            let [epoch, min_iat] = [signed(epoch)?, signed(min_iat)?];
            if number <= latest {
                return Err(Fault::Failed(format!("generation {number} does not follow {latest}")));
            }
            on_link!(&mut lease.link, link => {
                link.execute("BEGIN").await?;
                let advance = sqlx::query(ADVANCE).bind(number).bind(latest).bind(epoch).bind(min_iat);
                let advanced = advance.execute(&mut *link).await?;
                if advanced.rows_affected() != 1 {
                    link.execute("ROLLBACK").await?;
                    return Ok(false);
                }
                let insert = sqlx::query(INSERT).bind(number).bind(digest).bind(directory_digest);
                insert.bind(sources).bind(published_at).bind(published_by).execute(&mut *link).await?;
                sqlx::query(FORGET_SOURCES).bind(SOURCES_KEPT).execute(&mut *link).await?;
                sqlx::query(FORGET).bind(GENERATIONS_KEPT).execute(&mut *link).await?;
                link.execute("COMMIT").await?;
            });
            Ok(true)
        };
        let published = bounded(publishing).await.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        if published { Ok(()) } else { Err(PublishError::Lost) }
    }
}

fn contents(row: ContentsRow) -> Result<Contents, Fault> {
    let (epoch, min_iat, latest, revocation, keys, digest, directory_digest, sources, published_at) = row;
    let head = head((epoch, min_iat, latest, revocation, keys))?;
    let policy = match (head.latest, digest, directory_digest, sources, published_at) {
        (0, ..) => None,
        (number, Some(digest), Some(directory_digest), Some(sources), Some(published_at)) => {
            let published_at = unsigned(published_at)?;
            Some(Generation { number, digest, directory_digest, sources, published_at })
        }
        (number, ..) => {
            return Err(Fault::Content(format!("generation {number} is the latest and is not there")));
        }
    };
    Ok(Contents { head, policy })
}
