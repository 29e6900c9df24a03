//! `writ keys list`.

use clap::Args;
use serde_json::json;
use store::KeyState;

use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, BAD, GOOD, paint},
        places::DataPlaces,
        published::published_keys,
        words::instant,
    },
    clock,
    config::resolve,
    keys::{KeyView, ListedKey},
};

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    places: DataPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &ListArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    let keys = published_keys(&config)?;
    let done = if args.json {
        let keys: Vec<_> = keys.keys().iter().map(KeyView::new).collect();
        output::result(&json!({ "keys": keys }).to_string())
    } else {
        output::styled(&table(keys.keys()))
    };
    done.map_err(|error| Failure::failed(&error))
}

fn table(keys: &[ListedKey]) -> String {
    let now = clock::now().0;
    let row = |key: &ListedKey| {
        let state = format!("{:<9}", key.state.name());
        let state = match key.state {
            KeyState::Active => paint(GOOD, state),
            KeyState::Withdrawn => paint(BAD, state),
            KeyState::Next | KeyState::Retired => state,
        };
        let made = instant(key.created_at, now);
        let until = key.last_exp.filter(|_| key.state == KeyState::Retired);
        let until = until.map(|end| format!(", its last token expires {}", instant(end, now)));
        let (kid, alg) = (key.public.kid(), key.public.alg());
        format!("{kid}  {alg}  {state}  made {made}{}", until.unwrap_or_default())
    };
    keys.iter().map(row).collect::<Vec<_>>().join("\n")
}
