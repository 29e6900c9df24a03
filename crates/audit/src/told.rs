//! The events of the control plane, each with exactly the members that it has.
//!
//! `at` is Unix milliseconds, `expires_at` Unix seconds, everywhere here.

use std::borrow::Cow;

use crate::{Event, EventKind, Head};

/// A token that was made, as events name it.
#[derive(Clone, Copy, Debug)]
pub struct Token<'e> {
    /// Its id, `jti`; never the token.
    pub jti: &'e str,
    /// The task it is for: the last of its `writ.tasks`.
    pub task: &'e str,
    /// Its holder.
    pub agent: &'e str,
    /// Whoever requested it.
    pub client: &'e str,
    /// For whom.
    pub subject: &'e str,
    /// Its expiry.
    pub expires_at: u64,
}

impl<'e> Event<'e> {
    /// A task began, with its first token. `note` is the client's.
    #[must_use]
    pub fn task_started(at: u64, token: Token<'e>, parent: Option<&'e str>, note: Option<&'e str>) -> Self {
        Self { parent: text(parent), reason: text(note), ..Self::of_token(at, EventKind::TaskStarted, token) }
    }

    /// A further token of a task was made.
    #[must_use]
    pub fn token_issued(at: u64, token: Token<'e>) -> Self {
        Self::of_token(at, EventKind::TokenIssued, token)
    }

    /// The token `parent_jti` was exchanged for `token`.
    #[must_use]
    pub fn token_delegated(at: u64, token: Token<'e>, parent_jti: &'e str) -> Self {
        Self { parent_jti: text(Some(parent_jti)), ..Self::of_token(at, EventKind::TokenDelegated, token) }
    }

    /// `data_plane` let a request of `token` use the limited grant `id`.
    #[must_use]
    pub fn grant_used(at: u64, token: Token<'e>, id: &'e str, data_plane: &'e str) -> Self {
        Self {
            by: None,
            expires_at: None,
            name: text(Some(id)),
            data_plane: text(Some(data_plane)),
            ..Self::of_token(at, EventKind::GrantUsed, token)
        }
    }

    /// `by`, a client, says that its task is done.
    #[must_use]
    pub fn task_completed(at: u64, by: &'e str, task: &'e str, reason: Option<&'e str>) -> Self {
        let task = text(Some(task));
        Self { task, reason: text(reason), ..Self::done(at, EventKind::TaskCompleted, by) }
    }

    /// `by`, a client or an operator, ended a task that was not done.
    #[must_use]
    pub fn task_revoked(at: u64, by: &'e str, task: &'e str, reason: Option<&'e str>) -> Self {
        let task = text(Some(task));
        Self { task, reason: text(reason), ..Self::done(at, EventKind::TaskRevoked, by) }
    }

    /// `by` revoked `name`, of a level other than `task`. `expires_at`: until when; `None`: until it is lifted.
    #[must_use]
    pub fn revoked(
        at: u64,
        by: &'e str,
        level: &'e str,
        name: &'e str,
        reason: Option<&'e str>,
        expires_at: Option<u64>,
    ) -> Self {
        let (level, name) = (text(Some(level)), text(Some(name)));
        Self { level, name, reason: text(reason), expires_at, ..Self::done(at, EventKind::Revoked, by) }
    }

    /// `by` lifted the revocation of `name`.
    #[must_use]
    pub fn lifted(at: u64, by: &'e str, level: &'e str, name: &'e str) -> Self {
        Self { level: text(Some(level)), name: text(Some(name)), ..Self::done(at, EventKind::Lifted, by) }
    }

    /// The server on the machine `by` published a policy: its generation, and the digest that names what it is.
    #[must_use]
    pub fn policy_published(at: u64, by: &'e str, generation: u64, digest: &'e str) -> Self {
        let (seq, hash) = (Some(generation), text(Some(digest)));
        Self { seq, hash, ..Self::done(at, EventKind::PolicyPublished, by) }
    }

    /// A signing key was made; it does not sign yet. `by` is an operator, or a machine where it came by schedule: so of
    /// the other events of keys.
    #[must_use]
    pub fn key_made(at: u64, by: &'e str, kid: &'e str) -> Self {
        Self { name: text(Some(kid)), ..Self::done(at, EventKind::KeyMade, by) }
    }

    /// A key began to sign.
    #[must_use]
    pub fn key_activated(at: u64, by: &'e str, kid: &'e str) -> Self {
        Self { name: text(Some(kid)), ..Self::done(at, EventKind::KeyActivated, by) }
    }

    /// A key was withdrawn, and with it every token that it signed.
    #[must_use]
    pub fn key_withdrawn(at: u64, by: &'e str, kid: &'e str, reason: Option<&'e str>) -> Self {
        Self { name: text(Some(kid)), reason: text(reason), ..Self::done(at, EventKind::KeyWithdrawn, by) }
    }

    /// A backup was restored on the machine `by`; what the store counts now is of `epoch`.
    #[must_use]
    pub fn restored(at: u64, by: &'e str, epoch: u64) -> Self {
        Self { seq: Some(epoch), ..Self::done(at, EventKind::Restored, by) }
    }

    /// A server on the machine `by` began to write its chain.
    #[must_use]
    pub fn writer_started(at: u64, by: &'e str, writer: &'e str) -> Self {
        Self { name: text(Some(writer)), ..Self::done(at, EventKind::WriterStarted, by) }
    }

    /// Where another writer's chain ended at this moment. Whoever cuts that chain shorter contradicts this one.
    #[must_use]
    pub fn anchor(at: u64, head: &'e Head) -> Self {
        let hash = Some(head.hash.to_string().into());
        let (name, seq) = (text(Some(&head.writer)), Some(head.seq));
        Self { at, event: EventKind::Anchor, name, seq, hash, ..Self::default() }
    }

    /// So many decisions are not told, because there were more than could be kept. `data_plane`: which did not report
    /// them; `None`: they were lost here.
    #[must_use]
    pub fn dropped(at: u64, count: u64, data_plane: Option<&'e str>) -> Self {
        let data_plane = text(data_plane);
        Self { at, event: EventKind::Dropped, count: Some(count), data_plane, ..Self::default() }
    }

    /// So many requests were denied in the minute that began at `at`, before a token was verified.
    #[must_use]
    pub fn refusals(at: u64, code: &'e str, host: &'e str, count: u64) -> Self {
        let host = text(Some(host).filter(|host| !host.is_empty()));
        let (code, count) = (text(Some(code)), Some(count));
        Self { at, event: EventKind::Refusals, code, host, count, ..Self::default() }
    }

    fn of_token(at: u64, event: EventKind, token: Token<'e>) -> Self {
        let Token { jti, task, agent, client, subject, expires_at } = token;
        Self {
            task: text(Some(task)),
            agent: text(Some(agent)),
            client: text(Some(client)),
            subject: text(Some(subject)),
            jti: text(Some(jti)),
            expires_at: Some(expires_at),
            ..Self::done(at, event, client)
        }
    }

    fn done(at: u64, event: EventKind, by: &'e str) -> Self {
        Self { at, event, by: text(Some(by)), ..Self::default() }
    }
}

fn text(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(Cow::Borrowed)
}
