//! Patterns of one piece of text: the text itself, or what it begins and ends with.

use std::fmt;

use super::template::Part;

/// A text, or any that begins with one text and ends with another, which do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wildcard {
    before: String,
    /// `None`: `before` is all of it.
    after: Option<String>,
}

/// What a pattern says of a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// No value makes it fit.
    Never,
    /// Every value does.
    Always,
    /// The values of this source that fit do, and no other.
    If(String, Wildcard),
    /// It depends on several values, or on one in a way that is not a pattern of it.
    Jointly,
}

impl Wildcard {
    /// Of a pattern's text, which holds at most one `*`.
    pub(crate) fn of(pattern: &str) -> Self {
        match pattern.split_once('*') {
            Some((before, after)) => Self { before: before.to_owned(), after: Some(after.to_owned()) },
            None => Self { before: pattern.to_owned(), after: None },
        }
    }

    /// `text` alone.
    pub(crate) fn literal(text: &str) -> Self {
        Self { before: text.to_owned(), after: None }
    }

    /// Whether every text of this pattern is one of `other`'s.
    pub(crate) fn covered_by(&self, other: &Self) -> bool {
        match (&self.after, &other.after) {
            (None, _) => other.matches(&self.before),
            (Some(_), None) => false,
            (Some(after), Some(theirs)) => self.before.starts_with(&other.before) && after.ends_with(theirs),
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match &self.after {
            None => *text == self.before,
            Some(after) => {
                text.len() >= self.before.len().saturating_add(after.len())
                    && text.starts_with(&self.before)
                    && text.ends_with(after)
            }
        }
    }

    /// The one text that it has.
    pub(crate) fn exact(&self) -> Option<&str> {
        self.after.is_none().then_some(self.before.as_str())
    }

    /// What `text` begins and ends with.
    pub(crate) fn ends(&self) -> (&str, &str) {
        (&self.before, self.after.as_deref().unwrap_or_default())
    }

    /// What values must be for a template of these parts to fit.
    pub(crate) fn fit(&self, parts: &[Part]) -> Fit {
        let text = |part: Option<&Part>| match part {
            Some(Part::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let values: Vec<&str> = super::template::sources(parts).collect();
        let (head, tail) = match values.len() {
            0 => return if self.matches(&text(parts.first())) { Fit::Always } else { Fit::Never },
            _ => (text(parts.first()), text(parts.last())),
        };
        match (values.as_slice(), &self.after) {
            ([source], None) => {
                let value = self.before.strip_prefix(&head).and_then(|rest| rest.strip_suffix(&tail));
                match value.filter(|value| !value.is_empty()) {
                    Some(value) => Fit::If((*source).to_owned(), Self::literal(value)),
                    None => Fit::Never,
                }
            }
            (_, None) if !self.before.starts_with(&head) || !self.before.ends_with(&tail) => Fit::Never,
            (_, None) => Fit::Jointly,
            (_, Some(after)) => self.fit_ends(&values, (&head, &tail), after),
        }
    }

    fn fit_ends(&self, values: &[&str], (head, tail): (&str, &str), after: &str) -> Fit {
        // What is left for the value to begin and end with; nothing where the template's own text says it all.
        let begins = if head.starts_with(&self.before) { Some("") } else { self.before.strip_prefix(head) };
        let ends = if tail.ends_with(after) { Some("") } else { after.strip_suffix(tail) };
        match (begins, ends, values) {
            (None, _, _) | (_, None, _) => Fit::Never,
            (Some(""), Some(""), _) => Fit::Always,
            // A short value would leave the rest of the beginning to the text behind it.
            (Some(begins), Some(ends), [source])
                if (begins.is_empty() || tail.is_empty()) && (ends.is_empty() || head.is_empty()) =>
            {
                let value = Self { before: begins.to_owned(), after: Some(ends.to_owned()) };
                Fit::If((*source).to_owned(), value)
            }
            _ => Fit::Jointly,
        }
    }
}

impl fmt::Display for Wildcard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            None => formatter.write_str(&self.before),
            Some(after) => write!(formatter, "{}*{after}", self.before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, parts: &[&str]) -> String {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| match part.strip_prefix('$') {
                Some(source) => Part::Value(source.to_owned()),
                None => Part::Text((*part).to_owned()),
            })
            .collect();
        match Wildcard::of(pattern).fit(&parts) {
            Fit::If(source, value) => format!("{source}={value}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_value_gets_what_the_text_around_it_leaves() {
        for (pattern, parts, expected) in [
            ("abc", &["abc"][..], "Always"),
            ("ab*", &["b"], "Never"),
            ("abc", &["a", "$v", "c"], "v=b"),
            ("abc", &["ab", "$v", "c"], "Never"),
            ("ab*", &["$v"], "v=ab*"),
            ("ab*", &["a", "$v"], "v=b*"),
            ("ab*", &["abc", "$v"], "Always"),
            ("*", &["$v"], "Always"),
            ("b*", &["a", "$v"], "Never"),
            ("*yz", &["$v", "z"], "v=*y"),
            ("abc*", &["a", "$v", "c"], "Jointly"),
            ("*abc", &["a", "$v", "c"], "Jointly"),
            ("a*z", &["$v", "-", "$w"], "Jointly"),
            ("a*", &["b", "$v", "-", "$w"], "Never"),
            ("a-b", &["$v", "-", "$w"], "Jointly"),
        ] {
            assert_eq!(fit(pattern, parts), expected, "{pattern} {parts:?}");
        }
    }
}
