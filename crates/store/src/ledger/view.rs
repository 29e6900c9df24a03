//! What a batch of operations needs to know of the store, and what it changes there.

use std::collections::{HashMap, HashSet};

use super::{limit::Limits, memory::Memory};
use crate::{Head, Level, Revocation, SigningKey, Task, TaskState};

/// The part of the store that a batch touches, as it was when its row was locked, with what the batch did so far.
#[derive(Default)]
pub(super) struct View {
    /// With sequences as they will be.
    pub(super) head: Head,
    /// What need not be read.
    pub(super) memory: Memory,
    tasks: HashMap<String, Task>,
    children: HashMap<String, Vec<String>>,
    revocations: [HashMap<String, Slot>; Level::ALL.len()],
    /// How often limited grants may be used, and were.
    pub(super) limits: Limits,
    changes: Changes,
}

/// What is to be saved.
#[derive(Default)]
pub(super) struct Changes {
    /// Tasks that began, and may have ended since.
    pub(super) started: Vec<String>,
    /// Tasks that were there and ended.
    pub(super) ended: HashSet<String>,
    /// Places of revocations that are replaced.
    pub(super) replaced: Vec<u64>,
    /// Revocations that were revoked, lifted, and revoked again.
    pub(super) earlier: Vec<Revocation>,
    pub(super) keys: HashMap<String, Option<SigningKey>>,
    /// Whether there is anything in all that.
    pub(super) any: bool,
}

struct Slot {
    revocation: Revocation,
    is_changed: bool,
}

impl View {
    pub(super) fn new(head: Head, memory: Memory) -> Self {
        Self { head, memory, ..Self::default() }
    }

    /// What is remembered once this is committed.
    pub(super) fn into_memory(self) -> Memory {
        let Self { head, mut memory, tasks, revocations, changes, .. } = self;
        for id in &changes.ended {
            memory.forget_task(id);
        }
        for task in changes.started.iter().filter_map(|id| tasks.get(id)) {
            memory.keep_task(task);
        }
        for (level, revoked) in Level::ALL.into_iter().zip(&revocations) {
            revoked.keys().for_each(|name| memory.forget_name(level, name));
        }
        memory.is_as_of(&head);
        memory
    }

    /// Adds a task that is in the store.
    pub(super) fn know(&mut self, task: Task) {
        let id = task.id.clone();
        if let Some(parent) = task.parent.clone().filter(|_| !self.tasks.contains_key(&id)) {
            self.children.entry(parent).or_default().push(id.clone());
        }
        self.tasks.insert(id, task);
    }

    /// Adds a revocation that is in the store. Of several of one name the latest counts.
    pub(super) fn know_revoked(&mut self, revocation: Revocation) {
        let known = &mut self.revocations[revocation.level as usize];
        if known.get(&revocation.name).is_none_or(|slot| slot.revocation.seq < revocation.seq) {
            known.insert(revocation.name.clone(), Slot { revocation, is_changed: false });
        }
    }

    pub(super) fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.get(id).or_else(|| self.memory.task(id))
    }

    /// Whether a revocation of this name was read, whether or not it stands.
    pub(super) fn knows_revoked(&self, level: Level, name: &str) -> bool {
        self.revocations[level as usize].contains_key(name)
    }

    /// All under `task`, nearest first. Complete only for tasks that the batch may end.
    pub(super) fn descendants(&self, task: &str) -> Vec<String> {
        let mut found = self.children.get(task).cloned().unwrap_or_default();
        let mut next = 0;
        while let Some(id) = found.get(next) {
            if let Some(children) = self.children.get(id) {
                found.extend(children.clone());
            }
            next += 1;
        }
        found
    }

    /// A revocation that stands at `now`.
    pub(super) fn standing(&self, level: Level, name: &str, now: u64) -> Option<&Revocation> {
        self.unlifted(level, name).filter(|revocation| revocation.stands(now))
    }

    /// A revocation that was not taken back, whether or not its time is over.
    pub(super) fn unlifted(&self, level: Level, name: &str) -> Option<&Revocation> {
        let slot = self.revocations[level as usize].get(name)?;
        Some(&slot.revocation).filter(|revocation| revocation.lifted.is_none())
    }

    pub(super) fn start(&mut self, task: Task) {
        self.changes.any = true;
        self.changes.started.push(task.id.clone());
        self.know(task);
    }

    pub(super) fn end(&mut self, id: &str, state: TaskState, now: u64) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        (task.state, task.ended_at) = (state, Some(now));
        self.changes.any = true;
        self.changes.ended.insert(id.to_owned());
    }

    /// Puts a revocation at the next place.
    pub(super) fn revoke(&mut self, mut revocation: Revocation) -> Revocation {
        revocation.seq = self.next_place();
        let slot = Slot { revocation: revocation.clone(), is_changed: true };
        // One that had expired, or was lifted.
        if let Some(before) =
            self.revocations[revocation.level as usize].insert(revocation.name.clone(), slot)
            && before.is_changed
        {
            self.changes.earlier.push(before.revocation);
        }
        revocation
    }

    /// Changes a revocation that is there, which gives it a new place.
    pub(super) fn change(
        &mut self,
        level: Level,
        name: &str,
        change: impl FnOnce(&mut Revocation, u64),
    ) -> Option<Revocation> {
        let place = self.next_place();
        let slot = self.revocations[level as usize].get_mut(name)?;
        if !std::mem::replace(&mut slot.is_changed, true) {
            self.changes.replaced.push(slot.revocation.seq);
        }
        change(&mut slot.revocation, place);
        Some(slot.revocation.clone())
    }

    pub(super) fn put_key(&mut self, kid: String, key: Option<SigningKey>) {
        self.changes.any = true;
        self.changes.keys.insert(kid, key);
    }

    fn next_place(&mut self) -> u64 {
        self.changes.any = true;
        self.head.revocation += 1;
        self.head.revocation
    }

    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Revocations that are new or replace another.
    pub(super) fn changed_revocations(&self) -> impl Iterator<Item = &Revocation> {
        let slots = self.revocations.iter().flat_map(HashMap::values).filter(|slot| slot.is_changed);
        slots.map(|slot| &slot.revocation).chain(&self.changes.earlier)
    }
}
