//! `writ restore`.

use std::{error::Error, fs::File, io::BufReader, path::PathBuf, sync::Arc, time::Duration};

use ::audit::{Event, Lines};
use clap::Args;
use serde_json::json;
use store::{Ledger, Restore, RestoreError, Restored, Store, Write};
use tokio::time::{sleep, timeout};

use super::{Done, exit::Failure, output, places::DataPlaces, published::wait};
use crate::{
    audit::AuditLog,
    clock,
    config::{Config, resolve},
    files,
    keys::{KeyError, Keys, TrialKey},
    server::{self, ServerError},
};

#[derive(Args, Debug)]
pub(super) struct RestoreArgs {
    /// What `writ backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    places: DataPlaces,
    /// Also in the place of what the store holds
    #[arg(long)]
    force: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RestoreArgs) -> Done {
    restore(args).map_err(|failure| failure.shown_as(args.json))
}

fn restore(args: &RestoreArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    let path = args.file.display();
    let file =
        File::open(&args.file).map_err(|error| Failure::failed(&format!("cannot read `{path}`: {error}")))?;
    files::make_private_directory(&config.data_dir).map_err(|error| Failure::failed(&error))?;
    // No server of this directory starts meanwhile, and none runs.
    let _lock = server::lock(&config.data_dir)?;
    // A store in whose place came what nobody can decrypt would be lost.
    let key =
        wait(TrialKey::open(&config.key_encryption))?.map_err(KeyError::from).map_err(ServerError::from)?;
    let how = Restore { now: clock::now().0, force: args.force };
    let restored = wait(fill(&config, file, how, key))?.map_err(|error| match error {
        error @ RestoreError::Unusable(_) => Failure::bad_configuration(&error),
        RestoreError::NotEmpty(_) => {
            Failure::failed(&format!("{error}; say `--force` if that is what you want"))
        }
        error => Failure::failed(&error),
    })?;
    let Restored { head, backup_epoch, rows, ended_tasks } = restored;
    wait(record(&config, head.epoch))?.map_err(|reason| {
        let done = format!("the backup was restored as epoch {}", head.epoch);
        Failure::failed(&format!("{done}, but this cannot be recorded in the audit log: {reason}"))
    })?;
    wait(pass(head.min_iat))?;
    let said = if args.json {
        let answer = json!({
            "store": config.store.to_string(), "rows": rows, "epoch": head.epoch, "backup_epoch": backup_epoch,
            "min_iat": head.min_iat, "ended_tasks": ended_tasks,
        });
        answer.to_string()
    } else {
        [
            format!("restored {rows} rows of `{path}` to `{}` as epoch {}", config.store, head.epoch),
            format!("no token from before passes; {ended_tasks} tasks that were active have ended"),
            "what was revoked after the backup was made has to be revoked again, unless this store held it"
                .to_owned(),
        ]
        .join("\n")
    };
    output::result(&said).map_err(|error| Failure::failed(&error))
}

async fn fill(config: &Config, file: File, how: Restore, key: TrialKey) -> Result<Restored, RestoreError> {
    let store = Store::open(config.store.clone()).await?;
    store.restore(&mut BufReader::new(file), how, |secrets| key.check(secrets)).await
}

/// Waits until tokens that are issued from now on pass: not for long, unless the clock was set back.
async fn pass(min_iat: u64) {
    const LONGEST: Duration = Duration::from_secs(2);
    let passed = async {
        while clock::now().0 < min_iat {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = timeout(LONGEST, passed).await;
}

/// Records it, with the audit key and the new signing keys that a first start would make.
async fn record(config: &Config, epoch: u64) -> Result<(), Box<dyn Error>> {
    let store = Store::open(config.store.clone()).await?;
    let keys = Keys::open(config, Arc::new(store)).await?;
    let audit = AuditLog::begin(keys.secrets().audit_key().clone());
    let (ledger, writing) = Ledger::open(config.store.clone(), audit.chain()).await?;
    let event = Lines::of(&Event::restored(clock::now_millis().0, &audit.node, epoch));
    let (written, ()) = tokio::join!(
        async {
            let written = ledger.write(Write::Note, event).await;
            ledger.close();
            written
        },
        writing
    );
    Ok(written.map(|_| ())?)
}
