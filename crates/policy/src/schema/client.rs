//! `clients.<name>`.

use super::{CeilingSource, NAME, delegation::agents, is_name};
use crate::{
    authenticate::Authenticate,
    pattern::AgentPattern,
    policy::Delegation,
    report::{Report, Reported},
    yaml::{Field, Mapping, Named, Value},
};

/// A client as one file defines it.
pub(crate) struct ClientSource<'n> {
    /// Its name and the place of its name.
    pub(crate) named: Named<'n>,
    pub(crate) authenticate: Vec<Authenticate>,
    pub(crate) agents: Vec<AgentPattern>,
    pub(crate) may_request: Vec<CeilingSource<'n>>,
    pub(crate) may_delegate: Vec<Delegation>,
}

impl<'n> ClientSource<'n> {
    pub(super) fn read(named: Named<'n>, report: &mut Report) -> Result<Self, Reported> {
        let name = if is_name(named.name) { Ok(()) } else { Err(named.refuse(NAME, report)) };
        let mut client = Mapping::of(&named.field, report)?;
        let authenticate =
            client.required("authenticate", report).and_then(|field| authenticate(&field, report));
        let agents = client.optional("agents").map(|field| agents(&field, report));
        let may_request = client.required("may_request", report).and_then(|field| ceilings(&field, report));
        let may_delegate = client.optional("may_delegate").map(|field| delegations(&field, report));
        client.finish(report)?;
        name?;
        Ok(Self {
            named,
            authenticate: authenticate?,
            agents: agents.transpose()?.unwrap_or_default(),
            may_request: may_request?,
            may_delegate: may_delegate.transpose()?.unwrap_or_default(),
        })
    }
}

fn ceilings<'n>(field: &Field<'n>, report: &mut Report) -> Result<Vec<CeilingSource<'n>>, Reported> {
    let items = field.items(report)?;
    let ceilings: Vec<_> = items.iter().map(|item| CeilingSource::read(item, report)).collect();
    ceilings.into_iter().collect()
}

fn delegations(field: &Field<'_>, report: &mut Report) -> Result<Vec<Delegation>, Reported> {
    let items = field.items(report)?;
    let delegations: Vec<_> = items.iter().map(|item| Delegation::read(item, report)).collect();
    delegations.into_iter().collect()
}

/// One way, or a list of ways of which any one does: a secret is changed by having both for a while.
fn authenticate(field: &Field<'_>, report: &mut Report) -> Result<Vec<Authenticate>, Reported> {
    if !matches!(field.value(), Value::Sequence(_)) {
        return way(field, report).map(|way| vec![way]);
    }
    let ways: Vec<_> = field.items(report)?.iter().map(|item| way(item, report)).collect();
    ways.into_iter().collect()
}

fn way(field: &Field<'_>, report: &mut Report) -> Result<Authenticate, Reported> {
    let mut way = Mapping::of(field, report)?;
    let generated = way.optional("generated").map(|field| generated(&field, report));
    let sha256 = way.optional("secret_sha256").map(|field| hash(&field, Authenticate::sha256, report));
    let argon2id = way.optional("secret_argon2").map(|field| hash(&field, Authenticate::argon2id, report));
    let unsupported = way.unsupported(&["jwks", "federated", "spiffe"], report);
    way.finish(report).and(unsupported)?;
    let mut ways = [generated, sha256, argon2id].into_iter().flatten();
    match (ways.next(), ways.next()) {
        (Some(way), None) => way,
        _ => Err(report.at(field, "must be exactly one of `generated`, `secret_sha256`, `secret_argon2`")),
    }
}

fn generated(field: &Field<'_>, report: &mut Report) -> Result<Authenticate, Reported> {
    if field.boolean(report)? {
        Ok(Authenticate::Generated)
    } else {
        Err(report.at(field, "must be `true`, or the member left out"))
    }
}

fn hash<E: std::fmt::Display>(
    field: &Field<'_>,
    parse: impl Fn(&str) -> Result<Authenticate, E>,
    report: &mut Report,
) -> Result<Authenticate, Reported> {
    // Unlike elsewhere the error does not repeat the text: it may be the secret itself, put here by mistake.
    parse(field.text(report)?).map_err(|error| report.at(field, error.to_string()))
}
