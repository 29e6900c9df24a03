//! File descriptors: each connection takes one, and without one no listener can accept.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Limits;

/// TCP listeners and the socket.
const LISTENERS: usize = 4;
/// For everything that is no connection: listeners, files, the runtime's own.
const OTHERS: usize = 64;

/// Raises this process's limit as far as it may. The usual 1024 is kept low for programs that use `select`, and
/// would let a flood at one listener starve the others.
pub fn raise_descriptor_limit(limits: &Limits) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let available = if raised.is_ok() { maximum } else { current };
    let wanted = LISTENERS * limits.connections.get() + limits.newcomers() + OTHERS;
    // `None` is no limit.
    if let Some(available) = available
        && usize::try_from(available).is_ok_and(|available| available < wanted)
    {
        tracing::warn!(available, wanted, "too few file descriptors for all connections that are allowed");
    }
}
