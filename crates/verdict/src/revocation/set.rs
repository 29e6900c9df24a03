//! All that is revoked: a set that is read on every request and revised many times a second.
//!
//! The hashes are uniformly distributed, so their first bits spread them over sorted lists, in a tree of two levels. A
//! revision copies the lists it touches, and what leads to them; the others it shares with the set it was made from.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use thiserror::Error;

use super::{Hash, Record};
use crate::UnixTime;

/// Most records of a set. Beyond it nothing is taken in: what could not be remembered must be refused, not forgotten.
pub const MAX: usize = 1 << 20;

/// How many bits of a hash choose its branch, and how many more its list there.
const BITS: u32 = 5;
const FAN: usize = 1 << BITS;

/// Sorted by hash.
type List = Arc<Vec<Record>>;
/// [`FAN`] of them.
type Branch = Arc<Vec<List>>;

/// What is revoked. A clone shares everything; changing either then costs the lists that differ.
///
/// A record takes 20 bytes, and its list at most an eighth more than its records; up to 64 KiB come with the lists.
#[derive(Clone, Default)]
pub struct Revocations {
    /// Either none or [`FAN`].
    branches: Arc<Vec<Branch>>,
    len: usize,
    /// No record is over before this Unix second; `None` if none ever will be.
    next_over: Option<u32>,
}

/// There is no room for another record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("more than {MAX} revocations")]
pub struct Full;

impl Revocations {
    /// Revokes a hash. Of two records of one hash the longer one stays.
    ///
    /// # Errors
    /// There are [`MAX`] others; the set is as before.
    pub fn revoke(&mut self, record: Record) -> Result<(), Full> {
        let full = self.len >= MAX;
        if full && !self.contains(&record.hash) {
            return Err(Full);
        }
        if self.branches.is_empty() {
            self.branches = Arc::new(alloc::vec![Arc::new(alloc::vec![List::default(); FAN]); FAN]);
        }
        let Some(list) = self.list_mut(&record.hash) else { return Err(Full) };
        match find(list, &record.hash) {
            Ok(position) => {
                if let Some(known) = list.get_mut(position) {
                    known.until = later(known.until, record.until);
                }
            }
            Err(position) => {
                if list.len() == list.capacity() {
                    // Not twice as much, as a `Vec` would: there are many lists.
                    list.reserve_exact(list.len() / 8 + 1);
                }
                list.insert(position, record);
                self.len += 1;
            }
        }
        if record.until != 0 {
            self.next_over = Some(self.next_over.map_or(record.until, |next| next.min(record.until)));
        }
        Ok(())
    }

    /// Takes a revocation back, if there is one.
    pub fn lift(&mut self, hash: &Hash) {
        if !self.contains(hash) {
            return;
        }
        if let Some(list) = self.list_mut(hash)
            && let Ok(position) = find(list, hash)
        {
            list.remove(position);
            self.len -= 1;
        }
    }

    /// Forgets what is of no use any more. Costs nothing before the first record is over, and then a look at all of
    /// them.
    pub fn expire(&mut self, now: UnixTime) {
        if self.next_over.is_none_or(|next| now.0 <= u64::from(next)) {
            return;
        }
        self.next_over =
            self.iter().filter(|record| !record.is_over(now) && record.until != 0).map(|r| r.until).min();
        for branch in Arc::make_mut(&mut self.branches) {
            for list in Arc::make_mut(branch) {
                let over = list.iter().filter(|record| record.is_over(now)).count();
                if over > 0 {
                    let list = Arc::make_mut(list);
                    list.retain(|record| !record.is_over(now));
                    list.shrink_to(list.len() + list.len() / 8);
                    self.len -= over;
                }
            }
        }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is revoked, which spares a request the hashing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `hash` is revoked.
    #[must_use]
    pub fn contains(&self, hash: &Hash) -> bool {
        let (branch, list) = place(hash);
        let list = self.branches.get(branch).and_then(|branch| branch.get(list));
        list.is_some_and(|list| find(list, hash).is_ok())
    }

    /// The records, in the order of their hashes. A set takes them in fastest in this order.
    pub fn iter(&self) -> impl Iterator<Item = Record> + '_ {
        self.branches.iter().flat_map(|branch| branch.iter()).flat_map(|list| list.iter().copied())
    }

    /// The list that `hash` belongs to, this set's own from now on.
    fn list_mut(&mut self, hash: &Hash) -> Option<&mut Vec<Record>> {
        let (branch, list) = place(hash);
        let branch = Arc::make_mut(&mut self.branches).get_mut(branch)?;
        Arc::make_mut(branch).get_mut(list).map(Arc::make_mut)
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Revocations({})", self.len)
    }
}

/// The branch and the list in it that `hash` belongs to.
fn place(hash: &Hash) -> (usize, usize) {
    let [high, low, ..] = *hash;
    let bits = usize::from(u16::from_be_bytes([high, low]) >> (u16::BITS - 2 * BITS));
    (bits >> BITS, bits % FAN)
}

fn find(list: &[Record], hash: &Hash) -> Result<usize, usize> {
    let wanted = u128::from_be_bytes(*hash);
    list.binary_search_by(|record| u128::from_be_bytes(record.hash).cmp(&wanted))
}

/// The later of two ends; 0 is none.
fn later(one: u32, other: u32) -> u32 {
    if one == 0 || other == 0 { 0 } else { one.max(other) }
}
