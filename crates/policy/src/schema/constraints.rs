//! `clients.<name>.may_request[n].constraints`.
//!
//! Predicates are read by the verdict's own deserializer, one at a time, so that a ceiling means exactly what the
//! same words mean in a token, and an error still has its line.

use verdict::grant::{Constraints, MAX_VALUES, Predicates, decimal::Decimal, predicate::is_parameter_name};

use crate::{
    report::{Report, Reported},
    yaml::{Field, Named, Value, named},
};

/// Parameter names and their predicates.
///
/// # Errors
/// Every name or predicate that a grant could not have.
pub(super) fn constraints(field: &Field<'_>, report: &mut Report) -> Result<Constraints, Reported> {
    let parameters = named(field, report)?;
    if parameters.len() > MAX_VALUES {
        return Err(report.at(field, format!("names more than {MAX_VALUES} parameters")));
    }
    let constraints: Vec<_> =
        parameters.into_iter().map(|parameter| constraint(&parameter, report)).collect();
    constraints.into_iter().collect()
}

fn constraint(parameter: &Named<'_>, report: &mut Report) -> Result<(String, Predicates), Reported> {
    if !is_parameter_name(parameter.name) {
        return Err(parameter.refuse("a parameter name has 1 to 64 letters, digits and `_.-`", report));
    }
    let members: Vec<_> =
        named(&parameter.field, report)?.iter().map(|named| member(named, report)).collect();
    let members = members.into_iter().collect::<Result<Vec<_>, _>>()?;
    let predicates = predicates(&members).map_err(|error| report.at(&parameter.field, error))?;
    Ok((parameter.name.to_owned(), predicates))
}

/// One predicate as a JSON member, after the verdict has read it alone.
fn member(predicate: &Named<'_>, report: &mut Report) -> Result<String, Reported> {
    let member = format!("{}:{}", quoted(predicate.name), json(&predicate.field, report)?);
    match predicates(std::slice::from_ref(&member)) {
        Ok(_) => Ok(member),
        Err(error) => Err(predicate.refuse(error, report)),
    }
}

fn predicates(members: &[String]) -> Result<Predicates, String> {
    serde_json::from_str(&format!("{{{}}}", members.join(","))).map_err(|error| without_place(&error))
}

/// The error without its place in JSON that the operator never wrote.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// A value as JSON text, not as a JSON tree: a tree would hold `0.1` as a float.
fn json(field: &Field<'_>, report: &mut Report) -> Result<String, Reported> {
    match field.value() {
        Value::Text(text) => Ok(quoted(text)),
        Value::Boolean(boolean) => Ok(boolean.to_string()),
        Value::Number(written) if written.parse::<Decimal>().is_ok() => Ok(written.clone()),
        Value::Number(written) => Err(report.at(
            field,
            format!(
                "`{written}`: a number here is a plain decimal such as `900` or `12.50`; text goes in quotes"
            ),
        )),
        Value::Sequence(_) => {
            let items: Vec<_> = field.items(report)?.iter().map(|item| json(item, report)).collect();
            let items = items.into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(",")))
        }
        other @ (Value::Null | Value::Mapping(_)) => {
            Err(report.at(field, format!("must be a scalar or a list of scalars, not {}", other.kind())))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
