//! One suite, run over both databases.

mod backup;
mod both;
mod databases;
mod file;
mod keys;
mod ledger;
mod migration;
mod server;
