//! Names and values of a query or a form, each name declared and at most once.

use alloc::{borrow::Cow, collections::BTreeMap, string::String, vec::Vec};

use super::{Leniencies, percent};
use crate::{
    denial::{DenialCode, Refusal},
    document::Presence,
};

/// Most parameters read.
const MAX_PARAMETERS: usize = 128;

/// Parameters in order.
#[derive(Debug, Default)]
pub(crate) struct Pairs<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Pairs<'a> {
    /// Reads the bytes after `?`, or those of a body, as form-encoded pairs (WHATWG URL,
    /// `application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// `ambiguous_request` for whatever two parsers may read differently.
    pub(crate) fn read(raw: Option<&'a [u8]>, leniencies: Leniencies) -> Result<Self, Refusal> {
        let raw = raw.unwrap_or_default();
        let mut pairs = Vec::new();
        if raw.is_empty() {
            return Ok(Self { pairs });
        }
        // Some parsers end a pair at `;` too; and a fragment has no place in a request.
        if raw.contains(&b'#') || (raw.contains(&b';') && !leniencies.semicolon) {
            return Err(ambiguous("`#` or `;` in the query or the form"));
        }
        for pair in raw.split(|&byte| byte == b'&') {
            if pairs.len() == MAX_PARAMETERS {
                return Err(ambiguous("more than 128 parameters in the query or the form"));
            }
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let name = halves.next().unwrap_or_default();
            if name.is_empty() {
                return Err(ambiguous("a parameter of the query or the form without a name"));
            }
            pairs.push((text(name)?, text(halves.next().unwrap_or_default())?));
        }
        Ok(Self { pairs })
    }

    /// Checks the names against those a rule declares.
    ///
    /// # Errors
    /// `ambiguous_request` for a name that is not declared (which includes `Name` and `name[]` beside `name`),
    /// one that is repeated, and a required one that is absent.
    pub(crate) fn check(&self, declared: &BTreeMap<String, Presence>) -> Result<(), Refusal> {
        for (index, (name, _)) in self.pairs.iter().enumerate() {
            if !declared.contains_key(&**name) {
                return Err(ambiguous("a parameter of the query or the form that the rule does not declare"));
            }
            if self.pairs.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(ambiguous("a repeated parameter of the query or the form"));
            }
        }
        let missing = |(name, presence): (&String, &Presence)| {
            *presence == Presence::Required && self.get(name).is_none()
        };
        if declared.iter().any(missing) {
            return Err(ambiguous("a required parameter of the query or the form is absent"));
        }
        Ok(())
    }

    /// Whether a name is in both, in whatever case: which of the two counts is the reader's choice.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.pairs.iter().any(|(name, _)| other.pairs.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)))
    }

    /// The value of `name`, once the names were checked.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }
}

fn text(raw: &[u8]) -> Result<Cow<'_, str>, Refusal> {
    percent::decode(raw, true).map_err(|error| ambiguous(error.detail()))
}

fn ambiguous(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::AmbiguousRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Leniencies = Leniencies { trailing_slash: false, semicolon: false };

    fn declared() -> BTreeMap<String, Presence> {
        [("prefix".into(), Presence::Optional), ("max".into(), Presence::Required)].into_iter().collect()
    }

    fn accepts(raw: &str) -> bool {
        Pairs::read(Some(raw.as_bytes()), STRICT).and_then(|query| query.check(&declared())).is_ok()
    }

    #[test]
    fn declared_names_pass() {
        assert!(accepts("max=1") && accepts("prefix=a+b%2Fc&max="));
        assert!(accepts("%6dax=1"), "an encoded name is the name");
        let query = Pairs::read(Some(b"prefix=a+b%2Fc%25"), STRICT).unwrap();
        assert_eq!(query.get("prefix"), Some("a b/c%"));
    }

    #[test]
    fn everything_else_is_ambiguous() {
        for raw in [
            "",
            "acl&max=1",
            "max=1&max=1",
            "max=1&%6dax=1",
            "max=1&MAX=1",
            "max=1&max[]=1",
            "max=1&",
            "&max=1",
            "max=1&=2",
            "max=1;prefix=a",
            "max=1#x",
            "max=%",
            "max=%ff",
            "max=%00",
            "max=1 2",
            "prefix=a",
        ] {
            assert!(!accepts(raw), "{raw:?}");
        }
    }
}
