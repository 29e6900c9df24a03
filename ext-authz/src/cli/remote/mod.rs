//! Talking to a running server.

mod address;
mod api;
mod client;
mod credentials;
mod operator;
mod transport;

pub(super) use address::{Address, AdminAddress};
pub(super) use api::{Api, segment};
pub(super) use client::{Answer, Client};
pub(super) use credentials::ClientArgs;
pub(super) use operator::OperatorArgs;
