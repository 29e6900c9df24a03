//! Calls of the server's HTTP API, as its callers make them: a client with its secret, an operator over the socket.

mod call;
mod client;
mod operator;

pub use call::{Caller, refused};
pub use client::{ACCESS_TOKEN, Client, Issued, TOKEN_EXCHANGE};
pub use operator::Operator;
