//! One suite, run over both databases.

mod both;
mod databases;
mod file;
mod ledger;
mod server;
