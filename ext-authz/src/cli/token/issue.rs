//! `writ token issue`.

use form_urlencoded::Serializer;

use super::{answer, args::IssueArgs};
use crate::cli::{Done, exit::Failure, output};

pub(super) fn run(args: &IssueArgs) -> Done {
    if args.client.takes_input() && args.grants.takes_input() {
        return Err(Failure::failed(&"standard input is either the secret or the grants"));
    }
    let (client, authorization) = args.client.find()?;
    let answer = client.post_form("/oauth2/token", authorization, form(args)?);
    output::result(&answer::token(answer, args.json)?).map_err(|error| Failure::failed(&error))
}

fn form(args: &IssueArgs) -> Result<String, Failure> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    form.append_pair("authorization_details", &args.grants.text()?);
    if let Some(time) = args.expires_in {
        form.append_pair("expires_in", &time.as_secs().to_string());
    }
    let optional = [
        ("audience", &args.audience),
        ("subject", &args.subject),
        ("agent", &args.agent),
        ("cnf", &args.cnf),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    Ok(form.finish())
}
