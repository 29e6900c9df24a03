//! An edit of a policy, held against the last good one.
//!
//! A namespace is a team, and one team's mistake must not hold up another's edit. So where an edit does not compile,
//! the namespaces with faults keep their last good files, and the rest takes effect if both compile together.

use std::collections::BTreeSet;

use crate::{error::PolicyErrors, namespaces::Namespaces, policy::Policy, sources::Sources};

/// What becomes of an edit.
#[derive(Debug)]
pub enum Edit {
    /// All of it takes effect.
    Good(Compiled),
    /// Namespaces without faults take effect; those with faults stay as they were.
    Partly(Compiled, PolicyErrors),
    /// Nothing takes effect.
    Bad(PolicyErrors),
}

/// A policy and the files it was compiled from.
#[derive(Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// Its files.
    pub sources: Sources,
}

impl Edit {
    /// Compiles `sources`, with `good`, which compiled before, for what is wrong in them. Without a last good policy
    /// `good` is empty, and an edit is then good or bad.
    #[must_use]
    pub fn compile(sources: Sources, good: &Sources, namespaces: &Namespaces) -> Self {
        let errors = match Policy::compile(&sources, namespaces) {
            Ok(policy) => return Self::Good(Compiled { policy, sources }),
            Err(errors) => errors,
        };
        // Where the mixture fails as well, namespaces are at odds with each other: no telling whose edit is meant.
        let mixed = mix(&sources, good, &errors).filter(|mixed| mixed != good);
        match mixed.map(|sources| (Policy::compile(&sources, namespaces), sources)) {
            Some((Ok(policy), sources)) => Self::Partly(Compiled { policy, sources }, errors),
            Some((Err(_), _)) | None => Self::Bad(errors),
        }
    }
}

/// The files of `good` for every namespace with a fault, and those of `edited` for all others. `None` where a fault
/// belongs to no namespace, or nothing would be left of the last good policy.
fn mix(edited: &Sources, good: &Sources, errors: &PolicyErrors) -> Option<Sources> {
    if good.is_empty() {
        return None;
    }
    let mut faulty = BTreeSet::new();
    for error in errors.iter() {
        // A file with a fault may have lost its namespace, or changed it: the one it had keeps its files too.
        let namespaces = [edited.namespace(&error.file), good.namespace(&error.file)];
        if namespaces.iter().all(Option::is_none) {
            return None;
        }
        faulty.extend(namespaces.into_iter().flatten());
    }
    let mut mixed = Sources::default();
    for (name, text) in edited.iter() {
        // A file whose namespace cannot be read has a fault of its own, and is left out with it.
        if edited.namespace(name).is_some_and(|namespace| !faulty.contains(&namespace)) {
            mixed.add(name, text)?;
        }
    }
    for (name, text) in good.iter() {
        if good.namespace(name).is_some_and(|namespace| faulty.contains(&namespace)) {
            mixed.add(name, text)?;
        }
    }
    Some(mixed).filter(|mixed| !mixed.is_empty())
}
