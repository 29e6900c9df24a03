//! `writ policy explain` of grants, clients and agents: what they open.

use policy::{
    Ceiling, Place, Policy,
    scope::{Example, Opening, opens},
};
use verdict::{Grant, PermitKind, Verdict};

use super::{args::ExplainArgs, load, opens_shown};
use crate::{
    cli::{Done, exit::Failure, output},
    trial::{RequestLine, Trial},
};

/// One grant, and what it opens.
pub(super) struct Asked<'p> {
    pub(super) whose: Whose<'p>,
    pub(super) grant: Grant,
    pub(super) opens: Vec<Opening<'p>>,
}

/// Where a grant comes from.
pub(super) enum Whose<'p> {
    /// The command line; its number, from 1.
    Typed(usize),
    /// A client may request it.
    Client { name: &'p str, ceiling: &'p Ceiling, place: Option<&'p Place> },
}

pub(super) fn run(args: &ExplainArgs) -> Done {
    let (_, policy) = load(&args.places)?;
    let trial = Trial::new(policy.hosts().to_vec()).map_err(|error| Failure::failed(&error))?;
    let asked = asked(args, &policy)?
        .into_iter()
        .map(|(whose, grant)| {
            let mut opens = opens(&policy, &grant);
            for opening in &mut opens {
                opening.example =
                    opening.example.take().filter(|example| is_allowed(&trial, &grant, example));
            }
            Asked { whose, grant, opens }
        })
        .collect::<Vec<_>>();
    let is_open = asked.iter().any(|asked| !asked.opens.is_empty());
    let done = if args.json {
        output::result(&opens_shown::json(&asked).to_string())
    } else {
        output::styled(&opens_shown::lines(&asked).join("\n"))
    };
    done.map_err(|error| Failure::failed(&error))?;
    if is_open { Ok(()) } else { Err(Failure::failed_as_shown()) }
}

fn asked<'p>(args: &ExplainArgs, policy: &'p Policy) -> Result<Vec<(Whose<'p>, Grant)>, Failure> {
    if args.grants.is_given() {
        let text = args.grants.text()?;
        let grants = Grant::parse_list(text.as_bytes())
            .map_err(|error| Failure::failed(&format!("grants: {error}")))?;
        return Ok(grants.into_iter().enumerate().map(|(at, grant)| (Whose::Typed(at + 1), grant)).collect());
    }
    let mut asked = Vec::new();
    for (name, client) in policy.clients() {
        let is_asked = match (&args.client, &args.agent) {
            (Some(wanted), _) => wanted == name,
            (None, Some(agent)) => client.may_name(agent),
            (None, None) => false,
        };
        for (index, ceiling) in client.may_request.iter().enumerate().filter(|_| is_asked) {
            let place = policy.ceiling_place(name, index);
            asked.push((Whose::Client { name, ceiling, place }, ceiling.grant.clone()));
        }
    }
    match (asked.is_empty(), &args.client, &args.agent) {
        (true, Some(client), _) => Err(Failure::failed(&format!("`{client}` is no client of the policy"))),
        (true, None, Some(agent)) => Err(Failure::failed(&format!("no client may hand tokens to `{agent}`"))),
        _ => Ok(asked),
    }
}

/// Whether the verdict allows it: what is shown was tried.
fn is_allowed(trial: &Trial, grant: &Grant, example: &Example) -> bool {
    let Example { method, host, path, headers } = example.clone();
    let line = RequestLine { method, host, path, headers, ..RequestLine::default() };
    // Uses are counted by a server; here is none.
    let unlimited = Grant { limits: None, ..grant.clone() };
    let verdict = trial.judge(&line, Some(&[unlimited]));
    matches!(verdict, Ok(Verdict::Allow(permit)) if permit.kind() == PermitKind::Granted)
}
