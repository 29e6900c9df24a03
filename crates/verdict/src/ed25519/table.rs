//! Multiples of a point, so that a product with it is a sum. In variable time: nothing here is secret.

use alloc::boxed::Box;

use curve25519_dalek::{EdwardsPoint, scalar::Scalar, traits::Identity};

/// Digits of a scalar in radix 256.
const DIGITS: usize = 32;
/// A digit lies in `-128..=128`: a negative multiple is the positive one subtracted.
const MULTIPLES: usize = 128;

/// `[1..=128][65536^i]P` for each `i` below 16: the multiples for every second digit. Those between them are 256
/// times a sum of these, which costs eight doublings and halves the table.
#[derive(Clone)]
pub(super) struct MultiplesTable(Box<[EdwardsPoint]>);

impl MultiplesTable {
    pub(super) fn of(point: EdwardsPoint) -> Self {
        let mut multiples = alloc::vec::Vec::with_capacity(DIGITS / 2 * MULTIPLES);
        let mut base = point;
        for _ in 0..DIGITS / 2 {
            let mut multiple = base;
            multiples.push(multiple);
            for _ in 1..MULTIPLES {
                multiple += base;
                multiples.push(multiple);
            }
            base = times_256(times_256(base));
        }
        Self(multiples.into_boxed_slice())
    }

    /// Adds `[digit][65536^pair]P` to `sum`.
    fn add(&self, sum: &mut EdwardsPoint, pair: usize, digit: i16) {
        let index = usize::from(digit.unsigned_abs()).checked_sub(1);
        // No multiple for the digit zero.
        let Some(multiple) = index.and_then(|index| self.0.get(pair * MULTIPLES + index)) else { return };
        if digit > 0 {
            *sum += multiple;
        } else {
            *sum -= multiple;
        }
    }
}

/// The sum of each point, given by its table, times its scalar. The scalars are reduced.
pub(super) fn sum_of_products(products: &[(&MultiplesTable, &Scalar); 2]) -> EdwardsPoint {
    let products = products.map(|(table, scalar)| (table, digits(scalar)));
    let mut sum = EdwardsPoint::identity();
    for odd in [true, false] {
        for (table, digits) in &products {
            for (pair, [even_digit, odd_digit]) in digits.iter().enumerate() {
                table.add(&mut sum, pair, if odd { *odd_digit } else { *even_digit });
            }
        }
        if odd {
            sum = times_256(sum);
        }
    }
    sum
}

/// The scalar in radix 256 with digits from -127 to 128, in pairs, least significant first. A reduced scalar's top
/// byte is at most 16, so nothing is carried out of it.
fn digits(scalar: &Scalar) -> [[i16; 2]; DIGITS / 2] {
    let mut digits = [[0; 2]; DIGITS / 2];
    let mut carry = 0;
    for (digit, byte) in digits.as_flattened_mut().iter_mut().zip(scalar.as_bytes()) {
        *digit = i16::from(*byte) + carry;
        carry = i16::from(*digit > 128);
        *digit -= carry * 256;
    }
    digits
}

fn times_256(point: EdwardsPoint) -> EdwardsPoint {
    let times_64 = point.mul_by_cofactor().mul_by_cofactor();
    let times_128 = times_64 + times_64;
    times_128 + times_128
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;

    use super::*;

    #[test]
    fn a_sum_of_table_entries_is_the_product() {
        let other = ED25519_BASEPOINT_POINT * Scalar::from(7_u8);
        let tables = [ED25519_BASEPOINT_POINT, other].map(MultiplesTable::of);
        let wide = |byte: u8| Scalar::from_bytes_mod_order_wide(&[byte; 64]);
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(128_u8), Scalar::from(129_u8)];
        let edges =
            [Scalar::from(0x8080_8080_8080_8080_u64), Scalar::from(u128::MAX)].into_iter().chain(edges);
        for scalar in edges.chain((0..=255).map(wide)) {
            let second = scalar * wide(99);
            assert_eq!(
                sum_of_products(&[(&tables[0], &scalar), (&tables[1], &second)]),
                ED25519_BASEPOINT_POINT * scalar + other * second,
                "{scalar:?}"
            );
        }
    }
}
