//! What happened.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One event: a line of the log. Every member but the first two is there where it says something. Never a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event<'e> {
    /// Unix milliseconds.
    pub at: u64,
    /// What.
    pub event: EventKind,
    /// Who did it: a client, an operator, or `writ` itself.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'e, str>>,
    /// The task it belongs to.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Cow<'e, str>>,
    /// The parent task, of a task that was started with one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Cow<'e, str>>,
    /// The holder of the token.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Cow<'e, str>>,
    /// The client of the token.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Cow<'e, str>>,
    /// The token's subject.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Cow<'e, str>>,
    /// The token's id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<Cow<'e, str>>,
    /// The token it was delegated from.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent_jti: Option<Cow<'e, str>>,
    /// Of a decision: what the request meant.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Cow<'e, str>>,
    /// Likewise.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Cow<'e, str>>,
    /// Where the request went.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Cow<'e, str>>,
    /// The data plane that decided.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub data_plane: Option<Cow<'e, str>>,
    /// `allow` or `deny`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Cow<'e, str>>,
    /// Of a denial.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'e, str>>,
    /// Whether the denial was recorded only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<bool>,
    /// As what something is revoked.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Cow<'e, str>>,
    /// What is revoked, rotated, published, used.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'e, str>>,
    /// Why, in the words of whoever did it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'e, str>>,
    /// Expiry, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Of events that are counted and not told one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// A place in an order: of a chain's head, in an anchor; a policy's generation; a store's epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The hash of what is there.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Cow<'e, str>>,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A server began to write.
    #[default]
    WriterStarted,
    /// A task and its first token.
    TaskStarted,
    /// A token was issued.
    TokenIssued,
    /// A token was exchanged for a narrower one.
    TokenDelegated,
    /// A use of a limited grant was counted.
    GrantUsed,
    /// A task ended as it should.
    TaskCompleted,
    /// A task was ended by a revocation.
    TaskRevoked,
    /// Something was revoked.
    Revoked,
    /// A revocation was lifted.
    Lifted,
    /// A policy came to count.
    PolicyPublished,
    /// A signing key was made.
    KeyMade,
    /// It began to sign.
    KeyActivated,
    /// It was withdrawn.
    KeyWithdrawn,
    /// A data plane was handed a service's own credential for a while.
    CredentialLeased,
    /// A request with a verified token was decided.
    Decision,
    /// Requests without one were denied, so many of a kind.
    Refusals,
    /// Decisions that are missing, because there were more than could be kept.
    Dropped,
    /// Where another writer's chain ended.
    Anchor,
    /// The store was restored from a backup.
    Restored,
}

impl Event<'_> {
    /// The same, with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        let Event {
            at,
            event,
            by,
            task,
            parent,
            agent,
            client,
            subject,
            jti,
            parent_jti,
            action,
            resource,
            host,
            data_plane,
            verdict,
            code,
            shadow,
            level,
            name,
            reason,
            expires_at,
            count,
            seq,
            hash,
        } = self;
        Event {
            at,
            event,
            by: owned(by),
            task: owned(task),
            parent: owned(parent),
            agent: owned(agent),
            client: owned(client),
            subject: owned(subject),
            jti: owned(jti),
            parent_jti: owned(parent_jti),
            action: owned(action),
            resource: owned(resource),
            host: owned(host),
            data_plane: owned(data_plane),
            verdict: owned(verdict),
            code: owned(code),
            shadow,
            level: owned(level),
            name: owned(name),
            reason: owned(reason),
            expires_at,
            count,
            seq,
            hash: owned(hash),
        }
    }
}
