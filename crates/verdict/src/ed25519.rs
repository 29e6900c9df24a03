//! Ed25519 verification with two precomputed tables: one of the base point, one of the key.
//!
//! A data plane checks many signatures under few keys. With a table of multiples of `-A` beside the one of `B`, both
//! products of `[s]B + [k](-A)` are sums of table entries, which takes about half the time (`benches/runs/`). It
//! accepts and refuses exactly what `ed25519_dalek::VerifyingKey::verify_strict` does; tests hold it to that.

mod table;

use alloc::boxed::Box;
use core::fmt;

use curve25519_dalek::{
    constants::ED25519_BASEPOINT_POINT, edwards::CompressedEdwardsY, scalar::Scalar, traits::IsIdentity,
};
use once_cell::race::OnceBox;
use sha2::{Digest, Sha512};
use thiserror::Error;

use table::MultiplesTable;

/// Bytes of a public key (RFC 8032 section 5.1.5).
pub const KEY_LENGTH: usize = 32;
/// Bytes of a signature (RFC 8032 section 5.1.6).
pub const SIGNATURE_LENGTH: usize = 64;

/// Multiples of the base point, made when the first key is read.
static BASE_POINT: OnceBox<MultiplesTable> = OnceBox::new();

/// A public key with its table; about 330 KB.
#[derive(Clone)]
pub struct VerifyingKey {
    encoded: [u8; KEY_LENGTH],
    minus_a: MultiplesTable,
    base_point: &'static MultiplesTable,
}

/// Bytes that are no usable public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not the encoding of a point.
    #[error("not a point of the curve")]
    NotAPoint,
    /// A point of small order: signatures under it prove nothing.
    #[error("a point of small order")]
    SmallOrder,
}

/// The signature is not one of this message under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("bad signature")]
pub struct BadSignature;

impl VerifyingKey {
    /// Reads a public key and prepares its table, which costs about as much as twenty verifications.
    ///
    /// # Errors
    /// Bytes that are not a point, or a point of small order.
    pub fn from_bytes(encoded: &[u8; KEY_LENGTH]) -> Result<Self, KeyError> {
        let point = CompressedEdwardsY(*encoded).decompress().ok_or(KeyError::NotAPoint)?;
        if point.is_small_order() {
            return Err(KeyError::SmallOrder);
        }
        let base_point = BASE_POINT.get_or_init(|| Box::new(MultiplesTable::of(ED25519_BASEPOINT_POINT)));
        Ok(Self { encoded: *encoded, minus_a: MultiplesTable::of(-point), base_point })
    }

    /// Checks `signature` over `message`.
    ///
    /// Nothing here is secret, so nothing needs to take constant time.
    ///
    /// # Errors
    /// [`BadSignature`], for every reason alike.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> Result<(), BadSignature> {
        let (r_encoded, s_encoded) = signature.split_first_chunk::<32>().ok_or(BadSignature)?;
        let s_encoded: [u8; 32] = s_encoded.try_into().map_err(|_| BadSignature)?;
        // `s` above the group order would be a second encoding of a valid signature.
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s_encoded)).ok_or(BadSignature)?;
        let k = Scalar::from_bytes_mod_order_wide(
            &Sha512::new()
                .chain_update(r_encoded)
                .chain_update(self.encoded)
                .chain_update(message)
                .finalize()
                .into(),
        );
        let expected = table::sum_of_products(&[(self.base_point, &s), (&self.minus_a, &k)]);
        // Comparing encodings refuses every other encoding of R; only the computed point needs the order check.
        if expected.compress().as_bytes() == r_encoded && !expected.mul_by_cofactor().is_identity() {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }

    /// The key as it was read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.encoded
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("VerifyingKey").field(&self.encoded).finish()
    }
}
