//! `clients.<name>.may_request[n]`.

use std::num::NonZeroU32;

use verdict::grant::{ActionPattern, Grant, GrantType, Limits, MAX_VALUES, ResourcePattern};

use super::{constraints::constraints, each};
use crate::{
    duration,
    policy::Ceiling,
    report::{Report, Reported},
    yaml::{Field, Mapping},
};

/// Delegations a token can be away from the first one, at most.
const MAX_DEPTH: u32 = 8;

/// A ceiling as one file states it.
pub(crate) struct CeilingSource<'n> {
    /// Its place.
    pub(crate) field: Field<'n>,
    /// The places of its actions, which the file's namespace must claim.
    pub(crate) actions: Vec<Field<'n>>,
    pub(crate) ceiling: Ceiling,
}

impl<'n> CeilingSource<'n> {
    pub(super) fn read(field: &Field<'n>, report: &mut Report) -> Result<Self, Reported> {
        let mut ceiling = Mapping::of(field, report)?;
        let actions =
            ceiling.required("actions", report).and_then(|field| values::<ActionPattern>(&field, report));
        let resources =
            ceiling.required("resources", report).and_then(|field| values::<ResourcePattern>(&field, report));
        let constraints = ceiling.optional("constraints").map(|field| constraints(&field, report));
        let max_ttl = ceiling.optional("max_ttl").map(|field| duration(&field, report));
        let max_depth = ceiling.optional("max_depth").map(|field| field.integer(0..=MAX_DEPTH, report));
        let limits = ceiling.optional("limits").map(|field| limits(&field, report));
        ceiling.finish(report)?;
        let (actions, patterns) = actions?.into_iter().unzip();
        let grant = Grant {
            kind: GrantType::TaskGrant,
            id: None,
            actions: patterns,
            resources: resources?.into_iter().map(|(_, pattern)| pattern).collect(),
            constraints: constraints.transpose()?.unwrap_or_default(),
            limits: limits.transpose()?,
        };
        let ceiling =
            Ceiling { grant, max_ttl: max_ttl.transpose()?, max_depth: max_depth.transpose()?.unwrap_or(0) };
        Ok(Self { field: field.clone(), actions, ceiling })
    }
}

/// How often a grant may be used: one that says more, or nothing, is over the ceiling.
fn limits(field: &Field<'_>, report: &mut Report) -> Result<Limits, Reported> {
    let mut limits = Mapping::of(field, report)?;
    let uses = limits.required("uses", report).and_then(|field| {
        // Zero is out of range.
        field.integer(1..=u32::MAX, report).map(|uses| NonZeroU32::new(uses).unwrap_or(NonZeroU32::MIN))
    });
    limits.finish(report)?;
    Ok(Limits { uses: uses? })
}

/// A list of patterns, as long as a grant's may be.
fn values<'n, T>(field: &Field<'n>, report: &mut Report) -> Result<Vec<(Field<'n>, T)>, Reported>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let values = each(field, str::parse, report)?;
    if values.len() > MAX_VALUES {
        return Err(report.at(field, format!("has more than {MAX_VALUES} values")));
    }
    Ok(values)
}

/// A duration such as `15m`.
pub(super) fn duration(field: &Field<'_>, report: &mut Report) -> Result<std::time::Duration, Reported> {
    let text = field.text(report)?;
    duration::parse(text).map_err(|error| report.at(field, format!("`{text}`: {error}")))
}
