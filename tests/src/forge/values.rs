//! Placeholders in corpus data: instants relative to now, thumbprints of certificates, keys.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Result, unexpected};

/// What placeholders stand for.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// Unix seconds: what `@now`, `@now+60` and `@now-60` count from.
    pub now: u64,
    /// Any other `@name`.
    pub named: BTreeMap<String, Value>,
}

impl Values {
    /// Replaces every placeholder text in `value`.
    ///
    /// # Errors
    /// An unknown placeholder.
    pub fn resolve(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix('@') {
                Some(name) => self.placeholder(name)?,
                None => value.clone(),
            },
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.resolve(item)).collect::<Result<_>>()?)
            }
            Value::Object(members) => Value::Object(self.resolve_members(members)?),
            other => other.clone(),
        })
    }

    /// Replaces every placeholder text among `members`.
    ///
    /// # Errors
    /// An unknown placeholder.
    pub fn resolve_members(&self, members: &Map<String, Value>) -> Result<Map<String, Value>> {
        members.iter().map(|(name, value)| Ok((name.clone(), self.resolve(value)?))).collect()
    }

    fn placeholder(&self, name: &str) -> Result<Value> {
        if name == "null" {
            return Ok(Value::Null);
        }
        if let Some(offset) = name.strip_prefix("now") {
            let offset: i64 = if offset.is_empty() { 0 } else { offset.parse().map_err(unexpected)? };
            return Ok(self.now.saturating_add_signed(offset).into());
        }
        self.named.get(name).cloned().ok_or_else(|| unexpected(format!("unknown placeholder `@{name}`")))
    }
}

/// Sets `value` at `place` in `target`: a member name, or a JSON pointer (RFC 6901) when it begins with `/`.
/// `@remove` takes the member away.
pub(super) fn set(target: &mut Map<String, Value>, place: &str, value: &Value) -> Result<()> {
    let pointer = place.strip_prefix('/').unwrap_or(place);
    let (parents, last) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    let mut object = target;
    if place.starts_with('/') {
        for step in parents.split('/').filter(|step| !step.is_empty()) {
            object = descend(object, step).ok_or_else(|| unexpected(format!("nothing at `{place}`")))?;
        }
    }
    let member = if place.starts_with('/') { last } else { place };
    if value == "@remove" {
        object.remove(member);
    } else {
        object.insert(member.to_owned(), value.clone());
    }
    Ok(())
}

/// One step: a member that is an object, or (`name.0`) the object at an index of a member that is a list.
fn descend<'a>(object: &'a mut Map<String, Value>, step: &str) -> Option<&'a mut Map<String, Value>> {
    match step.rsplit_once('.') {
        Some((name, index)) => object.get_mut(name)?.get_mut(index.parse::<usize>().ok()?)?.as_object_mut(),
        None => object.get_mut(step)?.as_object_mut(),
    }
}

/// Bytes of a text in which `\xNN` stands for any byte and `\\` for a backslash.
///
/// # Errors
/// Another escape.
pub fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, following) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).map_err(unexpected)?;
                (u8::from_str_radix(digits, 16).map_err(unexpected)?, after)
            }
            (b'\\', _) => return Err(unexpected(format!("bad escape in `{text}`"))),
            (plain, after) => (plain, after),
        };
        bytes.push(byte);
        rest = following;
    }
    Ok(bytes)
}
