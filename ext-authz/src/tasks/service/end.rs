//! Ends of tasks.

use audit::{Event, Lines};
use store::{Ended, Task, Write, Written};

use super::{Completed, TaskError, Tasks, error::On};
use crate::{clients::AuthenticatedClient, clock};

impl Tasks {
    /// Completes the client's task `id` and all below it. One that has ended stays as it is, and that is no error.
    ///
    /// # Errors
    /// There is no such task of this client, or the store cannot be written.
    pub async fn complete(&self, client: &AuthenticatedClient, id: &str) -> Result<Completed, TaskError> {
        let known = self.known(client.name(), id).await?.ok_or(TaskError::UnknownTask)?;
        let now = clock::now_millis();
        let write = Write::End {
            task: id.to_owned(),
            client: Some(client.name().to_owned()),
            state: Ended::Completed,
            by: client.name().to_owned(),
            reason: None,
            now: now.seconds().0,
        };
        let lines = Lines::of(&Event::task_completed(now.0, client.name(), id, None));
        let Written::Ended { task, changed, cascaded } = self.write(write, lines, On::Task).await? else {
            return Err(TaskError::Internal);
        };
        // What is written with is light: what never changes is known here.
        let Task { grants, cnf, .. } = known.task.clone();
        Ok(Completed { task: Task { grants, cnf, ..task }, changed, cascaded })
    }
}
