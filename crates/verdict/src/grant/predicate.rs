//! Constraints: what a parameter's value must be.

use alloc::{borrow::ToOwned, boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::value::RawValue;

use super::{MAX_VALUES, decimal::Decimal, glob::Glob, object::object_only, strict};

/// Longest text value of a predicate, in bytes.
const MAX_TEXT: usize = 1024;

/// Parameter name to what its value must satisfy; a parameter named here must be present.
pub type Constraints = BTreeMap<String, Predicates>;

/// A parameter's value. Values of different types are never equal: `1` is not `"1"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// Text.
    String(String),
    /// An exact decimal; `1` and `1.0` are one value.
    Number(Decimal),
    /// `true` or `false`.
    Boolean(bool),
}

/// All of these must hold. At least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Predicates {
    /// The value is this one.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub eq: Option<Scalar>,
    /// The value is one of these; all have one type.
    #[serde(default, rename = "in", deserialize_with = "one_of", skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Scalar>,
    /// The value is text that fits.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub glob: Option<Glob>,
    /// The value is a number, this or larger.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub min: Option<Decimal>,
    /// The value is a number, this or smaller.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub max: Option<Decimal>,
}

object_only!(Predicates);

impl Predicates {
    /// Whether `value` satisfies every predicate.
    #[must_use]
    pub fn hold(&self, value: &Scalar) -> bool {
        let Self { eq, one_of, glob, min, max } = self;
        eq.as_ref().is_none_or(|wanted| wanted == value)
            && (one_of.is_empty() || one_of.contains(value))
            && glob.as_ref().is_none_or(|glob| matches!(value, Scalar::String(text) if glob.matches(text)))
            && min.as_ref().is_none_or(|min| matches!(value, Scalar::Number(number) if number >= min))
            && max.as_ref().is_none_or(|max| matches!(value, Scalar::Number(number) if number <= max))
    }

    /// Whether every value that satisfies these satisfies `other`. May say no too often, never yes wrongly.
    #[must_use]
    pub fn covered_by(&self, other: &Self) -> bool {
        if let Some(mut values) = self.finite() {
            return values.all(|value| !self.hold(value) || other.hold(value));
        }
        let Self { eq, one_of, glob, min, max } = other;
        eq.is_none()
            && one_of.is_empty()
            && glob
                .as_ref()
                .is_none_or(|theirs| self.glob.as_ref().is_some_and(|ours| ours.covered_by(theirs)))
            && min.as_ref().is_none_or(|theirs| self.min.as_ref().is_some_and(|ours| ours >= theirs))
            && max.as_ref().is_none_or(|theirs| self.max.as_ref().is_some_and(|ours| ours <= theirs))
    }

    /// The candidates, where `eq` or `in` leaves only finitely many.
    fn finite(&self) -> Option<impl Iterator<Item = &Scalar>> {
        let listed = self.eq.is_some() || !self.one_of.is_empty();
        listed.then(|| self.eq.iter().chain(&self.one_of))
    }

    /// Whether no predicate is set: such a constraint would say nothing, and is refused where it is read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn one_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Scalar>, D::Error> {
    let values: Vec<Scalar> = strict::bounded_list::<MAX_VALUES, _, _>(deserializer)?;
    let mut kinds = values.iter().map(core::mem::discriminant);
    let first = kinds.next();
    if kinds.all(|kind| Some(kind) == first) {
        Ok(values)
    } else {
        Err(D::Error::custom("values of different types"))
    }
}

/// Reads `constraints`: no repeated name, no name without predicates.
pub(super) fn constraints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Constraints, D::Error> {
    let constraints: Constraints = strict::unique_map(deserializer)?;
    if constraints.is_empty() || constraints.len() > MAX_VALUES {
        return Err(D::Error::custom(format_args!("constraints name 1 to {MAX_VALUES} parameters")));
    }
    for (name, predicates) in &constraints {
        if !is_parameter_name(name) {
            return Err(D::Error::custom(format_args!("`{name}` is not a parameter name")));
        }
        if predicates.is_empty() {
            return Err(D::Error::custom(format_args!("no predicate for `{name}`")));
        }
    }
    Ok(constraints)
}

/// Whether `name` can name a parameter: 1 to 64 letters, digits and `_.-`.
#[must_use]
pub fn is_parameter_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

impl<'de> Deserialize<'de> for Scalar {
    /// From the value's own characters: a number read as a float would no longer be the one that was signed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get() {
            "true" => Ok(Self::Boolean(true)),
            "false" => Ok(Self::Boolean(false)),
            text if text.starts_with('"') => {
                let text: String = serde_json::from_str(text).map_err(|_| D::Error::custom("not a text"))?;
                if text.len() > MAX_TEXT {
                    return Err(D::Error::custom(format_args!("a text over {MAX_TEXT} bytes")));
                }
                Ok(Self::String(text))
            }
            number => number.parse().map(Self::Number).map_err(|_| {
                D::Error::custom("not a text, a boolean or a plain decimal number of at most 64 characters")
            }),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::String(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(D::Error::custom)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = alloc::format!("{self}");
        RawValue::from_string(digits).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(formatter, "{text:?}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Boolean(truth) => write!(formatter, "{truth}"),
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicates(json: &str) -> Predicates {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn types_are_not_mixed() {
        assert!(predicates(r#"{"eq":"1"}"#).hold(&"1".into()));
        assert!(!predicates(r#"{"eq":1}"#).hold(&"1".into()));
        assert!(predicates(r#"{"eq":1.0}"#).hold(&Scalar::Number("1".parse().unwrap())));
        assert!(!predicates(r#"{"max":9}"#).hold(&"1".into()));
        assert!(!predicates(r#"{"glob":"*"}"#).hold(&Scalar::Boolean(true)));
    }

    #[test]
    fn big_numbers_stay_exact() {
        let max = predicates(r#"{"max":9007199254740992}"#);
        assert!(!max.hold(&Scalar::Number("9007199254740993".parse().unwrap())));
        assert_eq!(serde_json::to_string(&max).unwrap(), r#"{"max":9007199254740992}"#);
    }

    #[test]
    fn covering() {
        for (narrow, wide) in [
            (r#"{"eq":"JFK"}"#, r#"{"in":["JFK","LHR"]}"#),
            (r#"{"in":["logs/a","logs/b"]}"#, r#"{"glob":"logs/*"}"#),
            (r#"{"max":5}"#, r#"{"max":5.0}"#),
            (r#"{"min":1,"max":5}"#, r#"{"max":9}"#),
            (r#"{"eq":3,"max":2}"#, r#"{"eq":9}"#),
        ] {
            assert!(predicates(narrow).covered_by(&predicates(wide)), "{narrow} in {wide}");
        }
        for (wide, narrow) in [
            (r#"{"in":["JFK","LHR"]}"#, r#"{"eq":"JFK"}"#),
            (r#"{"glob":"*"}"#, r#"{"eq":"JFK"}"#),
            (r#"{"max":6}"#, r#"{"max":5}"#),
            (r#"{"max":6}"#, r#"{"min":0}"#),
            (r#"{"eq":5}"#, r#"{"eq":"5"}"#),
        ] {
            assert!(!predicates(wide).covered_by(&predicates(narrow)), "{wide} in {narrow}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for json in [
            r#"{"like":"x"}"#,
            r#"{"eq":null}"#,
            r#"{"eq":[1]}"#,
            r#"{"eq":{}}"#,
            r#"{"eq":1e3}"#,
            r#"{"eq":"a","eq":"b"}"#,
            r#"{"in":[]}"#,
            r#"{"in":[1,"1"]}"#,
            r#"{"max":"9"}"#,
            r#"{"max":true}"#,
            r#"{"glob":""}"#,
            r#"{"glob":"../x"}"#,
        ] {
            assert!(serde_json::from_str::<Predicates>(json).is_err(), "{json}");
        }
    }
}
