//! Talking to a running server.

mod address;
mod api;
mod client;
mod credentials;
mod either;
mod operator;
mod transport;

pub(super) use address::{Address, AdminAddress};
pub(super) use api::{Api, segment};
pub(super) use client::{Answer, Client, RemoteError};
pub(super) use credentials::ClientArgs;
pub(super) use either::EitherArgs;
pub(super) use operator::OperatorArgs;
