//! Strings and their escapes (RFC 8259 section 7).

use alloc::{borrow::Cow, string::String};

use super::{Fault, Scanner};

impl<'b> Scanner<'b, '_> {
    /// The string that begins here, unescaped; borrowed where it has no escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'b, str>, Fault> {
        if !self.take(b'"') {
            return Err(Fault::Syntax);
        }
        let plain = self.plain();
        if self.take(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = String::from(plain);
        loop {
            match self.next() {
                Some(b'"') => return Ok(Cow::Owned(text)),
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(Fault::Syntax),
            }
            text.push_str(self.plain());
        }
    }

    /// Everything up to a quote, an escape, or what may not stand in a string.
    fn plain(&mut self) -> &'b str {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
        self.since(start)
    }

    fn escape(&mut self) -> Result<char, Fault> {
        Ok(match self.next() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err(Fault::Syntax),
        })
    }

    /// What follows `\u`: one code unit, or two that are a surrogate pair.
    fn code_point(&mut self) -> Result<char, Fault> {
        let first = self.code_unit()?;
        let code = match first {
            0xD800..0xDC00 => {
                if !(self.take(b'\\') && self.take(b'u')) {
                    return Err(Fault::Surrogate);
                }
                match self.code_unit()? {
                    second @ 0xDC00..0xE000 => 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00),
                    _ => return Err(Fault::Surrogate),
                }
            }
            other => other,
        };
        char::from_u32(code).ok_or(Fault::Surrogate)
    }

    fn code_unit(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(Fault::Syntax)?;
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }
}
