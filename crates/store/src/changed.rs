//! Hints that something was committed.

use std::fmt;

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::{StoreError, StoreLocation, error::Fault, location::Place, store::bounded};

/// Tells when revocations or keys were changed by any replica. A hint: what it does not tell of is found by reading.
pub struct Changed {
    listener: PgListener,
    location: StoreLocation,
}

impl Changed {
    /// Listens. `None` of SQLite, where nobody tells: replicas of one file read it from time to time.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn listen(location: &StoreLocation) -> Result<Option<Self>, StoreError> {
        let Place::Server(options) = &location.0 else { return Ok(None) };
        let listening = async {
            let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
            let pool = pool.connect_lazy_with(options.as_ref().clone());
            let mut listener =
                PgListener::connect_with(&pool).await.map_err(|error| Fault::of_connecting(&error))?;
            listener.listen("writ").await?;
            Ok::<_, Fault>(listener)
        };
        let listener = bounded(listening).await.map_err(|fault| fault.at(location))?;
        Ok(Some(Self { listener, location: location.clone() }))
    }

    /// Waits for the next hint. Several may be told as one. Can be dropped at any time.
    ///
    /// # Errors
    /// The connection broke: something may have been missed, and nothing more will be told.
    pub async fn wait(&mut self) -> Result<(), StoreError> {
        match self.listener.try_recv().await {
            Ok(Some(_)) => {
                while self.listener.next_buffered().is_some() {}
                Ok(())
            }
            Ok(None) => Err(Fault::Unreachable("the connection broke".to_owned()).at(&self.location)),
            Err(error) => Err(Fault::of(&error).at(&self.location)),
        }
    }
}

impl fmt::Debug for Changed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Changed").field("location", &self.location).finish_non_exhaustive()
    }
}
