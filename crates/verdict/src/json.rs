//! JSON (RFC 8259) that reads in one way only, and what pointers (RFC 6901) find in it.
//!
//! Written here, because a verdict must not rest on a reader that is kinder than others: parsers differ about which of
//! two equal names counts, whether names differ by case, and what follows the value. Whatever they differ about is a
//! [`Fault`].

mod names;
mod pointer;
mod text;

use alloc::{borrow::Cow, vec::Vec};

pub use pointer::{MAX_POINTERS, Pointer, PointerError};

use names::Names;

/// Deepest nesting of objects and arrays.
pub const MAX_DEPTH: usize = 32;

/// A value that is neither object nor array nor `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar<'b> {
    /// A string, unescaped.
    Text(Cow<'b, str>),
    /// A number, as it is written.
    Number(&'b str),
    /// `true` or `false`.
    Boolean(bool),
}

/// Why bytes are not taken for one JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not UTF-8; a byte order mark is no part of JSON either, which is [`Syntax`](Self::Syntax).
    Utf8,
    /// Not the grammar, or more than one value.
    Syntax,
    /// Nested deeper than [`MAX_DEPTH`].
    Depth,
    /// Half of a surrogate pair.
    Surrogate,
    /// A control character where it may end or hide text: in a name, or in a string that is pointed at.
    Control,
    /// Two equal names in one object.
    Duplicate,
    /// Two names in one object that differ by case only, or one that differs so from a name that is pointed at.
    Case,
}

/// Reads `bytes` as one JSON value and finds the scalars that `pointers` point at, in their order. `None` for what is
/// absent, `null`, an object or an array; of more than [`MAX_POINTERS`] pointers the rest find nothing.
///
/// # Errors
/// See [`Fault`].
pub fn scan<'b>(bytes: &'b [u8], pointers: &[Pointer]) -> Result<Vec<Option<Scalar<'b>>>, Fault> {
    let text = core::str::from_utf8(bytes).map_err(|_| Fault::Utf8)?;
    let mut found = Vec::new();
    found.resize_with(pointers.len(), || None);
    let mut scanner = Scanner { text, at: 0, pointers, found, names: Names::default() };
    scanner.value(0, pointer::all(pointers))?;
    scanner.skip_space();
    if scanner.peek().is_some() {
        return Err(Fault::Syntax);
    }
    Ok(scanner.found)
}

struct Scanner<'b, 'p> {
    text: &'b str,
    /// Index of the next byte.
    at: usize,
    pointers: &'p [Pointer],
    found: Vec<Option<Scalar<'b>>>,
    names: Names<'b>,
}

impl<'b> Scanner<'b, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Takes `byte`, if it is the next one.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// What was read since `start`.
    fn since(&self, start: usize) -> &'b str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// A value inside `depth` others, with those of the pointers that lead to it or into it.
    fn value(&mut self, depth: usize, pointers: u64) -> Result<(), Fault> {
        self.skip_space();
        let scalar = match self.peek() {
            Some(b'{') => return self.object(deeper(depth)?, pointers),
            Some(b'[') => return self.array(deeper(depth)?, pointers),
            Some(b'"') => Some(Scalar::Text(self.string()?)),
            Some(b't') => self.word("true", Some(Scalar::Boolean(true)))?,
            Some(b'f') => self.word("false", Some(Scalar::Boolean(false)))?,
            Some(b'n') => self.word("null", None)?,
            _ => Some(Scalar::Number(self.number()?)),
        };
        self.keep(depth, pointers, scalar.as_ref())
    }

    /// Remembers the value for the pointers that end at it.
    fn keep(&mut self, depth: usize, pointers: u64, scalar: Option<&Scalar<'b>>) -> Result<(), Fault> {
        if pointers == 0 {
            return Ok(());
        }
        for (index, (pointer, slot)) in self.pointers.iter().zip(&mut self.found).enumerate() {
            if !pointer::holds(pointers, index) || pointer.len() != depth {
                continue;
            }
            if matches!(scalar, Some(Scalar::Text(text)) if text.chars().any(char::is_control)) {
                return Err(Fault::Control);
            }
            *slot = scalar.cloned();
        }
        Ok(())
    }

    fn object(&mut self, depth: usize, pointers: u64) -> Result<(), Fault> {
        self.at += 1;
        let outer = self.names.begin();
        self.skip_space();
        if !self.take(b'}') {
            loop {
                self.skip_space();
                let name = self.string()?;
                if name.chars().any(char::is_control) {
                    return Err(Fault::Control);
                }
                let inner = pointer::enter_member(self.pointers, pointers, depth, &name)?;
                self.names.add(name);
                self.skip_space();
                if !self.take(b':') {
                    return Err(Fault::Syntax);
                }
                self.value(depth, inner)?;
                self.skip_space();
                match self.next() {
                    Some(b',') => {}
                    Some(b'}') => break,
                    _ => return Err(Fault::Syntax),
                }
            }
        }
        self.names.end(outer)
    }

    fn array(&mut self, depth: usize, pointers: u64) -> Result<(), Fault> {
        self.at += 1;
        self.skip_space();
        if self.take(b']') {
            return Ok(());
        }
        let mut index = 0;
        loop {
            let inner = pointer::enter_item(self.pointers, pointers, depth, index);
            self.value(depth, inner)?;
            self.skip_space();
            match self.next() {
                Some(b',') => index += 1,
                Some(b']') => return Ok(()),
                _ => return Err(Fault::Syntax),
            }
        }
    }

    fn word(&mut self, word: &str, meaning: Option<Scalar<'b>>) -> Result<Option<Scalar<'b>>, Fault> {
        let start = self.at;
        self.at = self.at.saturating_add(word.len());
        if self.since(start) == word { Ok(meaning) } else { Err(Fault::Syntax) }
    }

    /// `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`
    fn number(&mut self) -> Result<&'b str, Fault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(self.since(start))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(Fault::Syntax) } else { Ok(()) }
    }
}

fn deeper(depth: usize) -> Result<usize, Fault> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(Fault::Depth) }
}

impl Fault {
    /// For logs.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Utf8 => "the body is not UTF-8",
            Self::Syntax => "the body is not one JSON value",
            Self::Depth => "the body's JSON is nested deeper than 32 levels",
            Self::Surrogate => "the body's JSON has half of a surrogate pair",
            Self::Control => "the body's JSON has a control character in a name or a parameter",
            Self::Duplicate => "the body's JSON has one name twice in an object",
            Self::Case => "the body's JSON has a name that differs from another by case only",
        }
    }
}
