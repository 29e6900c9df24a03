//! Signing keys, as all replicas have them.

use std::{fmt, str::FromStr};

use sqlx::Executor as _;

use crate::{
    Store,
    error::{Fault, StoreError},
    link::on_link,
    store::bounded,
};

/// All signing keys, as they were at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SigningKeys {
    /// Raised with every change of them; 0 before the first.
    pub sequence: u64,
    /// In the order in which they were made.
    pub keys: Vec<StoredKey>,
}

/// One signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its id.
    pub kid: String,
    /// As in a token's header.
    pub alg: String,
    /// Base64url of the public half.
    pub public_key: String,
    /// The private half, encrypted; `None` once it can sign no more.
    pub sealed: Option<String>,
    /// What it is good for.
    pub state: KeyState,
    /// When it was made, Unix seconds, as all instants here.
    pub created_at: u64,
    /// When it began to sign.
    pub active_at: Option<u64>,
    /// When it ceased to.
    pub retired_at: Option<u64>,
    /// No token that it signed is valid after this instant; `None` while it signs.
    pub last_exp: Option<u64>,
}

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Known to verifiers, and signs nothing yet.
    Next,
    /// Signs.
    Active,
    /// Signs nothing any more; what it signed is verified.
    Retired,
    /// What it signed is refused.
    Withdrawn,
}

/// One statement, so that all of it is of one instant.
const ALL: &str = "SELECT s.keys, k.kid, k.alg, k.public_key, k.sealed, k.state, k.created_at, k.active_at, \
    k.retired_at, k.last_exp FROM store s LEFT JOIN signing_keys k ON k.kid <> '' ORDER BY k.created_at, k.kid";

/// Succeeds for one replica alone: the others wait for its row, and find keys there.
const BEGIN_KEYS: &str = "UPDATE store SET keys = 1 WHERE id = 1 AND keys = 0";

pub(crate) const INSERT: &str = "INSERT INTO signing_keys \
    (kid, alg, public_key, sealed, state, created_at, active_at, retired_at, last_exp) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The statement that adds a key, in either database.
macro_rules! insert {
    ($key:expr) => {{
        let $crate::keys::StoredKey {
            kid,
            alg,
            public_key,
            sealed,
            state,
            created_at,
            active_at,
            retired_at,
            last_exp,
        } = $key;
        sqlx::query($crate::keys::INSERT)
            .bind(kid.as_str())
            .bind(alg.as_str())
            .bind(public_key.as_str())
            .bind(sealed.as_deref())
            .bind(state.as_str())
            .bind($crate::keys::instant(*created_at))
            .bind(active_at.map($crate::keys::instant))
            .bind(retired_at.map($crate::keys::instant))
            .bind(last_exp.map($crate::keys::instant))
    }};
}
pub(crate) use insert;

type Row = (
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

impl Store {
    /// Reads all signing keys.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn signing_keys(&self) -> Result<SigningKeys, StoreError> {
        let mut lease = self.lease().await?;
        let rows: Result<Vec<Row>, Fault> =
            on_link!(&mut lease.link, link => bounded(sqlx::query_as(ALL).fetch_all(link)).await);
        let keys = rows.and_then(signing_keys).map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(keys)
    }

    /// Puts the first keys into a store that never had one; the answer is whether it was done. Of several replicas that
    /// try at the same time, one does it, and the others are told `false` once it has.
    ///
    /// # Errors
    /// The store cannot be written. Nothing was.
    pub async fn begin_keys(&self, keys: &[StoredKey]) -> Result<bool, StoreError> {
        let mut lease = self.lease().await?;
        let beginning = async {
            on_link!(&mut lease.link, link => {
                link.execute("BEGIN").await?;
                if sqlx::query(BEGIN_KEYS).execute(&mut *link).await?.rows_affected() != 1 {
                    link.execute("ROLLBACK").await?;
                    return Ok(false);
                }
                for key in keys {
                    insert!(key).execute(&mut *link).await?;
                }
                link.execute("COMMIT").await?;
            });
            Ok::<_, Fault>(true)
        };
        let begun = bounded(beginning).await.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(begun)
    }
}

fn signing_keys(rows: Vec<Row>) -> Result<SigningKeys, Fault> {
    let sequence = rows.first().map_or(Ok(0), |row| unsigned(row.0))?;
    let keys = rows.into_iter().filter_map(|row| stored_key(row).transpose());
    Ok(SigningKeys { sequence, keys: keys.collect::<Result<_, _>>()? })
}

/// `None`: the row says only that there are no keys.
fn stored_key(row: Row) -> Result<Option<StoredKey>, Fault> {
    let (_, kid, alg, public_key, sealed, state, created_at, active_at, retired_at, last_exp) = row;
    let (Some(kid), Some(alg), Some(public_key), Some(state), Some(created_at)) =
        (kid, alg, public_key, state, created_at)
    else {
        return Ok(None);
    };
    let state = state.parse().map_err(|UnknownState| Fault::Content(format!("a key of state `{state}`")))?;
    Ok(Some(StoredKey {
        kid,
        alg,
        public_key,
        sealed,
        state,
        created_at: unsigned(created_at)?,
        active_at: active_at.map(unsigned).transpose()?,
        retired_at: retired_at.map(unsigned).transpose()?,
        last_exp: last_exp.map(unsigned).transpose()?,
    }))
}

/// Databases have signed numbers only. Later than they can say is never.
pub(crate) fn instant(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Content(format!("{number} is out of range")))
}

impl KeyState {
    const ALL: [Self; 4] = [Self::Next, Self::Active, Self::Retired, Self::Withdrawn];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that is no state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownState;

impl FromStr for KeyState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

impl fmt::Debug for StoredKey {
    /// Without the private half, encrypted as it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, state, created_at, active_at, retired_at, last_exp, .. } = self;
        let times = (created_at, active_at, retired_at, last_exp);
        formatter
            .debug_struct("StoredKey")
            .field("kid", kid)
            .field("state", state)
            .field("times", &times)
            .finish_non_exhaustive()
    }
}
