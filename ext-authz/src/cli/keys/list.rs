//! `writ keys list`.

use std::{fs, path::Path, time::UNIX_EPOCH};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, GOOD, paint},
        places::DataPlaces,
        words::instant,
    },
    clock,
    config::resolve,
    keys::KeyRing,
    server::ServerError,
};

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    places: DataPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Listed {
    kid: String,
    alg: String,
    /// Whether new tokens are signed with it.
    active: bool,
    /// Unix seconds; `None` where the file system does not know.
    created: Option<u64>,
}

pub(super) fn run(args: &ListArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    let directory = config.keys_dir;
    let keys = KeyRing::open(&directory).map_err(ServerError::from)?;
    let active = keys.active().public().kid();
    let listed = keys.public().map(|key| {
        let document = key.to_document();
        Listed {
            active: key.kid() == active,
            created: written(&directory, key.kid()),
            kid: document.kid,
            alg: document.alg,
        }
    });
    let listed: Vec<_> = listed.collect();
    let done = if args.json {
        output::result(&json!({ "keys": listed }).to_string())
    } else {
        output::styled(&table(&listed))
    };
    done.map_err(|error| Failure::failed(&error))
}

/// A key's file is written once, when the key is made or installed.
fn written(directory: &Path, kid: &str) -> Option<u64> {
    let modified =
        fs::metadata(directory.join(format!("{kid}.pem"))).and_then(|file| file.modified()).ok()?;
    Some(modified.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn table(keys: &[Listed]) -> String {
    let now = clock::now().0;
    let row = |key: &Listed| {
        let use_ = if key.active { paint(GOOD, "signs    ") } else { "verifies ".to_owned() };
        let created = key.created.map_or_else(|| "unknown".to_owned(), |created| instant(created, now));
        format!("{}  {}  {use_} made {created}", key.kid, key.alg)
    };
    keys.iter().map(row).collect::<Vec<_>>().join("\n")
}
