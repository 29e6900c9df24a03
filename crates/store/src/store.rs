//! The store itself: where it is, and its one connection.

use std::{fmt, future::Future, time::Duration};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};

use crate::{
    error::{Fault, StoreError},
    link::{self, Link},
    location::StoreLocation,
    schema,
};

/// Longest that a call waits for the database to connect, and for each of its steps.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// An open store. Its calls take turns on one connection: nothing that a request waits for is among them.
pub struct Store {
    location: StoreLocation,
    /// `None` after a failure: the next call connects.
    link: Mutex<Option<Link>>,
}

/// Versions of the schema: which there was, 0 for none, and which there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see above")]
pub struct Migrated {
    pub from: i64,
    pub to: i64,
}

impl Store {
    /// Connects, makes a SQLite file that is not there, and brings the schema up to date.
    ///
    /// # Errors
    /// The database cannot be reached, or a newer version of this program has been there.
    pub async fn open(location: StoreLocation) -> Result<Self, StoreError> {
        Self::migrate(location).await.map(|(store, _)| store)
    }

    /// As [`Store::open`], and says what was brought up to date.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn migrate(location: StoreLocation) -> Result<(Self, Migrated), StoreError> {
        let opening = async {
            if let Some(path) = location.path() {
                link::create_file(path)?;
            }
            let mut link = Link::connect(&location).await?;
            let from = schema::migrate(&mut link).await?;
            Ok::<_, Fault>((link, Migrated { from, to: schema::KNOWN }))
        };
        match bounded(opening).await {
            Ok((link, migrated)) => Ok((Self { location, link: Mutex::new(Some(link)) }, migrated)),
            Err(fault) => Err(StoreError::new(location.to_string(), fault)),
        }
    }

    /// A store that is made already, for a look at it: the first call connects, and changes nothing.
    #[must_use]
    pub fn existing(location: StoreLocation) -> Self {
        Self { location, link: Mutex::new(None) }
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &StoreLocation {
        &self.location
    }

    /// The connection, for one call. Others are waited for as long as the database itself would be.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        // Whoever is in front may take long, and so may many of them.
        let waiting = async { Ok::<_, Fault>(self.link.lock().await) };
        let mut slot = bounded(waiting).await.map_err(|fault| self.error(fault))?;
        // A server that the other end has forgotten, or a file that was replaced, is no longer the store.
        let link = match slot.take().filter(|link| link.leads_to(&self.location)) {
            Some(link) => link,
            None => bounded(self.connect()).await.map_err(|fault| self.error(fault))?,
        };
        Ok(Lease { store: self, slot, link })
    }

    /// Another connection to the same database. The caller bounds how long it takes.
    pub(crate) async fn connect(&self) -> Result<Link, Fault> {
        let mut link = Link::connect(&self.location).await?;
        schema::check(&mut link).await?;
        Ok(link)
    }

    pub(crate) fn error(&self, fault: impl Into<Fault>) -> StoreError {
        StoreError::new(self.location.to_string(), fault.into())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("location", &self.location).finish_non_exhaustive()
    }
}

/// A connection in use. It is closed when this is dropped, unless it is given back: after a failure, or half way
/// through a transaction, nobody may go on with it.
pub(crate) struct Lease<'s> {
    store: &'s Store,
    slot: MutexGuard<'s, Option<Link>>,
    pub(crate) link: Link,
}

impl Lease<'_> {
    /// To be used again: nothing is left open.
    pub(crate) fn give_back(mut self) {
        *self.slot = Some(self.link);
    }

    /// Names the store in an error.
    pub(crate) fn error(&self, fault: impl Into<Fault>) -> StoreError {
        self.store.error(fault)
    }
}

/// One step, with an end. A database that hangs is as good as none.
pub(crate) async fn bounded<T, E: Into<Fault>>(step: impl Future<Output = Result<T, E>>) -> Result<T, Fault> {
    match timeout(PATIENCE, step).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(Fault::TimedOut(PATIENCE)),
    }
}
