//! JSON pointers (RFC 6901), and which of several still lead on.
//!
//! Those that lead to a value are a set: one bit for each. Every step into an object or an array narrows it.

use alloc::{string::String, vec::Vec};

use thiserror::Error;

use super::{Fault, MAX_DEPTH, names::same_but_for_case};

/// Most pointers that are followed at once.
pub const MAX_POINTERS: usize = 64;

/// The way to a value below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

/// Text that is no [`Pointer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PointerError {
    /// It does not begin with `/`: the whole document is no scalar to judge by.
    #[error("a JSON pointer begins with `/`")]
    Root,
    /// `~` without `0` or `1`.
    #[error("in a JSON pointer `~` is written `~0`, and `/` inside a name `~1`")]
    Escape,
    /// Deeper than any document may be.
    #[error("a JSON pointer has at most 32 steps")]
    Depth,
    /// No document has such a name.
    #[error("a JSON pointer has no control characters")]
    Control,
    /// Readers disagree about which other characters are alike where case is ignored.
    #[error("a JSON pointer has only ASCII characters here")]
    Ascii,
}

impl core::str::FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        let steps = text.strip_prefix('/').ok_or(PointerError::Root)?;
        if steps.chars().any(char::is_control) {
            return Err(PointerError::Control);
        }
        if !text.is_ascii() {
            return Err(PointerError::Ascii);
        }
        let steps = steps.split('/').map(unescape).collect::<Result<Vec<_>, _>>()?;
        if steps.len() > MAX_DEPTH { Err(PointerError::Depth) } else { Ok(Self(steps)) }
    }
}

fn unescape(step: &str) -> Result<String, PointerError> {
    let mut pieces = step.split('~');
    let mut text = String::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix('0'), piece.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            (None, None) => return Err(PointerError::Escape),
        };
        text.push(character);
        text.push_str(rest);
    }
    Ok(text)
}

impl Pointer {
    /// How many values its end is inside of.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The step into a value inside `depth` others, the root among them.
    fn step(&self, depth: usize) -> Option<&str> {
        self.0.get(depth.checked_sub(1)?).map(String::as_str)
    }
}

/// The set of all.
pub(super) fn all(pointers: &[Pointer]) -> u64 {
    (0..pointers.len().min(MAX_POINTERS)).fold(0, |set, index| set | 1 << index)
}

/// Whether the set has this one.
pub(super) fn holds(set: u64, index: usize) -> bool {
    index < MAX_POINTERS && set >> index & 1 == 1
}

/// Those of `set` that lead on into the member `name` of an object; `depth` counts the object.
///
/// # Errors
/// A reader that ignores case would find another value by this name than the pointer does.
pub(super) fn enter_member(pointers: &[Pointer], set: u64, depth: usize, name: &str) -> Result<u64, Fault> {
    let mut inner = 0;
    for (index, pointer) in pointers.iter().enumerate().filter(|(index, _)| holds(set, *index)) {
        match pointer.step(depth) {
            Some(step) if step == name => inner |= 1 << index,
            Some(step) if same_but_for_case(step, name) => return Err(Fault::Case),
            _ => {}
        }
    }
    Ok(inner)
}

/// Those of `set` that lead on into an item of an array; `depth` counts the array.
pub(super) fn enter_item(pointers: &[Pointer], set: u64, depth: usize, item: usize) -> u64 {
    let mut inner = 0;
    for (index, pointer) in pointers.iter().enumerate().filter(|(index, _)| holds(set, *index)) {
        if pointer.step(depth).and_then(array_index) == Some(item) {
            inner |= 1 << index;
        }
    }
    inner
}

/// RFC 6901 section 4: digits without leading zeros.
fn array_index(step: &str) -> Option<usize> {
    let digits = step.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = step.len() > 1 && step.starts_with('0');
    if digits && !leading_zero { step.parse().ok() } else { None }
}
