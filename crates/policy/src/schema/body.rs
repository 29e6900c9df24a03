//! `routes[n].rules[m].body`, `form` and `max_body`.

use std::collections::BTreeMap;

use verdict::document::{BodyDocument, LARGEST_MAX_BODY, Presence, RuleDocument};

use super::rule::names;
use crate::{
    report::{Report, Reported},
    yaml::{Field, Mapping, Value},
};

/// What a rule says of bodies.
pub(super) struct BodySource {
    /// `None`: it follows from what is read.
    pub(super) written: Option<BodyDocument>,
    pub(super) form: BTreeMap<String, Presence>,
    pub(super) max_body: Option<u32>,
}

impl BodySource {
    /// # Errors
    /// Every member that cannot be read, and names of a form beside another kind of body.
    pub(super) fn read(rule: &mut Mapping<'_>, report: &mut Report) -> Result<Self, Reported> {
        const KNOWN: &[(&str, BodyDocument)] = &[
            ("none", BodyDocument::None),
            ("opaque", BodyDocument::Opaque),
            ("json", BodyDocument::Json),
            ("form", BodyDocument::Form),
        ];

        let written = rule.optional("body").map(|field| field.one_of(KNOWN, report));
        let form = rule.optional("form").map(|field| names(&field, report));
        let max_body = rule.optional("max_body").map(|field| bytes(&field, report));
        let (written, form, max_body) = (written.transpose()?, form.transpose()?, max_body.transpose()?);
        Ok(Self { written, form: form.unwrap_or_default(), max_body })
    }
}

/// What a rule reads that does not say it: the kind of body that its names or its sources are in.
pub(super) fn implied(rule: &RuleDocument) -> BodyDocument {
    let templates = [Some(&rule.action), rule.resource.as_ref()].into_iter().flatten();
    let in_template = templates.flat_map(|text| text.split('{').skip(1)).any(is_pointer);
    if !rule.form.is_empty() {
        BodyDocument::Form
    } else if in_template || rule.params.values().any(|param| is_pointer(&param.from)) {
        BodyDocument::Json
    } else {
        BodyDocument::None
    }
}

fn is_pointer(source: &str) -> bool {
    source.starts_with("body.")
}

/// Bytes as operators write them: a whole number, alone or with a unit.
fn bytes(field: &Field<'_>, report: &mut Report) -> Result<u32, Reported> {
    const UNITS: [(&str, u32); 2] = [("KiB", 1024), ("MiB", 1024 * 1024)];

    let (number, unit) = match field.value() {
        Value::Number(written) => (written.as_str(), 1),
        Value::Text(text) => UNITS
            .iter()
            .find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number, *unit)))
            .unwrap_or((text, 0)),
        _ => ("", 0),
    };
    let digits = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let bytes =
        if digits { number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit)) } else { None };
    match bytes {
        Some(bytes @ 1..=LARGEST_MAX_BODY) => Ok(bytes),
        _ => Err(report
            .at(field, "must be a number of bytes, such as `65536`, `64KiB` or `1MiB`, which is the most")),
    }
}
