//! `writ keys withdraw`.

use clap::Args;
use serde_json::json;

use crate::cli::{
    Done,
    exit::Failure,
    output,
    remote::{OperatorArgs, segment},
    words::Plain,
};

#[derive(Args, Debug)]
pub(in crate::cli) struct WithdrawArgs {
    /// Id of the key, as `writ keys list` shows it
    // One in sixty-four begins with a hyphen.
    #[arg(allow_hyphen_values = true)]
    kid: String,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    operator: OperatorArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &WithdrawArgs) -> Done {
    let WithdrawArgs { kid, reason, operator, json } = args;
    let body = match reason {
        Some(reason) => json!({ "reason": reason }),
        None => json!({}),
    };
    let path = format!("/v1/keys/{}/withdraw", segment(kid));
    let answer = operator.api()?.post(&path, body.to_string())?;
    let text = if *json {
        answer.to_string()
    } else {
        let done = if answer["changed"] == false { "withdrawn before" } else { "withdrawn" };
        let active = answer["active"].as_str().unwrap_or_default();
        format!("{done}: {}; the key that signs: {}", Plain(kid), Plain(active))
    };
    output::result(&text).map_err(|error| Failure::failed(&error))
}
