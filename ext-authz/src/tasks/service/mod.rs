//! What clients can do with tasks and tokens, whichever way they ask: HTTP and gRPC only translate.
//!
//! Every token is handed out after the commit that recorded it, and not without: that commit checks that its task and all
//! above it go on, that nothing it names is revoked, and that the key it was signed with still signs.

mod commit;
mod end;
mod error;
mod exchange;
mod introspect;
mod known;
mod outcome;
mod read;
mod request;
mod revoke;
mod room;
mod start;
mod subject_token;
mod tokens;

use std::{fmt, sync::Arc};

use store::{Ledger, Store};

use crate::{issue::Issuer, reload::StoreStatus, state::Current};
pub(crate) use commit::{Names, told};
pub use error::{Kind, TaskError};
use known::Memory;
pub use outcome::{Completed, IssuedToken, Page, Started};
pub use request::{ExchangeToken, IssueToken, ListTasks, MAX_NOTE, MAX_PAGE, StartTask};

/// The one way to tasks and tokens. Cheap to clone.
#[derive(Clone)]
pub struct Tasks(Arc<Parts>);

/// The store, over a connection for each kind of reading: nobody who ends a task waits for somebody else's list.
#[derive(Clone, Debug)]
pub struct TaskReads {
    /// For single rows.
    pub rows: Arc<Store>,
    /// For many.
    pub lists: Arc<Store>,
}

struct Parts {
    current: Current,
    issuer: Arc<Issuer>,
    ledger: Ledger,
    reads: TaskReads,
    store: StoreStatus,
    known: Memory,
}

impl Tasks {
    /// Over this store, by the policy that counts in `current`.
    #[must_use]
    pub fn new(
        current: Current,
        issuer: Arc<Issuer>,
        ledger: Ledger,
        reads: TaskReads,
        store: StoreStatus,
    ) -> Self {
        Self(Arc::new(Parts { current, issuer, ledger, reads, store, known: Memory::default() }))
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tasks").finish_non_exhaustive()
    }
}
