//! `writ keys list`.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, BAD, GOOD, paint},
        published::published_keys,
        remote::OperatorArgs,
        words::{Plain, instant},
    },
    clock,
    config::resolve,
    keys::KeyView,
};

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    operator: OperatorArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &ListArgs) -> Done {
    let listed = match args.operator.named()? {
        Some(api) => api.get("/v1/keys", &[])?,
        None => of_store(args)?,
    };
    let done = if args.json { output::result(&listed.to_string()) } else { output::styled(&table(&listed)) };
    done.map_err(|error| Failure::failed(&error))
}

fn of_store(args: &ListArgs) -> Result<Value, Failure> {
    let config = resolve(args.operator.places().overrides())?;
    let set = published_keys(&config)?;
    let keys: Vec<_> = set.keys().iter().map(KeyView::new).collect();
    Ok(json!({ "keys": keys }))
}

fn table(listed: &Value) -> String {
    let now = clock::now().0;
    let row = |key: &Value| {
        let text = |member: &str| Plain(key[member].as_str().unwrap_or_default()).to_string();
        let state = format!("{:<9}", text("state"));
        let state = match key["state"].as_str() {
            Some("active") => paint(GOOD, state),
            Some("withdrawn") => paint(BAD, state),
            _ => state,
        };
        let made = key["created"].as_u64().map(|made| format!("made {}", instant(made, now)));
        let ends = key["last_exp"].as_u64().filter(|_| key["state"] == "retired");
        let ends = ends.map(|end| format!(", its last token expires {}", instant(end, now)));
        let (made, ends) = (made.unwrap_or_default(), ends.unwrap_or_default());
        format!("{}  {}  {state}  {made}{ends}", text("kid"), text("alg"))
    };
    listed["keys"].as_array().into_iter().flatten().map(row).collect::<Vec<_>>().join("\n")
}
