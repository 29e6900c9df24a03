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

    let mode = host.optional("mode").map(|field| field.one_of(KNOWN, report).map(|word| (field, word)));
    let until = host.optional("until").map(|field| instant(&field, report).map(|until| (field, until)));
    match (mode.transpose()?, until.transpose()?) {
        (None | Some((_, Word::Enforce)), None) => Ok(Mode::Enforce),
        (Some((_, Word::Shadow)), Some((_, until))) => Ok(Mode::Shadow { until }),
        (None | Some((_, Word::Enforce)), Some((field, _))) => {
            Err(report.at(&field, "has a meaning only with `mode: shadow`"))
        }
        (Some((field, Word::Shadow)), None) => {
            Err(report.at(&field, "`shadow` needs `until`, the instant from which denials are enforced"))
        }
    }
}

fn instant(field: &Field<'_>, report: &mut Report) -> Result<u64, Reported> {
    let text = field.text(report)?;
    instant::parse(text).map_err(|error| report.at(field, format!("`{text}`: {error}")))
}
