//! `envoy.service.auth.v3.Authorization`: Envoy's question to the verdict, and the verdict to Envoy's answer.

mod body;
mod inject;
mod judge;
mod memory;
mod read;
mod reflection;
mod respond;
mod service;
mod wire;

pub use memory::TokenMemory;
pub use reflection::{DESCRIPTORS, SERVICE};
pub use service::CheckServer;
