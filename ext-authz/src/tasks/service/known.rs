//! Tasks that were read before. What is kept of them never changes; whether they go on is asked at each commit.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use store::Task;
use verdict::{
    grant::Grant,
    token::claims::{Confirmation, is_name},
};

use super::{TaskError, Tasks};

/// Most bytes of tasks of one generation, as [`Known::weight`] has it. Two generations are kept.
const CAPACITY: usize = 16 * 1024 * 1024;

/// A task with its grants read.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) task: Task,
    pub(super) grants: Vec<Grant>,
    pub(super) cnf: Option<Confirmation>,
}

impl Known {
    /// Reads what the store holds as JSON.
    pub(super) fn read(mut task: Task) -> Result<Self, TaskError> {
        let bad = |error: &dyn std::fmt::Display| {
            tracing::error!(task = task.id, %error, "the store holds a task that cannot be read");
            TaskError::Internal
        };
        let grants = Grant::parse_list(task.grants.as_bytes()).map_err(|error| bad(&error))?;
        let cnf = task.cnf.as_deref().map(serde_json::from_str).transpose().map_err(|error| bad(&error))?;
        task.note = None;
        Ok(Self { task, grants, cnf })
    }

    /// Bytes that it takes, roughly: grants that were read are several times their text.
    fn weight(&self) -> usize {
        1024 + 8 * self.task.grants.len()
    }
}

/// Bounded: when the young generation is full it becomes the old one, and what nobody asked for since then is forgotten.
#[derive(Default)]
pub(super) struct Memory(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<String, Arc<Known>>,
    old: HashMap<String, Arc<Known>>,
    /// Of the young.
    weight: usize,
}

impl Generations {
    fn insert(&mut self, known: Arc<Known>, capacity: usize) {
        if self.weight >= capacity {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        let weight = known.weight();
        if self.young.insert(known.task.id.clone(), known).is_none() {
            self.weight += weight;
        }
    }

    fn find(&mut self, id: &str, capacity: usize) -> Option<Arc<Known>> {
        if let Some(known) = self.young.get(id) {
            return Some(Arc::clone(known));
        }
        let known = self.old.remove(id)?;
        self.insert(Arc::clone(&known), capacity);
        Some(known)
    }
}

impl Memory {
    pub(super) fn insert(&self, known: Arc<Known>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(known, CAPACITY);
    }

    fn find(&self, id: &str) -> Option<Arc<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).find(id, CAPACITY)
    }
}

impl Tasks {
    /// The task `id` of the client `client`; `None` where there is none, or it is another client's.
    pub(super) async fn known(&self, client: &str, id: &str) -> Result<Option<Arc<Known>>, TaskError> {
        let known = match self.0.known.find(id) {
            Some(known) => known,
            None if !is_name(id) => return Ok(None),
            None => {
                let Some(task) = self.0.reads.rows.task(id).await? else { return Ok(None) };
                let known = Arc::new(Known::read(task)?);
                self.0.known.insert(Arc::clone(&known));
                known
            }
        };
        Ok((known.task.client == client).then_some(known))
    }
}

#[cfg(test)]
mod tests {
    use store::TaskState;

    use super::*;

    fn known(id: u32) -> Arc<Known> {
        let grants = r#"[{"type":"task_grant","actions":["s3:Get"],"resources":["s3://b"]}]"#;
        let text = String::from;
        Arc::new(
            Known::read(Task {
                id: id.to_string(),
                parent: None,
                path: vec![id.to_string()],
                client: text("c"),
                subject: text("s"),
                agent: text("a"),
                audience: text("m"),
                grants: text(grants),
                cnf: None,
                max_depth: 0,
                note: Some(text("n")),
                state: TaskState::Active,
                created_at: 0,
                expires_at: 1,
                ended_at: None,
            })
            .unwrap(),
        )
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_bounded() {
        let mut memory = Generations::default();
        let capacity = 4 * known(0).weight();
        memory.insert(known(0), capacity);
        for id in 1..=100 {
            memory.insert(known(id), capacity);
            assert!(memory.find("0", capacity).is_some(), "after {id}");
            assert!(memory.young.len() + memory.old.len() <= 10);
        }
        assert!(memory.find("1", capacity).is_none() && memory.find("100", capacity).is_some());
    }
}
