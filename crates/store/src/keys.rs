//! Signing keys, as they are kept: what they mean is the server's business.

use serde::Serialize;
use sqlx::Executor as _;

use crate::{
    Head, Store,
    error::{Fault, StoreError},
    ledger::{PUT_KEYS, json},
    link::on_link,
    number::{maybe, signed, unsigned},
    query::Query,
    store::bounded,
};

/// A signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name in tokens.
    pub kid: String,
    /// Its algorithm.
    pub alg: String,
    /// Base64url of the public key.
    pub public_key: String,
    /// The private key, encrypted; `None` once it can sign no more.
    pub sealed: Option<String>,
    /// What it is for.
    pub state: KeyState,
    /// Unix seconds, as all instants here.
    pub created_at: u64,
    /// When it began to sign.
    pub active_at: Option<u64>,
    /// When it ended to.
    pub retired_at: Option<u64>,
    /// No token that it signed is valid after this instant; `None` while it signs.
    pub last_exp: Option<u64>,
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// It is published, and will sign.
    Next,
    /// It signs.
    Active,
    /// It verifies what it signed.
    Retired,
    /// What it signed is refused.
    Withdrawn,
}

/// The signing keys and what counted when they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Read before the keys: if its sequence is that of a later read, the keys are those of that sequence.
    pub head: Head,
    /// By age.
    pub keys: Vec<SigningKey>,
}

impl KeyState {
    /// Its name, as it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Next, Self::Active, Self::Retired, Self::Withdrawn];
        all.into_iter().find(|state| state.name() == text)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not even the encrypted form: logs are kept elsewhere, and longer.
        let Self { kid, state, .. } = self;
        formatter.debug_struct("SigningKey").field("kid", kid).field("state", state).finish_non_exhaustive()
    }
}

const KEYS: &str = "SELECT kid, alg, public_key, sealed, state, created_at, active_at, retired_at, last_exp \
    FROM signing_keys";

/// Succeeds for one replica alone: the others wait for its row, and find keys there.
const BEGIN_KEYS: &str = "UPDATE store SET keys = 1 WHERE id = 1 AND keys = 0";

type Row = (String, String, String, Option<String>, String, i64, Option<i64>, Option<i64>, Option<i64>);

impl Store {
    /// The signing keys.
    ///
    /// # Errors
    /// The store cannot be read, or the keys changed again and again while it was.
    pub async fn keys(&self) -> Result<Keys, StoreError> {
        const ATTEMPTS: usize = 8;
        for _ in 0..ATTEMPTS {
            let head = self.head().await?;
            let keys = self.rows(Query::new(KEYS).ending("created_at, kid", u32::MAX), read).await?;
            if self.head().await?.keys == head.keys {
                return Ok(Keys { head, keys });
            }
        }
        Err(self.error(Fault::Failed("the keys changed while they were read".to_owned())))
    }

    /// Puts the first keys into a store that never had one; the answer is whether it was done. Of several replicas that
    /// try at the same time, one does it, and the others are told `false` once it has.
    ///
    /// # Errors
    /// The store cannot be written. Nothing was.
    pub async fn begin_keys(&self, keys: &[SigningKey]) -> Result<bool, StoreError> {
        let mut lease = self.lease().await?;
        let beginning = async {
            let rows = json(&keys.iter().map(NewRow::new).collect::<Result<Vec<_>, _>>()?)?;
            let put = PUT_KEYS.of(&lease.link);
            on_link!(&mut lease.link, link => {
                link.execute("BEGIN").await?;
                if sqlx::query(BEGIN_KEYS).execute(&mut *link).await?.rows_affected() != 1 {
                    link.execute("ROLLBACK").await?;
                    return Ok(false);
                }
                sqlx::query(put).bind(rows).execute(&mut *link).await?;
                link.execute("COMMIT").await?;
            });
            Ok::<_, Fault>(true)
        };
        let begun = bounded(beginning).await.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(begun)
    }
}

fn read(row: Row) -> Result<SigningKey, Fault> {
    let (kid, alg, public_key, sealed, state, created_at, active_at, retired_at, last_exp) = row;
    let state = KeyState::parse(&state)
        .ok_or_else(|| Fault::Content(format!("key `{kid}`: its state is unknown")))?;
    Ok(SigningKey {
        kid,
        alg,
        public_key,
        sealed,
        state,
        created_at: unsigned(created_at)?,
        active_at: maybe(active_at)?,
        retired_at: maybe(retired_at)?,
        last_exp: maybe(last_exp)?,
    })
}

/// A new row, as JSON that the database takes apart.
#[derive(Serialize)]
pub(crate) struct NewRow<'k> {
    kid: &'k str,
    alg: &'k str,
    public_key: &'k str,
    sealed: Option<&'k str>,
    state: &'static str,
    created_at: i64,
    active_at: Option<i64>,
    retired_at: Option<i64>,
    last_exp: Option<i64>,
}

impl<'k> NewRow<'k> {
    pub(crate) fn new(key: &'k SigningKey) -> Result<Self, Fault> {
        let maybe = |instant: Option<u64>| instant.map(signed).transpose();
        Ok(Self {
            kid: &key.kid,
            alg: &key.alg,
            public_key: &key.public_key,
            sealed: key.sealed.as_deref(),
            state: key.state.name(),
            created_at: signed(key.created_at)?,
            active_at: maybe(key.active_at)?,
            retired_at: maybe(key.retired_at)?,
            last_exp: maybe(key.last_exp)?,
        })
    }
}
