//! `writ backup`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use store::{BackedUp, BackupError, Store};

use super::{Done, exit::Failure, output, places::DataPlaces, published::wait};
use crate::{
    config::{Config, resolve},
    files::SECRET,
};

#[derive(Args, Debug)]
pub(super) struct BackupArgs {
    /// File to make; one that is there already is left alone
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    places: DataPlaces,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BackupArgs) -> Done {
    back_up(args).map_err(|failure| failure.shown_as(args.json))
}

fn back_up(args: &BackupArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    let path = &args.file;
    if config.store.path().is_some_and(|store| !store.exists()) {
        return Err(Failure::failed(&format!("there is no store `{}` yet", config.store)));
    }
    let cannot = |error: &io::Error| Failure::failed(&format!("cannot make `{}`: {error}", path.display()));
    // Never over something else, and never open to others, not even for a moment.
    let file = OpenOptions::new().write(true).create_new(true).mode(SECRET).open(path);
    let file = file.map_err(|error| cannot(&error))?;
    let BackedUp { head, rows } = wait(write(&config, file, path))?.map_err(|error| {
        // Half a backup is none. That it stays would be told by restoring it, too.
        let _ = fs::remove_file(path);
        match error {
            BackupError::Write(error) => cannot(&error),
            BackupError::Store(error) => Failure::failed(&error),
        }
    })?;
    let said = if args.json {
        json!({"backup": path, "rows": rows, "epoch": head.epoch, "generation": head.latest}).to_string()
    } else {
        format!("wrote {} rows of `{}` to `{}`", rows, config.store, path.display())
    };
    output::result(&said).map_err(|error| Failure::failed(&error))
}

/// Writes the file until it is on disk.
async fn write(config: &Config, file: File, path: &Path) -> Result<BackedUp, BackupError> {
    let mut out = BufWriter::new(file);
    let done = Store::existing(config.store.clone()).backup(&mut out).await?;
    out.flush()?;
    out.get_ref().sync_all()?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(done)
}
