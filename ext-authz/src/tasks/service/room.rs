//! Whether another task can be started at all.

use verdict::revocation::MAX;

use super::TaskError;
use crate::{
    state::State,
    telemetry::quiet::{QUIET, Quiet},
};

/// Each task ends with a revocation, and a set of them that is full makes everything stale. So new tasks find it full
/// earlier: tasks that go on can still end, and operators can still revoke.
const FULL_FOR_TASKS: usize = MAX / 8 * 7;

/// Refuses a new task while too much is revoked, as far as this server knows.
pub(super) fn check_room(state: &State) -> Result<(), TaskError> {
    let revocations = state.snapshot().revocations().len();
    // Of no epoch: there was no room for what is revoked.
    if state.revoked().epoch().is_some() && has_room(revocations) {
        return Ok(());
    }
    static SAID: Quiet = Quiet::new();
    if SAID.is_over() {
        tracing::error!(
            revocations,
            most = FULL_FOR_TASKS,
            "no task is started: too many revocations stand. Others within {QUIET} s are not logged"
        );
    }
    Err(TaskError::NoRoom)
}

fn has_room(revocations: usize) -> bool {
    revocations <= FULL_FOR_TASKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_leave_room_for_ends_and_revocations() {
        assert!(has_room(0) && has_room(FULL_FOR_TASKS));
        assert!(!has_room(FULL_FOR_TASKS + 1) && !has_room(MAX));
        // What is under way when the first task is refused ends too.
        assert!((100_000..).contains(&(MAX - FULL_FOR_TASKS)));
        let error = TaskError::NoRoom;
        assert_eq!(
            (error.kind(), error.code()),
            (super::super::Kind::Unavailable, "temporarily_unavailable")
        );
    }
}
