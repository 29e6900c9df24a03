//! How much of a request's body a question has, and whether that is all of it.
//!
//! Envoy asks when the body has ended, or when it has as much of it as it is to send. It remarks whether it had more at
//! that moment, and not whether more was to come: a client that sends just so much at first, and the rest a little later,
//! would have its first part judged alone. So the end of a body has to be proven: by its `content-length`, to which
//! Envoy holds the client, or because it is shorter than what Envoy would have sent.

use tonic::metadata::MetadataMap;
use verdict::Body;

use super::{read::Field, wire::Entry};

/// Metadata of the call in which Envoy's configuration says its `max_request_bytes`: without it nobody here knows.
const ANNOUNCED: &str = "x-writ-max-request-bytes";
/// The same from the configuration of a route, which may have another: the lesser counts.
const ANNOUNCED_BY_ROUTE: &[u8] = b"writ_max_request_bytes";

/// What Envoy says in the call's metadata that it sends of a body at most, bytes.
pub(super) fn announced(metadata: &MetadataMap) -> Option<usize> {
    metadata.get(ANNOUNCED)?.to_str().ok()?.parse().ok()
}

/// What came of a body, as Envoy puts it.
#[derive(Debug)]
pub(super) struct SentBody<'q> {
    pub(super) bytes: Vec<u8>,
    /// Values of Envoy's remark that there is more.
    pub(super) remarks: Vec<Vec<u8>>,
    /// What Envoy sends at most, bytes, if it says so.
    pub(super) announced: Option<usize>,
    pub(super) extensions: &'q [Entry],
}

/// A body in owned form.
#[derive(Debug)]
pub(super) enum RequestBody {
    Absent,
    Whole(Vec<u8>),
    TooLarge,
    Unproven,
}

impl SentBody<'_> {
    /// What is known of the body of a request with these fields.
    pub(super) fn read(self, headers: &[Field]) -> RequestBody {
        let most = self.most();
        let Self { bytes, remarks, .. } = self;
        if bytes.is_empty() {
            return RequestBody::Absent;
        }
        if remarks.iter().any(|remark| remark != b"false") {
            return RequestBody::TooLarge;
        }
        let promised = || {
            let mut lengths = headers.iter().filter(|(name, _)| name == b"content-length");
            lengths.any(|(_, length)| length == bytes.len().to_string().as_bytes())
        };
        match most {
            Some(most) if bytes.len() < most => RequestBody::Whole(bytes),
            _ if promised() => RequestBody::Whole(bytes),
            Some(_) => RequestBody::TooLarge,
            None => RequestBody::Unproven,
        }
    }

    fn most(&self) -> Option<usize> {
        // A route's value that is no number promises nothing, and what is shorter than nothing is no body.
        let of_route = self.extensions.iter().filter(|entry| entry.key == ANNOUNCED_BY_ROUTE);
        let of_route = of_route.map(|entry| {
            std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
        });
        of_route.chain(self.announced).min()
    }
}

impl RequestBody {
    pub(super) fn view(&self) -> Body<'_> {
        match self {
            Self::Absent => Body::Absent,
            Self::Whole(bytes) => Body::Whole(bytes),
            Self::TooLarge => Body::TooLarge,
            Self::Unproven => Body::Unread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], remarks: &[&str], announced: Option<usize>, length: Option<&str>) -> RequestBody {
        let remarks = remarks.iter().map(|remark| remark.as_bytes().to_vec()).collect();
        let headers: Vec<Field> =
            length.iter().map(|length| (b"content-length".to_vec(), length.as_bytes().to_vec())).collect();
        SentBody { bytes: bytes.to_vec(), remarks, announced, extensions: &[] }.read(&headers)
    }

    #[test]
    fn only_a_proven_end_is_one() {
        for (bytes, remarks, announced, length, whole) in [
            (&b"{}"[..], &["false"][..], Some(3), None, true),
            (b"{}", &[], Some(3), None, true),
            (b"{}", &["false"], None, Some("2"), true),
            (b"{}", &["false"], Some(2), Some("2"), true),
            (b"{}", &["false"], Some(2), None, false),
            (b"{}", &["false"], Some(2), Some("3"), false),
            (b"{}", &["false"], None, None, false),
            (b"{}", &["true"], Some(3), Some("2"), false),
            (b"{}", &["false", "true"], Some(3), Some("2"), false),
            (b"{}", &["False"], Some(3), Some("2"), false),
        ] {
            let body = read(bytes, remarks, announced, length);
            assert_eq!(matches!(body, RequestBody::Whole(_)), whole, "{remarks:?} {announced:?} {length:?}");
        }
        assert!(matches!(read(b"", &[], None, None), RequestBody::Absent));
    }

    #[test]
    fn a_route_says_less_and_never_more() {
        let entry =
            |value: &str| Entry { key: ANNOUNCED_BY_ROUTE.to_vec(), value: value.as_bytes().to_vec() };
        for (value, whole) in
            [("3", true), ("2", false), ("1", false), ("99", true), ("many", false), ("", false)]
        {
            let extensions = [entry(value)];
            let sent = SentBody {
                bytes: b"{}".to_vec(),
                remarks: Vec::new(),
                announced: Some(3),
                extensions: &extensions,
            };
            assert_eq!(matches!(sent.read(&[]), RequestBody::Whole(_)), whole, "`{value}`");
        }
    }
}
