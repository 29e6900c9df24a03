//! `routes[n].mode` and `until`.

use verdict::document::Mode;

use crate::{
    instant,
    report::{Report, Reported},
    yaml::{Field, Mapping},
};

#[derive(Clone, Copy)]
enum Word {
    Enforce,
    Shadow,
}

/// Reads `mode`, and `until` with it: shadow mode forwards what should be denied, so it must have an end.
///
/// # Errors
/// Shadow mode without an end, an end without shadow mode, or a value that is neither.
pub(super) fn mode(host: &mut Mapping<'_>, report: &mut Report) -> Result<Mode, Reported> {
    const KNOWN: &[(&str, Word)] = &[("enforce", Word::Enforce), ("shadow", Word::Shadow)];

    let mode = host.optional("mode");
    let until = host.optional("until").map(|field| instant(&field, report).map(|until| (field, until)));
    let word = mode.as_ref().map(|field| field.one_of(KNOWN, report)).transpose()?;
    let until = until.transpose()?;
    match (word.unwrap_or(Word::Enforce), until, mode) {
        (Word::Enforce, None, _) => Ok(Mode::Enforce),
        (Word::Shadow, Some((_, until)), _) => Ok(Mode::Shadow { until }),
        (Word::Enforce, Some((field, _)), _) => {
            Err(report.at(&field, "has a meaning only with `mode: shadow`"))
        }
        (Word::Shadow, None, Some(field)) => {
            Err(report.at(&field, "`shadow` needs `until`, the instant from which denials are enforced"))
        }
        (Word::Shadow, None, None) => Ok(Mode::Enforce),
    }
}

fn instant(field: &Field<'_>, report: &mut Report) -> Result<u64, Reported> {
    let text = field.text(report)?;
    instant::parse(text).map_err(|error| report.at(field, format!("`{text}`: {error}")))
}
