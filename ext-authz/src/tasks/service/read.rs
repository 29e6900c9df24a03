//! Tasks as they are.

use store::{Task, TaskFilter};
use verdict::token::claims::is_name;

use super::{ListTasks, MAX_PAGE, Page, TaskError, Tasks};
use crate::clock;

/// Tasks of a page, where nothing is said.
const DEFAULT_PAGE: u32 = 100;

impl Tasks {
    /// One task. `client`: whose it must be; `None`: anyone's, for an operator.
    ///
    /// # Errors
    /// There is none, it is another client's, or the store cannot be read.
    pub async fn task(&self, client: Option<&str>, id: &str) -> Result<Task, TaskError> {
        let unknown = || if client.is_some() { TaskError::UnknownTask } else { TaskError::NoTask };
        if !is_name(id) {
            return Err(unknown());
        }
        let found = self.0.reads.rows.task(id).await?;
        let own = found.filter(|task| client.is_none_or(|client| task.client == client));
        own.ok_or_else(unknown)
    }

    /// Tasks in the order of their starts. `client`: whose; `None`: everyone's, for an operator.
    ///
    /// # Errors
    /// A page that is too large or too small, or the store cannot be read.
    pub async fn list(&self, client: Option<&str>, which: ListTasks) -> Result<Page, TaskError> {
        let ListTasks { state, parent, agent, since, after, limit } = which;
        let limit = limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(TaskError::Invalid(format!("limit: must be 1 to {MAX_PAGE}")));
        }
        let client = client.map(str::to_owned);
        for (field, text) in [("client", &client), ("parent", &parent), ("agent", &agent), ("after", &after)]
        {
            if text.as_ref().is_some_and(|text| !is_name(text)) {
                return Err(TaskError::Invalid(format!(
                    "{field}: must be 1 to 255 visible ASCII characters"
                )));
            }
        }
        let filter = TaskFilter {
            client,
            state,
            parent,
            root: None,
            agent,
            after: after.max(since.map(before)),
            // One more tells whether there is another page.
            limit: limit + 1,
            now: clock::now().0,
        };
        let mut tasks = self.0.reads.lists.tasks(&filter).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_last = tasks.len() <= limit;
        tasks.truncate(limit);
        let next = tasks.last().map(|task| task.id.clone()).filter(|_| !is_last);
        Ok(Page { tasks, next })
    }
}

/// What all ids made at this Unix second or later come after: a UUIDv7 begins with its milliseconds (RFC 9562 section 5.7).
fn before(second: u64) -> String {
    // 48 bits; what is later than those is later than all.
    let millis = second.saturating_mul(1000).min((1 << 48) - 1);
    format!("{:08x}-{:04x}-0", millis >> 16, millis & 0xffff)
}

#[cfg(test)]
mod tests {
    use uuid::{NoContext, Timestamp, Uuid};

    use super::*;

    #[test]
    fn ids_are_after_the_second_they_were_made_in() {
        for second in [1, 1_700_000_000, 1_795_000_000] {
            let id = |second, nanos| Uuid::new_v7(Timestamp::from_unix(NoContext, second, nanos)).to_string();
            assert!(id(second, 0) > before(second) && id(second, 999_000_000) > before(second));
            assert!(id(second, 999_000_000) < before(second + 1));
        }
        assert!(before(u64::MAX) > before(1_795_000_000));
    }
}
