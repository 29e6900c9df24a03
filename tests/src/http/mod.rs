//! HTTP clients that send exactly the bytes they are given: what a well-behaved client library refuses to
//! send is what an attacker sends.

pub mod h1;
pub mod h2;
mod h2_frame;
pub mod message;
pub mod wire;

pub use message::{Field, Payload, RawRequest, Response};
