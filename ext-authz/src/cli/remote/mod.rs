//! Talking to a running server.

mod address;
mod client;

pub(super) use address::{Address, AdminAddress};
pub(super) use client::{Answer, Client};
