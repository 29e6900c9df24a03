//! Certificates are short-lived, and servers are not.

use std::{sync::Arc, time::Duration};

use tokio::{
    task,
    time::{MissedTickBehavior, interval},
};

use super::{Material, Tls, TlsError};
use crate::{config::TlsFiles, listen::Shutdown};

/// How often the files are read. They are small, and their content tells of a change however it was made.
const INTERVAL: Duration = Duration::from_secs(2);

/// Takes up new certificates.
pub struct Renewal {
    tls: Tls,
    files: TlsFiles,
    /// What the last look found and understood, or what was wrong with it.
    seen: Result<Material, String>,
}

impl Renewal {
    pub(super) fn new(tls: Tls, files: TlsFiles, material: Material) -> Self {
        Self { tls, files, seen: Ok(material) }
    }

    /// Looks at the files from time to time, until it is time to stop.
    pub async fn run(mut self, mut shutdown: Shutdown) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                _ = ticks.tick() => {}
            }
            // Files may be on a disk that is slow or gone.
            let looked = task::spawn_blocking(move || {
                self.look();
                self
            });
            match looked.await {
                Ok(renewal) => self = renewal,
                Err(error) => return tracing::error!(%error, "certificates are not read again"),
            }
        }
    }

    /// A bad pair changes nothing: it may be half of a change, or a mistake. Each is logged once.
    fn look(&mut self) {
        let found = match Material::read(&self.files) {
            Ok(found) if self.seen.as_ref().is_ok_and(|seen| *seen == found) => return,
            Ok(found) => self.apply(&found).map(|()| found),
            Err(error) => Err(error),
        };
        let found = found.map_err(|error| error.to_string());
        match (&found, &self.seen) {
            (Ok(_), _) => tracing::info!("took up new certificates"),
            (Err(error), Err(seen)) if error == seen => {}
            (Err(error), _) => tracing::error!(error, "certificates rejected: the last good ones go on"),
        }
        self.seen = found;
    }

    fn apply(&self, found: &Material) -> Result<(), TlsError> {
        let (http, grpc) = found.server_configs(&self.files)?;
        self.tls.http.store(Arc::new(http));
        self.tls.grpc.store(Arc::new(grpc));
        Ok(())
    }
}
