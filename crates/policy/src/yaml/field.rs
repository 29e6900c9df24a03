//! A value together with the way to it.

use std::ops::RangeInclusive;

use super::node::{Entry, Node, Position, Value};
use crate::report::{Report, Reported};

/// A node of a policy file that knows its file and its path.
#[derive(Clone, Debug)]
pub(crate) struct Field<'n> {
    file: &'n str,
    path: String,
    node: &'n Node,
}

impl<'n> Field<'n> {
    /// The root of a file.
    pub(crate) fn root(file: &'n str, node: &'n Node) -> Self {
        Self { file, path: String::new(), node }
    }

    /// The member `key` of this field, as a place.
    pub(crate) fn member(&self, key: &str, node: &'n Node) -> Self {
        Self { file: self.file, path: self.member_path(key), node }
    }

    /// The path a member of this field has or would have.
    pub(crate) fn member_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(crate) fn file(&self) -> &'n str {
        self.file
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn position(&self) -> Position {
        self.node.position
    }

    pub(crate) fn value(&self) -> &'n Value {
        &self.node.value
    }

    /// The place of `path` below this field, as far as it exists: position and full path.
    ///
    /// The verdict names members of documents (`params.user.from`), which a file may write in a shorter form, or not
    /// at all. Names between dots may hold dots themselves.
    pub(crate) fn locate(&self, path: &str) -> (Position, String) {
        let Value::Mapping(entries) = self.value() else { return (self.position(), self.path.clone()) };
        let rest = |key: &str| path.strip_prefix(key)?.strip_prefix('.');
        let longest = |found: Option<&'n Entry>, entry: &'n Entry| match found {
            Some(found) if found.key.len() >= entry.key.len() => Some(found),
            _ => Some(entry),
        };
        let exact = entries.iter().find(|entry| entry.key == path);
        let within = || entries.iter().filter(|entry| rest(&entry.key).is_some()).fold(None, longest);
        match exact.or_else(within) {
            Some(entry) => {
                let member = self.member(&entry.key, &entry.node);
                match rest(&entry.key) {
                    Some(rest) => member.locate(rest),
                    None => (member.position(), member.path),
                }
            }
            None => (self.position(), self.member_path(path)),
        }
    }

    /// A string that is not empty.
    ///
    /// # Errors
    /// Anything else; a number is not taken for text, since `01` and `1e2` would not stay what was written.
    pub(crate) fn text(&self, report: &mut Report) -> Result<&'n str, Reported> {
        match self.value() {
            Value::Text(text) if text.is_empty() => Err(report.at(self, "must not be empty")),
            Value::Text(text) => Ok(text),
            other @ (Value::Number(_) | Value::Boolean(_)) => {
                Err(report.at(self, format!("must be a string, not {}: put it in quotes", other.kind())))
            }
            other => Err(report.at(self, format!("must be a string, not {}", other.kind()))),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn boolean(&self, report: &mut Report) -> Result<bool, Reported> {
        match self.value() {
            Value::Boolean(boolean) => Ok(*boolean),
            other => Err(report.at(self, format!("must be `true` or `false`, not {}", other.kind()))),
        }
    }

    /// A whole number within `range`, in decimal digits.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn integer(&self, range: RangeInclusive<u32>, report: &mut Report) -> Result<u32, Reported> {
        let (min, max) = (range.start(), range.end());
        let digits = |written: &str| written.bytes().all(|byte| byte.is_ascii_digit());
        match self.value() {
            Value::Number(written) if digits(written) => match written.parse() {
                Ok(number) if range.contains(&number) => Ok(number),
                Ok(number) if number < *min => Err(report.at(self, format!("must be at least {min}"))),
                _ => Err(report.at(self, format!("must be at most {max}"))),
            },
            _ => Err(report.at(self, format!("must be a whole number of {min} to {max}"))),
        }
    }

    /// The items of a list that is not empty.
    ///
    /// # Errors
    /// Anything else: an empty list in a policy reads like "any" to some and like "none" to others.
    pub(crate) fn items(&self, report: &mut Report) -> Result<Vec<Field<'n>>, Reported> {
        match self.value() {
            Value::Sequence(nodes) if nodes.is_empty() => Err(report.at(self, "must not be an empty list")),
            Value::Sequence(nodes) => Ok(nodes
                .iter()
                .enumerate()
                .map(|(index, node)| Self { file: self.file, path: format!("{}[{index}]", self.path), node })
                .collect()),
            other => Err(report.at(self, format!("must be a list, not {}", other.kind()))),
        }
    }

    /// One of a closed set of words.
    ///
    /// # Errors
    /// Anything else; the error names the words.
    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)], report: &mut Report) -> Result<T, Reported> {
        let text = self.text(report)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*meaning);
        }
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        Err(report.at(self, format!("`{text}` is unknown; known are {}", words.join(", "))))
    }
}
