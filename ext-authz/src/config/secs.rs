//! Durations in `writ.yaml`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

/// A duration as operators write it: `90s`, `15m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text(pub(super) Duration);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        policy::duration::parse(&text)
            .map(Self)
            .map_err(|error| D::Error::custom(format_args!("`{text}`: {error}")))
    }
}
