//! How much memory values hold, so that a memory of them can be bounded in bytes.

use alloc::string::String;

use super::{ActionPattern, Constraints, Grant, Predicates, ResourcePattern, Scalar, decimal::Decimal};

/// What an allocation of `bytes` takes in the filter: dlmalloc keeps 4 bytes beside each, in steps of 8, at least 16.
#[must_use]
pub(crate) fn allocation(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes.saturating_add(11) & !7).max(16) }
}

impl Grant {
    /// Bytes that this grant holds beside itself.
    #[must_use]
    pub(crate) fn held_bytes(&self) -> usize {
        let Self { kind: _, id, actions, resources, constraints, limits: _ } = self;
        let texts = actions.iter().map(|action| action.as_str().len());
        let texts = texts.chain(resources.iter().map(|resource| resource.as_str().len()));
        let lists = [
            actions.capacity().saturating_mul(size_of::<ActionPattern>()),
            resources.capacity().saturating_mul(size_of::<ResourcePattern>()),
        ];
        let id = id.iter().map(|id| id.as_str().len());
        texts
            .chain(lists)
            .chain(id)
            .map(allocation)
            .sum::<usize>()
            .saturating_add(of_constraints(constraints))
    }
}

/// A node of the tree has room for 11 entries and holds at least 5, the root at least one.
fn of_constraints(constraints: &Constraints) -> usize {
    const NODE: usize = 11 * size_of::<(String, Predicates)>() + 16 * size_of::<usize>();
    if constraints.is_empty() {
        return 0;
    }
    let nodes = constraints.len() / 5 + 1;
    let entries = constraints
        .iter()
        .map(|(name, predicates)| allocation(name.capacity()).saturating_add(of_predicates(predicates)));
    nodes.saturating_mul(allocation(NODE)).saturating_add(entries.sum())
}

fn of_predicates(predicates: &Predicates) -> usize {
    let Predicates { eq, one_of, glob, min, max } = predicates;
    let scalars = eq.iter().chain(one_of).map(|scalar| match scalar {
        Scalar::String(text) => allocation(text.capacity()),
        Scalar::Number(number) => number.held_bytes(),
        Scalar::Boolean(_) => 0,
    });
    let numbers = min.iter().chain(max).map(Decimal::held_bytes);
    scalars
        .chain(numbers)
        .sum::<usize>()
        .saturating_add(allocation(one_of.capacity().saturating_mul(size_of::<Scalar>())))
        .saturating_add(glob.as_ref().map_or(0, |glob| allocation(glob.as_str().len())))
}
