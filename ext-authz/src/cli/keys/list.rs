//! `writ keys list`.

use clap::Args;
use serde::Serialize;
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
    keys::ListedKey,
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
    /// `next`, `active`, `retired` or `withdrawn`.
    state: &'static str,
    /// Whether new tokens are signed with it.
    active: bool,
    /// Unix seconds, as all instants here.
    created: u64,
    active_at: Option<u64>,
    retired_at: Option<u64>,
    /// No token that it signed is valid after this instant.
    last_exp: Option<u64>,
}

pub(super) fn run(args: &ListArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    let keys = published_keys(&config)?;
    let listed: Vec<_> = keys.keys().iter().map(Listed::new).collect();
    let done = if args.json {
        output::result(&json!({ "keys": listed }).to_string())
    } else {
        output::styled(&table(&listed))
    };
    done.map_err(|error| Failure::failed(&error))
}

impl Listed {
    fn new(key: &ListedKey) -> Self {
        let ListedKey { public, state, created_at, active_at, retired_at, last_exp } = key;
        Self {
            kid: public.kid().to_owned(),
            alg: public.alg().to_owned(),
            state: state.name(),
            active: *state == KeyState::Active,
            created: *created_at,
            active_at: *active_at,
            retired_at: *retired_at,
            last_exp: *last_exp,
        }
    }
}

fn table(keys: &[Listed]) -> String {
    let now = clock::now().0;
    let row = |key: &Listed| {
        let state = format!("{:<9}", key.state);
        let state = match key.state {
            "active" => paint(GOOD, state),
            "withdrawn" => paint(BAD, state),
            _ => state,
        };
        let made = instant(key.created, now);
        let until = key.last_exp.map(|end| format!(", its tokens expire {}", instant(end, now)));
        format!("{}  {}  {state}  made {made}{}", key.kid, key.alg, until.unwrap_or_default())
    };
    keys.iter().map(row).collect::<Vec<_>>().join("\n")
}
