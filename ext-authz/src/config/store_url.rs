//! The store's place in `writ.yaml`.

use serde::{Deserialize, Deserializer, de::Error as _};
use store::StoreLocation;

/// Read at once into a form that does not show its password.
#[derive(Clone, Debug)]
pub(super) struct Text(pub(super) StoreLocation);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The error names no part of the text that could be a password.
        text.parse().map(Self).map_err(|error| D::Error::custom(format_args!("store: {error}")))
    }
}
