//! `writ revoke` and `writ revocations`: what is refused wherever it is presented.

mod args;
mod list;

use serde_json::{Value, json};

use self::args::Level;
pub(super) use self::args::{RevocationsArgs, RevokeArgs};
use super::{
    Done,
    exit::Failure,
    output,
    words::{Plain, date},
};

pub(super) fn run(args: &RevokeArgs) -> Done {
    revoke(args).map_err(|failure| failure.shown_as(args.json))
}

pub(super) fn list(args: &RevocationsArgs) -> Done {
    list::run(args).map_err(|failure| failure.shown_as(args.json))
}

fn revoke(args: &RevokeArgs) -> Done {
    let RevokeArgs { level, name, reason, lift, operator, json } = args;
    if *level == Level::Key {
        return Err(Failure::usage(&"keys are withdrawn by `writ keys withdraw`"));
    }
    let api = operator.api()?;
    let answer = if *lift {
        api.post("/v1/revocations/lift", json!({"level": level.name(), "name": name}).to_string())?
    } else {
        let mut body = json!({"level": level.name(), "name": name});
        if let Some(reason) = reason {
            body["reason"] = reason.as_str().into();
        }
        api.post("/v1/revocations", body.to_string())?
    };
    let text = if *json { answer.to_string() } else { words(args, &answer) };
    output::result(&text).map_err(|error| Failure::failed(&error))?;
    if let Some(doubt) = doubt(*level, &answer) {
        output::note(doubt);
    }
    Ok(())
}

/// What was revoked may be mistyped.
fn doubt(level: Level, answer: &Value) -> Option<&'static str> {
    match (answer.get("known")?, level) {
        (Value::Bool(false), _) => {
            Some("nothing here goes by this name: if it is mistyped, what was meant is not revoked")
        }
        (Value::Null, Level::Agent) => Some(
            "no task's first token is held by this agent; the policy lets it hold tokens, and it may hold delegated ones: \
             if it is mistyped, what was meant is not revoked",
        ),
        _ => None,
    }
}

fn words(args: &RevokeArgs, answer: &Value) -> String {
    let what = format!("{} {}", args.level.name(), Plain(&args.name));
    if args.lift {
        return if answer["lifted"] == false {
            format!("{what} was not revoked")
        } else {
            format!("lifted: {what}")
        };
    }
    if answer["is_new"] == false {
        return format!("revoked before: {what}");
    }
    match answer["revocation"]["expires_at"].as_u64() {
        Some(expires_at) => {
            format!("revoked: {what}; all that it can refuse has expired by {}", date(expires_at))
        }
        None => format!("revoked until it is lifted: {what}"),
    }
}
