//! The built `writ` binary, from outside: one module a feature.

mod admin;
mod authentication;
mod ceilings;
mod check;
mod check_identity;
mod check_peer;
mod configuration;
mod discovery;
mod export;
mod first_start;
mod keys;
mod limits;
mod policy_command;
mod reflection;
mod reload;
mod reload_clients;
mod reload_faults;
mod reload_places;
mod shutdown;
mod sockets;
mod strangers;
mod support;
mod tasks;
mod tokens;
