//! `writ token exchange`.

use std::path::Path;

use form_urlencoded::Serializer;

use super::{answer, args::ExchangeArgs, presented};
use crate::cli::{Done, exit::Failure, output};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) fn run(args: &ExchangeArgs) -> Done {
    let readers = [
        args.token.file == Path::new("-"),
        args.client.takes_input(),
        args.grants.as_ref().is_some_and(|grants| grants.takes_input()),
    ];
    if readers.into_iter().filter(|reads| *reads).count() > 1 {
        return Err(Failure::failed(&"standard input is either the token, or the secret, or the grants"));
    }
    let (client, authorization) = args.client.find()?;
    let answer = client.post_form("/oauth2/token", authorization, form(args)?);
    output::result(&answer::token(answer, args.json)?).map_err(|error| Failure::failed(&error))
}

fn form(args: &ExchangeArgs) -> Result<String, Failure> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", GRANT_TYPE);
    form.append_pair("subject_token_type", ACCESS_TOKEN);
    form.append_pair("subject_token", &presented::read(&args.token)?);
    form.append_pair("agent", &args.agent);
    if let Some(grants) = &args.grants {
        form.append_pair("authorization_details", &grants.text()?);
    }
    if let Some(time) = args.expires_in {
        form.append_pair("expires_in", &time.as_secs().to_string());
    }
    for (name, value) in [("audience", &args.audience), ("cnf", &args.cnf)] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    Ok(form.finish())
}
