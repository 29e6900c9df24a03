//! HTTP/1.1 messages read from a stream, for the raw client and the raw upstream alike.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::message::Field;
use crate::error::{IoContext, Result, unexpected};

/// No head in any test is longer than this.
const LONGEST_HEAD: usize = 256 * 1024;

/// A buffered reader over one connection.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// A reader with nothing read yet.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The connection, to write to it.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Reads up to the empty line; `None` if the peer closed before the first byte.
    ///
    /// # Errors
    /// A connection cut inside a head.
    pub async fn head(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return Ok(Some(self.buffer.drain(..end + 4).collect()));
            }
            if self.buffer.len() > LONGEST_HEAD {
                return Err(unexpected("a head without an end"));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(unexpected("a head cut short")) };
            }
        }
    }

    /// Reads a body framed as `fields` say; one without framing lasts to the end of the stream if `to_end`.
    ///
    /// # Errors
    /// A connection cut inside the body, or framing that cannot be read.
    pub async fn body(&mut self, fields: &[Field], to_end: bool) -> Result<Vec<u8>> {
        if value(fields, b"transfer-encoding").is_some_and(|coding| find(coding, b"chunked").is_some()) {
            return self.chunks().await;
        }
        if let Some(length) = value(fields, b"content-length") {
            return self.exactly(number(length, 10)?).await;
        }
        if to_end { self.rest().await } else { Ok(Vec::new()) }
    }

    /// Reads everything until the peer closes.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn rest(&mut self) -> Result<Vec<u8>> {
        while self.fill().await? {}
        Ok(std::mem::take(&mut self.buffer))
    }

    async fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = number(size, 16)?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.exactly(size).await?);
            self.line().await?;
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let mut line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                line.truncate(end);
                return Ok(line);
            }
            if !self.fill().await? {
                return Err(unexpected("a line cut short"));
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.buffer.len() < length {
            if !self.fill().await? {
                return Err(unexpected(format!("{} of {length} body bytes", self.buffer.len())));
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn fill(&mut self) -> Result<bool> {
        let read = self.stream.read_buf(&mut self.buffer).await;
        Ok(read.context(|| "read from a connection".to_owned())? > 0)
    }
}

/// The first value of a field, by its lowercase name.
pub fn value<'a>(fields: &'a [Field], name: &[u8]) -> Option<&'a [u8]> {
    fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
}

/// Where `needle` begins in `haystack`.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn number(text: &[u8], radix: u32) -> Result<usize> {
    let text = std::str::from_utf8(text).map_err(unexpected)?;
    usize::from_str_radix(text.trim(), radix).map_err(unexpected)
}
