//! The names of the objects that are being read, so that no object has one of them twice.

use alloc::{borrow::Cow, vec::Vec};
use core::cmp::Ordering;

use super::Fault;

/// Names of all objects that have begun and not ended, the innermost last: one list, however deep they are nested.
#[derive(Default)]
pub(super) struct Names<'b>(Vec<Cow<'b, str>>);

impl<'b> Names<'b> {
    /// An object begins. The answer goes to its [`end`](Self::end).
    pub(super) fn begin(&self) -> usize {
        self.0.len()
    }

    /// The innermost object has this name.
    pub(super) fn add(&mut self, name: Cow<'b, str>) {
        self.0.push(name);
    }

    /// The innermost object has ended.
    ///
    /// # Errors
    /// Two of its names are equal, or differ by case only.
    pub(super) fn end(&mut self, outer: usize) -> Result<(), Fault> {
        let own = self.0.get_mut(outer..).unwrap_or_default();
        // Sorted, because comparing each with each would let a body of a megabyte hold a worker up for minutes.
        sort(own);
        for pair in own.windows(2) {
            if let [one, other] = pair
                && same_but_for_case(one, other)
            {
                return Err(if one == other { Fault::Duplicate } else { Fault::Case });
            }
        }
        self.0.truncate(outer);
        Ok(())
    }
}

/// Heap sort, by name without case and then by name. The library's sorts are faster and fifty times its size, which the
/// filter's binary has no room for; objects have few names.
fn sort(names: &mut [Cow<'_, str>]) {
    for root in (0..names.len() / 2).rev() {
        sift_down(names, root);
    }
    for end in (1..names.len()).rev() {
        names.swap(0, end);
        sift_down(names.get_mut(..end).unwrap_or_default(), 0);
    }
}

/// Lets the name at `root` sink below greater ones.
fn sift_down(heap: &mut [Cow<'_, str>], mut root: usize) {
    loop {
        let mut greatest = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if let (Some(one), Some(other)) = (heap.get(child), heap.get(greatest))
                && by_case(one, other).then_with(|| one.cmp(other)) == Ordering::Greater
            {
                greatest = child;
            }
        }
        if greatest == root {
            return;
        }
        heap.swap(root, greatest);
        root = greatest;
    }
}

/// Whether a reader that ignores case takes one for the other.
pub(super) fn same_but_for_case(one: &str, other: &str) -> bool {
    by_case(one, other) == Ordering::Equal
}

fn by_case(one: &str, other: &str) -> Ordering {
    one.chars().map(fold).cmp(other.chars().map(fold))
}

/// ASCII, and the two characters beyond it that case folding takes for ASCII letters (Unicode `CaseFolding.txt`):
/// readers that fold as Unicode says, such as Go's, would find `userId` in `u\u{17f}erId`.
fn fold(character: char) -> char {
    match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}
