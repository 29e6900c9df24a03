//! What an attacker does to a token's text.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use curve25519_dalek::scalar::Scalar;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    spec::encode,
    values::{Values, set, unescape},
};
use crate::error::{Result, unexpected};

/// Order of the Ed25519 base point, little endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// One of the three parts of a compact JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The protected header.
    Header,
    /// The claims.
    Payload,
    /// The signature.
    Signature,
}

/// One change. Texts may hold `\xNN` escapes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mutation {
    // Before signing: the issuer itself would have signed this.
    /// Puts text before the closing brace of the header.
    HeaderAppend(String),
    /// Puts text before the closing brace of the payload.
    PayloadAppend(String),
    /// Puts text before the payload.
    PayloadPrefix(String),
    /// Puts text behind the payload.
    PayloadSuffix(String),
    /// Replaces the payload.
    PayloadText(String),
    /// Replaces the header.
    HeaderText(String),
    /// Adds a claim of this many bytes.
    Oversize(usize),

    // After signing: re-encodings and tampering by whoever holds the token.
    /// Changes claims under the old signature.
    Tamper(Map<String, Value>),
    /// Adds JSON whitespace to the header or payload under the old signature.
    Rewrite(Part),
    /// Adds base64 padding.
    Pad(Part),
    /// Sets unused bits of the last base64 character; before signing, JSON whitespace makes sure there are any.
    TrailingBits(Part),
    /// Uses `+` and `/` instead of `-` and `_`.
    StandardAlphabet(Part),
    /// Puts text behind a part.
    Append(Part, String),
    /// Drops characters from the end of a part.
    Truncate(Part, usize),
    /// Replaces a part's text.
    Replace(Part, String),
    /// Flips bits (a mask) of a byte of the signature.
    FlipSignatureBits(usize, u8),
    /// (R, -S).
    NegateS,
    /// (R, S + L): the same residue, a second encoding.
    AddOrder,
    /// Takes the last part away.
    DropSignature,
    /// Puts a text before the whole token.
    Before(String),
    /// Puts a text behind the whole token.
    After(String),
    /// JWS JSON serialization instead of the compact one.
    JsonSerialization,
}

/// A token in the making.
#[derive(Debug)]
pub(super) struct Draft {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    parts: [Vec<u8>; 3],
    whole: Option<Vec<u8>>,
}

/// What the holder of an issued token makes of it; only what is done after signing makes sense.
///
/// # Errors
/// No token, or one that this cannot be done to.
pub fn re_encode(token: &[u8], mutation: &Mutation) -> Result<Vec<u8>> {
    let mut draft = Draft::issued(token)?;
    mutation.after_signing(&mut draft, &Values::default())?;
    Ok(draft.finish())
}

impl Draft {
    /// A token as its holder has it.
    fn issued(token: &[u8]) -> Result<Self> {
        let parts: Vec<Vec<u8>> = token.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
        let parts: [Vec<u8>; 3] = parts.try_into().map_err(|_| unexpected("no token"))?;
        let [header, payload, signature] = parts.clone().map(|part| URL_SAFE_NO_PAD.decode(part));
        let mut draft = Self::new(header.map_err(unexpected)?, payload.map_err(unexpected)?);
        draft.signature = signature.map_err(unexpected)?;
        draft.parts = parts;
        Ok(draft)
    }

    pub(super) fn new(header: Vec<u8>, payload: Vec<u8>) -> Self {
        Self { header, payload, signature: Vec::new(), parts: Default::default(), whole: None }
    }

    pub(super) fn sign(&mut self, sign: impl FnOnce(&[u8]) -> Vec<u8>) {
        let (header, payload) = (encode(&self.header), encode(&self.payload));
        let message = [header.as_slice(), b".", &payload].concat();
        self.signature = sign(&message);
        self.parts = [header, payload, encode(&self.signature)];
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.whole.unwrap_or_else(|| self.parts.join(&b'.'))
    }

    fn part(&mut self, part: Part) -> &mut Vec<u8> {
        let [header, payload, signature] = &mut self.parts;
        match part {
            Part::Header => header,
            Part::Payload => payload,
            Part::Signature => signature,
        }
    }

    fn set_signature(&mut self, signature: &[u8]) {
        *self.part(Part::Signature) = encode(signature);
    }

    fn scalar(&self) -> Result<[u8; 32]> {
        self.signature
            .get(32..64)
            .and_then(|s| s.try_into().ok())
            .ok_or_else(|| unexpected("no Ed25519 signature"))
    }
}

impl Mutation {
    pub(super) fn before_signing(&self, draft: &mut Draft) -> Result<()> {
        match self {
            Self::HeaderAppend(text) => append_member(&mut draft.header, text)?,
            Self::PayloadAppend(text) => append_member(&mut draft.payload, text)?,
            Self::PayloadPrefix(text) => {
                draft.payload.splice(..0, unescape(text)?);
            }
            Self::PayloadSuffix(text) => draft.payload.extend(unescape(text)?),
            Self::PayloadText(text) => draft.payload = unescape(text)?,
            Self::HeaderText(text) => draft.header = unescape(text)?,
            Self::TrailingBits(Part::Header) => pad_to_spare_bits(&mut draft.header),
            Self::TrailingBits(Part::Payload) => pad_to_spare_bits(&mut draft.payload),
            Self::Oversize(length) => {
                append_member(&mut draft.payload, &format!(",\"pad\":\"{}\"", "a".repeat(*length)))?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn after_signing(&self, draft: &mut Draft, values: &Values) -> Result<()> {
        match self {
            Self::Tamper(claims) => {
                let mut payload: Map<String, Value> =
                    serde_json::from_slice(&draft.payload).map_err(unexpected)?;
                for (place, value) in claims {
                    set(&mut payload, place, value)?;
                }
                let payload = values.resolve_members(&payload)?;
                *draft.part(Part::Payload) = encode(&serde_json::to_vec(&payload).map_err(unexpected)?);
            }
            Self::Rewrite(part) => {
                let json = if *part == Part::Header { &draft.header } else { &draft.payload };
                let json: Value = serde_json::from_slice(json).map_err(unexpected)?;
                *draft.part(*part) = encode(&serde_json::to_vec_pretty(&json).map_err(unexpected)?);
            }
            Self::Pad(part) => {
                let text = draft.part(*part);
                let missing = (4 - text.len() % 4) % 4;
                text.extend(vec![b'='; missing.max(1)]);
            }
            Self::TrailingBits(part) => trailing_bits(draft.part(*part))?,
            Self::StandardAlphabet(part) => {
                for byte in draft.part(*part) {
                    *byte = match *byte {
                        b'-' => b'+',
                        b'_' => b'/',
                        other => other,
                    };
                }
            }
            Self::Append(part, text) => draft.part(*part).extend(unescape(text)?),
            Self::Truncate(part, count) => {
                let text = draft.part(*part);
                text.truncate(text.len().saturating_sub(*count));
            }
            Self::Replace(part, text) => *draft.part(*part) = unescape(text)?,
            Self::FlipSignatureBits(at, mask) => {
                let mut signature = draft.signature.clone();
                *signature.get_mut(*at).ok_or_else(|| unexpected("a short signature"))? ^= mask;
                draft.set_signature(&signature);
            }
            Self::NegateS => {
                let negated = -Scalar::from_bytes_mod_order(draft.scalar()?);
                let signature = [draft.signature.get(..32).unwrap_or_default(), &negated.to_bytes()].concat();
                draft.set_signature(&signature);
            }
            Self::AddOrder => {
                let sum = add(draft.scalar()?, ORDER);
                let signature = [draft.signature.get(..32).unwrap_or_default(), &sum].concat();
                draft.set_signature(&signature);
            }
            Self::DropSignature => {
                draft.whole = Some([draft.parts[0].as_slice(), b".", &draft.parts[1]].concat());
            }
            Self::Before(text) => draft.whole = Some([unescape(text)?, draft.parts.join(&b'.')].concat()),
            Self::After(text) => draft.whole = Some([draft.parts.join(&b'.'), unescape(text)?].concat()),
            Self::JsonSerialization => {
                let [protected, payload, signature] =
                    draft.parts.clone().map(|part| String::from_utf8_lossy(&part).into_owned());
                let json =
                    serde_json::json!({"protected": protected, "payload": payload, "signature": signature});
                draft.whole = Some(json.to_string().into_bytes());
            }
            _ => {}
        }
        Ok(())
    }
}

fn append_member(json: &mut Vec<u8>, text: &str) -> Result<()> {
    if json.pop() != Some(b'}') {
        return Err(unexpected("no object to append to"));
    }
    json.extend(unescape(text)?);
    json.push(b'}');
    Ok(())
}

/// A length that base64 encodes with unused bits, by JSON whitespace that the issuer signs.
fn pad_to_spare_bits(json: &mut Vec<u8>) {
    if json.len().is_multiple_of(3) {
        json.push(b' ');
    }
}

/// Sets the lowest unused bit of the last character; a text without unused bits is a mistake in the corpus.
fn trailing_bits(text: &mut [u8]) -> Result<()> {
    if text.len().is_multiple_of(4) {
        return Err(unexpected("a text without unused bits"));
    }
    let last = text.last_mut().ok_or_else(|| unexpected("an empty part"))?;
    let index =
        STANDARD.iter().position(|letter| letter == last).ok_or_else(|| unexpected("no base64url"))?;
    *last = *STANDARD.get(index ^ 1).ok_or_else(|| unexpected("no base64url"))?;
    Ok(())
}

fn add(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    let mut carry = 0u16;
    let mut sum = [0u8; 32];
    for ((byte, a), b) in sum.iter_mut().zip(left).zip(right) {
        let [low, high] = (u16::from(a) + u16::from(b) + carry).to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    sum
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine, alphabet, engine::general_purpose::GeneralPurpose,
        engine::general_purpose::GeneralPurposeConfig,
    };

    use super::*;
    use crate::forge::Key;

    /// The parts of a token that was mutated so, and of the one it was made from.
    fn mutated(mutation: &Mutation) -> ([Vec<u8>; 3], [Vec<u8>; 3]) {
        let key = Key::from_seed([1; 32]);
        let mut draft = Draft::new(br#"{"alg":"EdDSA"}"#.to_vec(), br#"{"sub":"a"}"#.to_vec());
        mutation.before_signing(&mut draft).unwrap();
        draft.sign(|message| key.sign(message).to_vec());
        let honest = draft.parts.clone();
        mutation.after_signing(&mut draft, &Values::default()).unwrap();
        (draft.parts, honest)
    }

    /// A decoder that does not mind unused bits, as many do not.
    fn lenient(text: &[u8]) -> Vec<u8> {
        let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
        GeneralPurpose::new(
            &alphabet::URL_SAFE,
            config.with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
        )
        .decode(text)
        .unwrap()
    }

    #[test]
    fn re_encodings_are_other_texts_of_the_same_bytes() {
        for part in [Part::Header, Part::Payload, Part::Signature] {
            for mutation in [Mutation::TrailingBits(part), Mutation::Pad(part)] {
                let (forged, honest) = mutated(&mutation);
                assert_ne!(forged, honest, "{mutation:?}");
                if !matches!(mutation, Mutation::Pad(_)) || honest.iter().all(|part| part.len() % 4 != 0) {
                    assert_eq!(
                        forged.map(|part| lenient(&part)),
                        honest.map(|part| lenient(&part)),
                        "{mutation:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_order_added_to_s_leaves_its_residue() {
        let (forged, honest) = mutated(&Mutation::AddOrder);
        let s = |parts: &[Vec<u8>; 3]| <[u8; 32]>::try_from(&lenient(&parts[2])[32..]).unwrap();
        assert_ne!(s(&forged), s(&honest));
        assert_eq!(Scalar::from_bytes_mod_order(s(&forged)), Scalar::from_bytes_mod_order(s(&honest)));
        let (negated, honest) = mutated(&Mutation::NegateS);
        let sum = Scalar::from_bytes_mod_order(s(&negated)) + Scalar::from_bytes_mod_order(s(&honest));
        assert_eq!(sum, Scalar::ZERO);
    }
}
