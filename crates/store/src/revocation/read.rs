//! Revocations, read.

use super::{
    Revocation,
    row::{Row, columns, read},
};
use crate::{
    Head, Level, Store,
    error::{Fault, StoreError},
    head::{self, head},
    link::on_link,
    number::{maybe, signed, unsigned},
    query::Query,
    store::bounded,
};

/// Which revocations. What is `None` is any.
#[derive(Clone, Debug, Default)]
pub struct RevocationFilter {
    /// As what.
    pub level: Option<Level>,
    /// Which.
    pub name: Option<String>,
    /// Only those that stand at `now`, or only the others.
    pub stands: Option<bool>,
    /// Only those after this place.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
    /// Unix seconds.
    pub now: u64,
}

/// What changed since a place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// What counted when they were read. There are more changes if `changes` ends before `head.revocation`.
    pub head: Head,
    /// In their order.
    pub changes: Vec<Change>,
}

/// A revocation or a lifting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place.
    pub seq: u64,
    /// As what.
    pub level: Level,
    /// Which.
    pub name: String,
    /// See [`Revocation::audience`].
    pub audience: Option<String>,
    /// See [`Revocation::expires_at`].
    pub expires_at: Option<u64>,
    /// Whether the revocation was taken back.
    pub is_lifted: bool,
}

type ChangeRow = (i64, String, String, Option<String>, Option<i64>, bool);
type HeadAndChange =
    (i64, i64, i64, i64, i64, Option<i64>, Option<String>, Option<String>, Option<String>, Option<i64>, bool);

/// One statement, so that all of it is of one instant. A revocation that was lifted is two changes.
const CHANGES: &str = "SELECT s.epoch, s.min_iat, s.latest_generation, s.revocation, s.keys, \
    c.seq, c.level, c.name, c.audience, c.expires_at, COALESCE(c.is_lifted, FALSE) FROM store s LEFT JOIN ( \
        SELECT * FROM ( \
            SELECT seq, level, name, audience, expires_at, FALSE AS is_lifted FROM revocations WHERE seq > $1 \
            UNION ALL \
            SELECT lifted_seq, level, name, audience, expires_at, TRUE FROM revocations WHERE lifted_seq > $1 \
        ) AS a ORDER BY seq LIMIT $2 \
    ) AS c ON TRUE ORDER BY c.seq";

const LIVE: &str = "SELECT s.epoch, s.min_iat, s.latest_generation, s.revocation, s.keys, \
    r.seq, r.level, r.name, r.audience, r.expires_at, FALSE \
    FROM store s LEFT JOIN revocations r ON r.lifted_seq IS NULL AND (r.expires_at IS NULL OR r.expires_at > $1) \
    ORDER BY r.seq LIMIT $2";

const LIVE_COUNT: &str =
    "SELECT COUNT(*) FROM revocations WHERE lifted_seq IS NULL AND (expires_at IS NULL OR expires_at > $1)";

impl Store {
    /// Revocations, in their order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn revocations(&self, filter: &RevocationFilter) -> Result<Vec<Revocation>, StoreError> {
        let RevocationFilter { level, name, stands, after, limit, now } = filter.clone();
        let mut query = Query::new(concat!("SELECT ", columns!(""), " FROM revocations"));
        query.number("seq > ?", Some(after));
        query.text("level = ?", level.map(|level| level.name().to_owned()));
        query.text("name = ?", name);
        let now = |wanted| Some(now).filter(|_| stands == Some(wanted));
        query.number("lifted_seq IS NULL AND (expires_at IS NULL OR expires_at > ?)", now(true));
        query.number("(lifted_seq IS NOT NULL OR expires_at <= ?)", now(false));
        self.rows::<Row, _>(query.ending("seq", limit), read).await
    }

    /// What changed after the place `after`, at most `limit` changes.
    ///
    /// Places are given out under a lock that is held until they are committed: whoever has read up to a place will never
    /// see an earlier one appear. Places may be missing in between, where a later change replaced one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn changes(&self, after: u64, limit: u32) -> Result<Changes, StoreError> {
        self.followed(CHANGES, after, limit).await
    }

    /// All revocations that stand at `now`, Unix seconds, in their order, as changes.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn live_revocations(&self, now: u64) -> Result<Changes, StoreError> {
        self.followed(LIVE, now, u32::MAX).await
    }

    /// How many [`Store::live_revocations`] would be.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn count_live_revocations(&self, now: u64) -> Result<u64, StoreError> {
        let mut lease = self.lease().await?;
        let counting = async {
            let now = signed(now)?;
            Ok::<i64, Fault>(on_link!(&mut lease.link, link => {
                sqlx::query_scalar(LIVE_COUNT).bind(now).fetch_one(link).await?
            }))
        };
        let count = bounded(counting).await.and_then(unsigned).map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(count)
    }

    async fn followed(&self, query: &'static str, number: u64, limit: u32) -> Result<Changes, StoreError> {
        let mut lease = self.lease().await?;
        let reading = async {
            let number = signed(number)?;
            Ok::<Vec<HeadAndChange>, Fault>(on_link!(&mut lease.link, link => {
                sqlx::query_as(query).bind(number).bind(i64::from(limit)).fetch_all(link).await?
            }))
        };
        let changes = bounded(reading).await.and_then(changes).map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(changes)
    }
}

fn changes(rows: Vec<HeadAndChange>) -> Result<Changes, Fault> {
    let mut read: Option<Head> = None;
    let mut changes = Vec::new();
    for row in rows {
        let (epoch, min_iat, latest, revocation, keys, seq, level, name, audience, expires_at, is_lifted) =
            row;
        let row: head::Row = (epoch, min_iat, latest, revocation, keys);
        read = Some(head(row)?);
        if let (Some(seq), Some(level), Some(name)) = (seq, level, name) {
            changes.push(change((seq, level, name, audience, expires_at, is_lifted))?);
        }
    }
    let head = read.ok_or_else(|| Fault::Content("its one row is missing".to_owned()))?;
    Ok(Changes { head, changes })
}

fn change((seq, level, name, audience, expires_at, is_lifted): ChangeRow) -> Result<Change, Fault> {
    let level =
        level.parse().map_err(|_| Fault::Content(format!("revocation {seq}: its level is unknown")))?;
    Ok(Change { seq: unsigned(seq)?, level, name, audience, expires_at: maybe(expires_at)?, is_lifted })
}
