//! `credentials.<name>.inject`.

use crate::{
    credential::Inject,
    report::{Report, Reported},
    yaml::{Field, Mapping},
};

/// What stands for the secret in a format.
const PLACEHOLDER: &str = "{secret}";

/// `{header, format}` or `{basic: {username}}`.
pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Result<Inject, Reported> {
    let mut inject = Mapping::of(field, report)?;
    let header = inject.optional("header");
    let format = inject.optional("format");
    let basic = inject.optional("basic");
    inject.finish(report)?;
    match (header, format, basic) {
        (Some(name), format, None) => {
            let name = header_name(&name, report)?;
            let (before, after) = match format {
                Some(format) => parts(&format, report)?,
                None => Default::default(),
            };
            Ok(Inject::Header { name, before, after })
        }
        (None, None, Some(basic)) => read_basic(&basic, report),
        _ => Err(report.at(field, "must be `header`, with or without `format`, or else `basic`")),
    }
}

fn header_name(field: &Field<'_>, report: &mut Report) -> Result<String, Reported> {
    let name = field.text(report)?.to_ascii_lowercase();
    match verdict::injection::check_header_name(&name) {
        Ok(()) => Ok(name),
        Err(reason) => Err(report.at(field, reason)),
    }
}

/// What stands before and behind the secret.
fn parts(field: &Field<'_>, report: &mut Report) -> Result<(String, String), Reported> {
    let text = field.text(report)?;
    let is_plain =
        |part: &str| part.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"{}".contains(&byte));
    match text.split_once(PLACEHOLDER) {
        Some((before, after)) if is_plain(before) && is_plain(after) && text.trim() == text => {
            Ok((before.to_owned(), after.to_owned()))
        }
        _ => {
            let reason =
                "must be visible ASCII with `{secret}` in it once, and no other brace or space around it";
            Err(report.at(field, reason))
        }
    }
}

/// RFC 7617 section 2: the first colon ends the user's name.
fn read_basic(field: &Field<'_>, report: &mut Report) -> Result<Inject, Reported> {
    let mut basic = Mapping::of(field, report)?;
    let username = basic.required("username", report);
    basic.finish(report)?;
    let field = username?;
    let username = field.text(report)?;
    if username.contains(':') || username.chars().any(char::is_control) {
        return Err(report.at(&field, "a user's name has neither colons nor control characters"));
    }
    Ok(Inject::Basic { username: username.to_owned() })
}
