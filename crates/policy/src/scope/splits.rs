//! Ways to read a text as a template of several values.

use std::collections::BTreeMap;

use super::template::Part;

/// Ways that are looked for; where there are more, nothing is concluded from them.
const MOST: usize = 1024;

/// What each source can be where a template of these parts makes `text`: none of them if it never does. `None` where
/// there are too many ways.
pub(crate) fn splits(parts: &[Part], text: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ways = vec![Way { parts, rest: text, values: Vec::new() }];
    let mut tried: usize = 0;
    while let Some(way) = ways.pop() {
        tried = tried.saturating_add(1);
        if tried > MOST {
            return None;
        }
        let Some((part, following)) = way.parts.split_first() else {
            for (source, value) in way.values.iter().filter(|_| way.rest.is_empty()) {
                let known = values.entry((*source).to_owned()).or_default();
                if !known.iter().any(|known| known == value) {
                    known.push((*value).to_owned());
                }
            }
            continue;
        };
        match part {
            Part::Text(literal) => ways.extend(way.rest.strip_prefix(literal.as_str()).map(|rest| Way {
                parts: following,
                rest,
                ..way
            })),
            Part::Value(source) => {
                let ends =
                    way.rest.char_indices().map(|(at, character)| at.saturating_add(character.len_utf8()));
                ways.extend(ends.filter_map(|end| way.rest.split_at_checked(end)).map(|(value, rest)| {
                    let values = way.values.iter().copied().chain([(source.as_str(), value)]).collect();
                    Way { parts: following, rest, values }
                }));
            }
        }
    }
    Some(values)
}

/// A way, as far as it was gone.
struct Way<'t> {
    parts: &'t [Part],
    rest: &'t str,
    values: Vec<(&'t str, &'t str)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Part> {
        vec![Part::Value("a".to_owned()), Part::Text("-".to_owned()), Part::Value("b".to_owned())]
    }

    #[test]
    fn every_way_is_found() {
        let splits = splits(&parts(), "x-y-z").unwrap();
        let mut firsts = splits["a"].clone();
        firsts.sort();
        assert_eq!(firsts, ["x", "x-y"]);
        assert_eq!(splits["b"].len(), 2);
    }

    #[test]
    fn no_way_is_none_and_too_many_are_unknown() {
        for text in ["", "-", "x", "x-", "-y"] {
            assert_eq!(splits(&parts(), text), Some(BTreeMap::new()), "{text:?}");
        }
        assert_eq!(splits(&[parts(), parts()].concat(), &"-x".repeat(400)), None);
    }
}
