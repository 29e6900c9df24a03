//! `writ keys rotate`.

use clap::Args;

use crate::cli::{Done, exit::Failure, output, remote::OperatorArgs, words::Plain};

#[derive(Args, Debug)]
pub(in crate::cli) struct RotateArgs {
    #[command(flatten)]
    operator: OperatorArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &RotateArgs) -> Done {
    let answer = args.operator.api()?.post("/v1/keys/rotate", "{}".to_owned())?;
    let text = if args.json {
        answer.to_string()
    } else {
        let next = answer["next"].as_str().unwrap_or_default();
        format!("next key: {}; it signs once all data planes hold it", Plain(next))
    };
    output::result(&text).map_err(|error| Failure::failed(&error))
}
