//! `clients.<name>.may_delegate[n]`.

use std::collections::BTreeSet;

use super::{NAME, each, is_name};
use crate::{
    pattern::AgentPattern,
    policy::Delegation,
    report::{Report, Reported},
    yaml::{Field, Mapping},
};

impl Delegation {
    pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Result<Self, Reported> {
        let mut delegation = Mapping::of(field, report)?;
        let from = delegation.required("from", report).and_then(|field| agents(&field, report));
        let to = delegation.required("to", report).and_then(|field| agents(&field, report));
        let clients = delegation.optional("clients").map(|field| clients(&field, report));
        delegation.finish(report)?;
        Ok(Self { from: from?, to: to?, clients: clients.transpose()?.unwrap_or_default() })
    }
}

/// Patterns of agents.
pub(super) fn agents(field: &Field<'_>, report: &mut Report) -> Result<Vec<AgentPattern>, Reported> {
    Ok(each(field, str::parse, report)?.into_iter().map(|(_, agent)| agent).collect())
}

fn clients(field: &Field<'_>, report: &mut Report) -> Result<BTreeSet<String>, Reported> {
    let name = |text: &str| if is_name(text) { Ok(text.to_owned()) } else { Err(NAME) };
    Ok(each(field, name, report)?.into_iter().map(|(_, name)| name).collect())
}
