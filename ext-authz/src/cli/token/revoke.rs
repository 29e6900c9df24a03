//! `writ token revoke`.

use std::path::Path;

use form_urlencoded::Serializer;
use serde_json::json;

use super::{answer, args::RevokeArgs, presented};
use crate::cli::{Done, exit::Failure, output};

pub(super) fn run(args: &RevokeArgs) -> Done {
    if args.client.takes_input() && args.token.file == Path::new("-") {
        return Err(Failure::failed(&"standard input is either the secret or the token"));
    }
    let (client, authorization) = args.client.find()?;
    let form = Serializer::new(String::new()).append_pair("token", &presented::read(&args.token)?).finish();
    answer::accepted(client.post_form("/oauth2/revoke", authorization, form))?;
    let done = if args.json {
        output::result(&json!({"done": true}).to_string())
    } else {
        output::result("done: if the token is one of this client's, it is refused from now on")
    };
    done.map_err(|error| Failure::failed(&error))
}
