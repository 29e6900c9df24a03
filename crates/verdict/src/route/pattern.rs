//! Path templates: `/`, `/{bucket}`, `/v1/{bucket}/{*key}`.

use alloc::{string::String, vec::Vec};

/// A parsed path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPattern {
    pub(crate) segments: Vec<Segment>,
    /// The name of a final `{*name}`: one or more further segments.
    pub(crate) rest: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    Capture(String),
}

/// Where a captured name's text is, in a path that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Captured {
    /// The segment with this index.
    Segment(usize),
    /// All segments from this index on.
    Rest(usize),
}

impl PathPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix('/').ok_or("a path begins with `/`")?;
        let mut pattern = Self { segments: Vec::new(), rest: None };
        if rest.is_empty() {
            return Ok(pattern);
        }
        for part in rest.split('/') {
            if pattern.rest.is_some() {
                return Err("`{*name}` is the last segment");
            }
            pattern.push(part)?;
        }
        Ok(pattern)
    }

    fn push(&mut self, part: &str) -> Result<(), &'static str> {
        let Some(inner) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            check_literal(part)?;
            self.segments.push(Segment::Literal(part.into()));
            return Ok(());
        };
        let (deep, name) = inner.strip_prefix('*').map_or((false, inner), |name| (true, name));
        if !is_capture_name(name) {
            return Err("a placeholder is `{name}` or `{*name}` of letters, digits and `_`");
        }
        if self.find(name).is_some() {
            return Err("a placeholder appears twice");
        }
        if deep {
            self.rest = Some(name.into());
        } else {
            self.segments.push(Segment::Capture(name.into()));
        }
        Ok(())
    }

    /// Where the text captured under `name` is.
    pub(crate) fn find(&self, name: &str) -> Option<Captured> {
        let is_named = |segment: &Segment| matches!(segment, Segment::Capture(own) if own == name);
        match self.segments.iter().position(is_named) {
            Some(index) => Some(Captured::Segment(index)),
            None => (self.rest.as_deref() == Some(name)).then_some(Captured::Rest(self.segments.len())),
        }
    }
}

/// A literal that no decoded segment equals would be a rule that never matches.
fn check_literal(text: &str) -> Result<(), &'static str> {
    if matches!(text, "" | "." | "..") {
        return Err("an empty or dot segment never matches");
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '%' | '\\' | '?' | '#' | ';')) {
        return Err("never matches: write literals decoded, without `%`, `\\`, `?`, `#` and `;`");
    }
    if text.contains(['{', '}', '*']) {
        return Err("a placeholder is a whole segment");
    }
    Ok(())
}

pub(super) fn is_capture_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
