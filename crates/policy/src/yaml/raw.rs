//! What serde sees, before numbers get their digits back.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Spanned};

use super::node::{Entry, Node, Position, Value};

/// A value as serde reports it.
#[derive(Debug)]
pub(crate) struct Raw(Spanned<RawValue>);

#[derive(Debug)]
enum RawValue {
    Null,
    Boolean(bool),
    Number,
    Text(String),
    Sequence(Vec<Raw>),
    Mapping(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    /// The tree, with each number as it is written in `source`.
    pub(crate) fn into_node(self, source: &str) -> Node {
        let Spanned { value, referenced, defined } = self.0;
        let value = match value {
            RawValue::Null => Value::Null,
            RawValue::Boolean(boolean) => Value::Boolean(boolean),
            RawValue::Number => Value::Number(written(source, defined).to_owned()),
            RawValue::Text(text) => Value::Text(text),
            RawValue::Sequence(items) => {
                Value::Sequence(items.into_iter().map(|item| item.into_node(source)).collect())
            }
            RawValue::Mapping(members) => Value::Mapping(
                members
                    .into_iter()
                    .map(|(key, raw)| Entry {
                        key: key.value,
                        key_position: position(key.referenced),
                        node: raw.into_node(source),
                    })
                    .collect(),
            ),
        };
        Node { position: position(referenced), value }
    }
}

/// The text a scalar was read from; empty, which is no number, if the parser cannot say.
fn written(source: &str, location: Location) -> &str {
    let span = location.span();
    let start = span.byte_offset().and_then(|offset| usize::try_from(offset).ok());
    let length = span.byte_len().and_then(|length| usize::try_from(length).ok());
    match (start, length) {
        (Some(start), Some(length)) => {
            source.get(start..start.saturating_add(length)).unwrap_or_default().trim()
        }
        _ => "",
    }
}

/// A parser's location as ours.
pub(super) fn position(location: Location) -> Position {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: narrow(location.line()), column: narrow(location.column()) }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_none<E: Error>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawValue, D::Error> {
        RawValue::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<RawValue, E> {
        Ok(RawValue::Boolean(boolean))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<RawValue, E> {
        Ok(RawValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<RawValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(RawValue::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(RawValue::Mapping(members))
    }
}
