#![doc = include_str!("lib.md")]

mod audit_log;
mod backup;
mod changed;
mod error;
mod head;
mod keys;
mod ledger;
mod level;
mod link;
mod location;
mod number;
mod policy;
mod prune;
mod query;
mod replicas;
mod revocation;
mod schema;
mod sealed;
mod secrets;
mod store;
mod task;

pub use audit_log::{AuditFilter, AuditPlace};
pub use backup::{BackedUp, BackupError, Restore, RestoreError, Restored};
pub use changed::Changed;
pub use error::{PublishError, SecretError, StoreError};
pub use head::{Head, PolicyHead};
pub use keys::{KeyState, Keys, SigningKey};
pub use ledger::{
    Conditions, Ended, Figures, KeyChange, Ledger, MAX_TASK_DEPTH, NewLimit, NewUse, Timing, Used, Write,
    WriteError, Written,
};
pub use level::{Level, UnknownLevel};
pub use location::{LocationError, StoreLocation};
pub use policy::{Contents, Generation, NewGeneration};
pub use prune::{Pruned, Retention};
pub use revocation::{
    Change, Changes, Lifted, MARGIN as REVOCATION_MARGIN, NewRevocation, Revocation, RevocationFilter,
};
pub use store::{Migrated, Store};
pub use task::{NewTask, Part, Task, TaskFilter, TaskState, UnknownState};
