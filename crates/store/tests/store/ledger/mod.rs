//! The ledger: what it does, what it refuses, and what becomes of it when something breaks.

mod conditions;
mod faults;
mod groups;
mod keys;
pub(crate) mod limits;
mod races;
mod reading;
mod revocations;
pub(crate) mod support;
mod tasks;
mod upkeep;
