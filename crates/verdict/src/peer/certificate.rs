//! The URIs in an X.509 certificate. Envoy has validated it; what is left to read is one extension.
//!
//! A full X.509 reader would be an eighth of the whole filter's size.

use alloc::vec::Vec;

use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged, asn1::AnyRef};

/// `id-ce-subjectAltName` (RFC 5280 section 4.2.1.6), DER content bytes.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// `GeneralName` choice `uniformResourceIdentifier [6]`.
const URI: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(6) };
/// `extensions [3] EXPLICIT` of a `TBSCertificate` (RFC 5280 section 4.1).
const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };

/// Every URI among the subject alternative names, byte for byte. `None` for what is no certificate, or one that
/// has the extension twice.
pub(super) fn uri_names(certificate: &[u8]) -> Option<Vec<&[u8]>> {
    let [tbs, _algorithm, _signature] = members(AnyRef::from_der(certificate).ok()?)?.try_into().ok()?;
    let mut uris = Vec::new();
    let mut seen = false;
    for explicit in members(tbs)?.into_iter().filter(|member| member.tag() == EXTENSIONS) {
        let [list]: [AnyRef<'_>; 1] = members(explicit)?.try_into().ok()?;
        for extension in members(list)? {
            let parts = members(extension)?;
            // `critical` may stand between the two.
            let (id, value) = (parts.first()?, parts.last()?);
            if id.tag() != Tag::ObjectIdentifier || id.value() != SUBJECT_ALT_NAME {
                continue;
            }
            if seen || value.tag() != Tag::OctetString {
                return None;
            }
            seen = true;
            let names = members(AnyRef::from_der(value.value()).ok()?)?;
            uris.extend(names.into_iter().filter(|name| name.tag() == URI).map(AnyRef::value));
        }
    }
    Some(uris)
}

/// What a constructed value consists of.
fn members(constructed: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    if !constructed.tag().is_constructed() {
        return None;
    }
    let mut reader = SliceReader::new(constructed.value()).ok()?;
    let mut members = Vec::new();
    while !reader.is_finished() {
        members.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(members)
}
