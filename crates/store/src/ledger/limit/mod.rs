//! Limited grants: how often each may be used, and was, along the chain of delegations.
//!
//! The id of a limit is that of the one it narrows, a dot, and what tells it from others under the same: `g1.7` is under
//! `g1`. A use is one of every limit of its chain, or of none.

mod rows;

use std::collections::{HashMap, HashSet};

pub(super) use rows::{Wanted, load, save};

use super::{
    WriteError, Written,
    apply::{Done, check_standing},
    view::View,
    write::Used,
};
use crate::Level;

/// What separates the links of a chain.
const LINK: char = '.';

/// A limit that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLimit {
    /// The root task.
    pub root: String,
    /// The grant's id, unique under the root task.
    pub id: String,
    /// How often it may be used.
    pub uses: u32,
    /// No token with the grant lives longer; Unix seconds.
    pub expires_at: u64,
}

/// A use of a limited grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUse {
    /// Names the decision that the use is for, and what it is about: asked again, the answer is the first one.
    pub decision: String,
    /// The root task.
    pub root: String,
    /// The grant's id.
    pub id: String,
    /// Unix seconds.
    pub now: u64,
    /// The token's tasks, from the root to the leaf: all known, active and not expired.
    pub tasks: Vec<String>,
    /// None of these is revoked.
    pub names: Vec<(Level, String)>,
}

/// Names of a limit: the root task and the id.
type Key = (String, String);

/// Limits that a batch touches, with what it did so far.
#[derive(Default)]
pub(super) struct Limits {
    known: HashMap<Key, Limit>,
    /// What is left after uses that were counted already, by decision.
    answers: HashMap<String, u32>,
    /// Those of them that are new, and when.
    counted: Vec<(String, u64)>,
}

struct Limit {
    uses: u32,
    used: u32,
    expires_at: u64,
    change: Change,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Begun,
    Used,
}

impl Limits {
    pub(super) fn is_changed(&self) -> bool {
        !self.counted.is_empty() || self.changed(Change::Begun).next().is_some()
    }

    fn changed(&self, wanted: Change) -> impl Iterator<Item = (&Key, &Limit)> {
        self.known.iter().filter(move |(_, limit)| limit.change == wanted)
    }
}

/// The limit itself, and all that it narrows: `g1.7.2`, `g1.7`, `g1`.
fn chain(id: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(id), |id| id.rsplit_once(LINK).map(|(above, _)| above))
}

/// Begins to count `new`, each of which narrows a limit that is counted or none.
pub(super) fn begin(view: &mut View, new: Vec<NewLimit>) -> Result<(), WriteError> {
    let known = &view.limits.known;
    let mut begun: HashSet<(&str, &str)> = HashSet::new();
    for NewLimit { root, id, .. } in &new {
        let is_known = |id: &str| known.contains_key(&(root.clone(), id.to_owned()));
        if is_known(id) || !begun.insert((root, id)) {
            return Err(WriteError::LimitExists);
        }
        if !chain(id).skip(1).all(is_known) {
            return Err(WriteError::UnknownLimit);
        }
    }
    for NewLimit { root, id, uses, expires_at } in new {
        let limit = Limit { uses, used: 0, expires_at, change: Change::Begun };
        view.limits.known.insert((root, id), limit);
    }
    Ok(())
}

/// Counts a use, if the whole chain has room and nothing that it rests on has ended. A repeat is answered even then: what
/// it asks about was done.
pub(super) fn count(view: &mut View, new: NewUse) -> Result<Done, WriteError> {
    let NewUse { decision, root, id, now, tasks, names } = new;
    if let Some(&left) = view.limits.answers.get(&decision) {
        return Ok(done(Used::Counted { left, is_new: false }));
    }
    check_standing(view, &tasks, &names, now)?;
    let keys: Vec<Key> = chain(&id).map(|id| (root.clone(), id.to_owned())).collect();
    let mut least = u32::MAX;
    for key in &keys {
        let limit = view.limits.known.get(key).ok_or(WriteError::UnknownLimit)?;
        least = least.min(limit.uses.saturating_sub(limit.used));
    }
    let Some(left) = least.checked_sub(1) else { return Ok(done(Used::Exhausted)) };
    for key in &keys {
        if let Some(limit) = view.limits.known.get_mut(key) {
            limit.used += 1;
            limit.change = if limit.change == Change::Begun { Change::Begun } else { Change::Used };
        }
    }
    view.limits.answers.insert(decision.clone(), left);
    view.limits.counted.push((decision, now));
    Ok(done(Used::Counted { left, is_new: true }))
}

fn done(used: Used) -> Done {
    let is_news = matches!(used, Used::Counted { is_new: true, .. });
    Done { written: Written::Used(used), is_news, beside: audit::Lines::new() }
}
