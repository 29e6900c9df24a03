//! Unary calls to the server that the feed comes from: each gets an answer, or the word that there is none, in time.
//!
//! For the proxy a call is the configuration's and not the request's, so that it is answered even where the request has
//! gone: the SDK forgets a call only with its answer, and strangers must not make it remember. The SDK gives an answer
//! to whoever's callback made the call; so both a request and a root may be told of one, and what they are told is
//! looked up here.

use std::{cell::RefCell, mem};

use crate::{
    config::FeedConfig,
    host::{CallId, ContextId, FeedHost, HostError, Level},
    stream::Asker,
};

/// Most calls of a worker that wait for their answers.
pub const MAX_CALLS: usize = 1_000;
/// How long each waits, in milliseconds.
pub const TIMEOUT: u32 = 2_000;
/// How much longer until one counts as lost, in milliseconds: the proxy has given it up by then, and its word was not heard.
const MARGIN: u64 = 500;
/// Longest answer, in bytes.
const MAX_ANSWER: usize = 64 << 10;

const SERVICE: &str = "writ.v1.DataPlane";

/// There is no answer: the server is away, slow, or refuses the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

/// A call that is not answered yet. Nobody hears its answer once this is dropped.
#[derive(Debug)]
pub struct Call(CallId);

struct Pending {
    call: CallId,
    /// Whose call it is for the proxy.
    root: ContextId,
    /// Unix milliseconds.
    since: u64,
    asker: Asker,
}

thread_local! {
    /// The calls of this virtual machine. No asker may be dropped while this is borrowed: a request that goes takes its
    /// calls along.
    static PENDING: RefCell<Vec<Pending>> = const { RefCell::new(Vec::new()) };
}

/// Calls `method` of the server, on behalf of a configuration. Leaves `root` the current context.
///
/// # Errors
/// Too many calls wait already, or the host cannot make one.
pub fn ask(
    host: &impl FeedHost,
    feed: &FeedConfig,
    root: ContextId,
    method: &str,
    message: &[u8],
    asker: Asker,
) -> Result<Call, HostError> {
    const BUSY: HostError = HostError { call: "grpc_call: too many wait", status: INTERNAL_FAILURE };

    if with_pending(|pending| pending.len() >= MAX_CALLS).unwrap_or(true) {
        return Err(BUSY);
    }
    let since = host.now_millis()?.0;
    host.enter(root)?;
    let call = host.call(&feed.upstream_of_calls(), (SERVICE, method), feed.metadata(), message, TIMEOUT)?;
    with_pending(|pending| pending.push(Pending { call, root, since, asker })).ok_or(BUSY)?;
    Ok(Call(call))
}

/// What came of a call, and who asked; `None` where nobody waits for it any more. To be called in the callback that
/// tells of it, with the gRPC status and the length of the answer. Leaves any context the current one.
pub fn take_answer(
    host: &impl FeedHost,
    call: CallId,
    status: u32,
    size: usize,
) -> Option<(Asker, Result<Vec<u8>, NoAnswer>)> {
    let Pending { root, asker, .. } = with_pending(|pending| {
        let index = pending.iter().position(|pending| pending.call == call)?;
        Some(pending.swap_remove(index))
    })??;
    if status != 0 || size > MAX_ANSWER {
        host.log(Level::Debug, &format!("writ: a call ended with gRPC status {status}"));
        return Some((asker, Err(NoAnswer)));
    }
    // The SDK has made the asker's context the current one. The answer is the root's.
    let answer = host.enter(root).and_then(|()| host.message(size));
    Some((asker, answer.map_err(|_| NoAnswer)))
}

/// Those whose answers were lost: their askers get none. `now`: Unix milliseconds.
pub fn take_lost(now: u64) -> Vec<Asker> {
    let lost = with_pending(|pending| {
        let lost = |one: &mut Pending| {
            // A clock that was set back starts anew.
            one.since = one.since.min(now);
            now.saturating_sub(one.since) > u64::from(TIMEOUT).saturating_add(MARGIN)
        };
        pending.extract_if(.., lost).collect::<Vec<_>>()
    });
    lost.unwrap_or_default().into_iter().map(|pending| pending.asker).collect()
}

impl Drop for Call {
    fn drop(&mut self) {
        let taken = with_pending(|pending| {
            let index = pending.iter().position(|pending| pending.call == self.0)?;
            Some(pending.swap_remove(index))
        });
        // Only now: what it held may hold calls, too.
        mem::drop(taken);
    }
}

/// `None`: in use, or gone with its thread.
fn with_pending<T>(then: impl FnOnce(&mut Vec<Pending>) -> T) -> Option<T> {
    PENDING.try_with(|pending| pending.try_borrow_mut().ok().map(|mut pending| then(&mut pending))).ok()?
}

/// proxy-wasm ABI 0.2.1, `proxy_status_t`.
const INTERNAL_FAILURE: u32 = 10;
