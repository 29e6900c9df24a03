//! The proxy-wasm filter: header fields in, verdict, continue or local reply.
//!
//! The filter never opens. Whatever it cannot do, for want of a snapshot, a readable header or a working host
//! call, ends as a denial; and while no verdict is made every request callback pauses the stream.
//!
//! - [`host`]: what the filter asks of the proxy. `envoy`, built for the sandbox only, implements it with
//!   proxy-wasm; tests implement it in memory.
//! - [`config`]: the plugin configuration.
//! - [`feed`]: the stream that snapshots come down on and reports go up. [`call`]: calls with one answer.
//! - [`plugin`]: what one configuration's streams share, with [`cache`], [`metrics`], who is [`waiting`], whose
//!   [`bodies`] are being read and who is [`open`]. [`ticket`]: what a request that waits is found by.
//! - [`root`] and [`stream`]: the callbacks of a configuration and of a request; [`record`]: what is told of it.
// Request bytes reach this code inside a sandbox where a panic is a trap: it would take the worker's VM, and
// every request in flight on it, along. So the ways to panic are closed at compile time, outside tests.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod bodies;
pub mod body;
pub mod cache;
pub mod call;
pub mod config;
#[cfg(target_family = "wasm")]
mod envoy;
pub mod feed;
pub mod host;
pub mod lease;
pub mod metrics;
pub mod open;
pub mod peer;
pub mod plugin;
pub mod record;
pub mod root;
pub mod stream;
pub mod ticket;
pub mod waiting;
