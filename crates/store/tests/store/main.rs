//! One suite, run over both databases.

mod both;
mod databases;
mod file;
mod keys;
mod ledger;
mod server;
