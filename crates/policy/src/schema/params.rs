//! `routes[n].rules[m].params`.

use std::collections::BTreeMap;

use verdict::document::{ParamDocument, ParamType};

use crate::{
    report::{Report, Reported},
    yaml::{Field, Mapping, Value, named},
};

/// Parameters by name, each `source` or `{from: source, type: ...}`.
///
/// # Errors
/// Every parameter that cannot be read.
pub(super) fn params(
    field: &Field<'_>,
    report: &mut Report,
) -> Result<BTreeMap<String, ParamDocument>, Reported> {
    let params: Vec<_> = named(field, report)?
        .into_iter()
        .map(|member| Ok((member.name.to_owned(), param(&member.field, report)?)))
        .collect();
    params.into_iter().collect()
}

fn param(field: &Field<'_>, report: &mut Report) -> Result<ParamDocument, Reported> {
    const KNOWN: &[(&str, ParamType)] =
        &[("string", ParamType::String), ("number", ParamType::Number), ("boolean", ParamType::Boolean)];

    if !matches!(field.value(), Value::Mapping(_)) {
        return Ok(ParamDocument { from: source(field, report)?, kind: ParamType::String });
    }
    let mut param = Mapping::of(field, report)?;
    let from = param.required("from", report).and_then(|field| source(&field, report));
    let kind = param.optional("type").map(|field| field.one_of(KNOWN, report));
    param.finish(report)?;
    Ok(ParamDocument { from: from?, kind: kind.transpose()?.unwrap_or_default() })
}

/// What a source is, is the verdict's to say.
fn source(field: &Field<'_>, report: &mut Report) -> Result<String, Reported> {
    field.text(report).map(str::to_owned)
}
