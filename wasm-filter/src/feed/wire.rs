//! Protobuf's wire form (proto3), as far as the feed's messages need it.
//!
//! The messages themselves are defined in `crates/proto`, and a test holds the two together. Their generated code would
//! cost the filter a thirtieth of its size, and copy every piece of a snapshot.

use thiserror::Error;

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a message")]
pub struct Malformed;

/// A field's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'m> {
    /// Wire type 0.
    Number(u64),
    /// Wire type 2: bytes, a text or a message.
    Bytes(&'m [u8]),
    /// Wire types 1 and 5, which the feed does not use; a later release may.
    Fixed,
}

/// The fields of a message, in the order in which they stand there; ends after the first that is malformed.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'m>(&'m [u8]);

impl<'m> Fields<'m> {
    /// The fields of `message`.
    #[must_use]
    pub fn of(message: &'m [u8]) -> Self {
        Self(message)
    }

    fn read(&mut self) -> Result<(u64, Value<'m>), Malformed> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.skip(8)?,
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.skip(4)?,
            // Groups ended with proto2.
            _ => return Err(Malformed),
        };
        Ok((key >> 3, value))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            // The tenth byte has room for one bit more than there are; every reader drops the rest of it.
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, length: usize) -> Result<&'m [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn skip(&mut self, length: usize) -> Result<Value<'m>, Malformed> {
        self.take(length).map(|_| Value::Fixed)
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Result<(u64, Value<'m>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// Appends a number, unless it is zero: every proto3 writer leaves that out. Fields have numbers below 16.
pub fn put_number(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        out.push(field << 3);
        put_varint(out, value);
    }
}

/// The bytes that [`put_number`] appends.
#[must_use]
pub fn number_length(value: u64) -> usize {
    if value == 0 { 0 } else { varint_length(value).saturating_add(1) }
}

/// Appends a text, unless it is empty.
pub fn put_text(out: &mut Vec<u8>, field: u8, text: &str) {
    put_bytes(out, field, text.as_bytes());
}

/// Appends bytes, unless there are none.
pub fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_message(out, field, bytes);
    }
}

/// The bytes that [`put_text`] appends.
#[must_use]
pub fn text_length(text: &str) -> usize {
    if text.is_empty() { 0 } else { header_length(text.len()).saturating_add(text.len()) }
}

/// Appends a message, also an empty one.
pub fn put_message(out: &mut Vec<u8>, field: u8, message: &[u8]) {
    put_header(out, field, message.len());
    out.extend_from_slice(message);
}

/// Appends the beginning of a message of so many bytes.
pub fn put_header(out: &mut Vec<u8>, field: u8, length: usize) {
    out.push(field << 3 | 2);
    put_varint(out, wide(length));
}

/// The bytes that [`put_header`] appends.
#[must_use]
pub fn header_length(length: usize) -> usize {
    varint_length(wide(length)).saturating_add(1)
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // The low seven bits, and a sign that more follow.
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

fn low_byte(value: u64) -> u8 {
    let [byte, ..] = value.to_le_bytes();
    byte
}

fn varint_length(value: u64) -> usize {
    // Seven bits a byte, and a byte for zero.
    let bits = u64::BITS.saturating_sub((value | 1).leading_zeros());
    usize::try_from(bits.div_ceil(7)).unwrap_or(usize::MAX)
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
