//! The path, as segments that every upstream reads alike; anything else is ambiguous.

use alloc::{borrow::Cow, vec::Vec};

use super::{Leniencies, percent};
use crate::denial::{DenialCode, Refusal};

/// Most segments read; a longer path matches no rule anyway.
const MAX_SEGMENTS: usize = 128;

/// `:path` in two: the path's bytes, and the query's if there is a `?`.
pub(crate) fn split(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match raw.iter().position(|&byte| byte == b'?') {
        Some(at) => {
            let (path, rest) = raw.split_at(at);
            (path, rest.get(1..))
        }
        None => (raw, None),
    }
}

/// Reads a path's segments, each decoded once.
///
/// # Errors
/// `ambiguous_request` for whatever two parsers may read differently.
pub(crate) fn read(path: &[u8], leniencies: Leniencies) -> Result<Vec<Cow<'_, str>>, Refusal> {
    let Some(rest) = path.strip_prefix(b"/") else {
        return Err(ambiguous("path does not begin with `/`"));
    };
    let rest = match rest.strip_suffix(b"/") {
        Some(shorter) if leniencies.trailing_slash => shorter,
        _ => rest,
    };
    if rest.is_empty() {
        return if path == b"/" { Ok(Vec::new()) } else { Err(ambiguous("empty path segment")) };
    }
    let mut segments = Vec::with_capacity(8);
    for raw in rest.split(|&byte| byte == b'/') {
        if segments.len() == MAX_SEGMENTS {
            return Err(ambiguous("more than 128 path segments"));
        }
        segments.push(read_segment(raw, leniencies)?);
    }
    Ok(segments)
}

fn read_segment(raw: &[u8], leniencies: Leniencies) -> Result<Cow<'_, str>, Refusal> {
    // Nearly every segment: nothing in it has a second reading, whoever reads it.
    if raw.iter().all(is_plain)
        && !matches!(raw, b"" | b"." | b"..")
        && let Ok(segment) = core::str::from_utf8(raw)
    {
        return Ok(Cow::Borrowed(segment));
    }
    // `#` begins a fragment, which never goes over the wire; whoever sends one hopes that someone cuts there.
    if raw.contains(&b'#') {
        return Err(ambiguous("`#` in the path"));
    }
    let segment = percent::decode(raw, false).map_err(|error| ambiguous(error.detail()))?;
    match &*segment {
        "" => return Err(ambiguous("empty path segment")),
        "." | ".." => return Err(ambiguous("dot segment")),
        _ => {}
    }
    for character in segment.chars() {
        match character {
            '/' => return Err(ambiguous("percent-encoded `/`")),
            '\\' => return Err(ambiguous("backslash in the path")),
            '%' => return Err(ambiguous("percent-encoding within percent-encoding")),
            ';' if !leniencies.semicolon => return Err(ambiguous("`;` in the path")),
            _ => {}
        }
    }
    // `..;x` is a dot segment for servers that cut path parameters before they resolve dots.
    if leniencies.semicolon && matches!(segment.split(';').next(), Some("" | "." | "..")) {
        return Err(ambiguous("dot or empty segment before `;`"));
    }
    Ok(segment)
}

/// Unreserved characters (RFC 3986 section 2.3).
fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn ambiguous(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::AmbiguousRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Leniencies = Leniencies { trailing_slash: false, semicolon: false };

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(read(b"/", STRICT).unwrap(), [""; 0]);
        assert_eq!(read(b"/a/b%20c", STRICT).unwrap(), ["a", "b c"]);
        assert_eq!(read(b"/%62ookings", STRICT).unwrap(), ["bookings"]);
        assert_eq!(read(b"/a%3Fb", STRICT).unwrap(), ["a?b"]);
        assert_eq!(split(b"/a?b?c"), (&b"/a"[..], Some(&b"b?c"[..])));
    }

    #[test]
    fn what_reads_two_ways_is_ambiguous() {
        for path in [
            &b""[..],
            b"*",
            b"a",
            b"//",
            b"//a",
            b"/a//b",
            b"/a/",
            b"/.",
            b"/a/../b",
            b"/a/%2e%2E/b",
            b"/%2e",
            b"/a%2Fb",
            b"/a%5Cb",
            b"/a\\b",
            b"/a%252e",
            b"/a%",
            b"/a%2",
            b"/a%zz",
            b"/a#b",
            b"/a;b",
            b"/..;x/a",
            b"/a%3Bb",
            b"/a%00",
            b"/a%0a",
            b"/a%7F",
            b"/a%c2%80",
            b"/a%ff",
            b"/a\xc3\xa9",
            b"/a b",
            b"/a\x00",
        ] {
            assert!(read(path, STRICT).is_err(), "{:?}", std::string::String::from_utf8_lossy(path));
        }
    }

    #[test]
    fn leniencies_open_only_what_they_name() {
        let slash = Leniencies { trailing_slash: true, ..STRICT };
        assert_eq!(read(b"/a/", slash).unwrap(), ["a"]);
        assert_eq!(read(b"/", slash).unwrap(), [""; 0]);
        assert!(read(b"//", slash).is_err() && read(b"/a//", slash).is_err());
        let semicolon = Leniencies { semicolon: true, ..STRICT };
        assert_eq!(read(b"/a;v=1", semicolon).unwrap(), ["a;v=1"]);
        for path in [&b"/..;x"[..], b"/.;/a", b"/;/a", b"/%2e%2e;x/a"] {
            assert!(read(path, semicolon).is_err());
        }
    }
}
