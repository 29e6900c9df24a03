//! `writ migrate`.

use clap::Args;
use serde_json::json;
use store::{Migrated, Store};

use super::{Done, exit::Failure, output, places::DataPlaces, published::wait};
use crate::config::resolve;

#[derive(Args, Debug)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    places: DataPlaces,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &MigrateArgs) -> Done {
    migrate(args).map_err(|failure| failure.shown_as(args.json))
}

fn migrate(args: &MigrateArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    if config.store.path().is_some_and(|store| !store.exists()) {
        return Err(Failure::failed(&format!(
            "there is no store `{}` yet: `writ serve` makes one",
            config.store
        )));
    }
    let migrated = wait(Store::migrate(config.store.clone()))?.map_err(|error| Failure::failed(&error))?;
    let (_, Migrated { from, to }) = migrated;
    let store = config.store.to_string();
    let said = if args.json {
        json!({"store": store, "from": from, "to": to}).to_string()
    } else if from == to {
        format!("the schema of `{store}` is version {to} already")
    } else {
        format!("brought the schema of `{store}` from version {from} to {to}")
    };
    output::result(&said).map_err(|error| Failure::failed(&error))
}
