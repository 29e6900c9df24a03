//! The query of a request.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use http::Uri;

use super::Problem;

/// Parameters by name, each at most once; those without value count as left out.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads the query of `uri`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(Problem::invalid_request(format!("query parameter `{name}` is repeated")));
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    /// Takes a parameter out.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes a parameter out and reads it.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let parse = |text: String| {
            text.parse().map_err(|error| Problem::invalid_request(format!("{name}: `{text}`: {error}")))
        };
        self.take(name).map(parse).transpose()
    }

    /// Refuses what is left: a filter that is ignored shows more than was asked for.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            Some(name) => Err(Problem::invalid_request(format!("query parameter `{name}` is unknown"))),
            None => Ok(()),
        }
    }
}
