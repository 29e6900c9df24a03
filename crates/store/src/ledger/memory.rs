//! What was read before and holds still: most tokens are of tasks and names that had some a moment ago.
//!
//! Every end of a task that had not expired, and every revocation, has a place in one order, given out under the lock that
//! is held when this is read. So what is remembered as of a place holds until a later place names it.

use std::collections::{HashMap, HashSet};

use crate::{Head, Level, Task, TaskState};

/// Tasks and names that are remembered. More begin anew: what is in use is read again soon.
const LARGEST: usize = 50_000;

/// Tasks that are active, and names that are not revoked.
#[derive(Default)]
pub(super) struct Memory {
    epoch: u64,
    /// All that follows is as of this place.
    revocation: u64,
    tasks: HashMap<String, Task>,
    names: [HashSet<String>; Level::ALL.len()],
}

impl Memory {
    /// The place that it is as of; `None` if it knows nothing of this epoch.
    pub(super) fn place(&self, head: &Head) -> Option<u64> {
        (self.epoch == head.epoch && self.revocation <= head.revocation).then_some(self.revocation)
    }

    pub(super) fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.get(id)
    }

    /// Whether a name is known not to be revoked.
    pub(super) fn is_clear(&self, level: Level, name: &str) -> bool {
        self.names[level as usize].contains(name)
    }

    /// A task that was read, or began. One that has ended is read again each time.
    pub(super) fn keep_task(&mut self, task: &Task) {
        if task.state == TaskState::Active {
            // What is long and decides nothing.
            let (grants, cnf, note) = (String::new(), None, None);
            let kept = Task {
                id: task.id.clone(),
                parent: task.parent.clone(),
                path: task.path.clone(),
                client: task.client.clone(),
                subject: String::new(),
                agent: task.agent.clone(),
                audience: task.audience.clone(),
                grants,
                cnf,
                note,
                ..*task
            };
            self.tasks.insert(task.id.clone(), kept);
        }
    }

    pub(super) fn keep_name(&mut self, level: Level, name: String) {
        self.names[level as usize].insert(name);
    }

    /// Something ended.
    pub(super) fn forget_task(&mut self, id: &str) {
        self.tasks.remove(id);
    }

    /// Something was revoked or lifted.
    pub(super) fn forget_name(&mut self, level: Level, name: &str) {
        self.names[level as usize].remove(name);
        if level == Level::Task {
            self.tasks.remove(name);
        }
    }

    /// From here on as of `head`. What it does not hold of that must have been forgotten.
    pub(super) fn is_as_of(&mut self, head: &Head) {
        (self.epoch, self.revocation) = (head.epoch, head.revocation);
        let names: usize = self.names.iter().map(HashSet::len).sum();
        if self.tasks.len() + names > LARGEST {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.tasks.clear();
        self.names.iter_mut().for_each(HashSet::clear);
    }
}
