//! The names in a token, once each: most of them say several things.

use alloc::{boxed::Box, vec::Vec};

use super::Claims;
use crate::{revocation::Kind, token::claims::WritClaim};

/// What a name is in its token; several of these at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Roles(u16);

impl Roles {
    /// `jti`.
    pub(super) const TOKEN: Self = Self(1);
    /// One of `writ.lineage`.
    pub(super) const ANCESTOR: Self = Self(1 << 1);
    /// The task this token is for.
    pub(super) const TASK: Self = Self(1 << 2);
    /// `txn`, or one of `writ.tasks`.
    pub(super) const PATH: Self = Self(1 << 3);
    /// Who presents the token.
    pub(super) const HOLDER: Self = Self(1 << 4);
    /// One of `writ.agents`.
    pub(super) const AGENT: Self = Self(1 << 5);
    /// `sub`.
    pub(super) const SUBJECT: Self = Self(1 << 6);
    /// `client_id`.
    pub(super) const CLIENT: Self = Self(1 << 7);
    /// `writ.client`.
    pub(super) const STARTER: Self = Self(1 << 8);
    /// One of `aud`.
    pub(super) const AUDIENCE: Self = Self(1 << 9);

    /// As what a name with these roles can be revoked.
    const REVOCABLE: [(Self, Kind); 5] = [
        (Self(Self::TOKEN.0 | Self::ANCESTOR.0), Kind::Token),
        (Self(Self::HOLDER.0 | Self::AGENT.0), Kind::Agent),
        (Self::SUBJECT, Kind::Subject),
        (Self(Self::CLIENT.0 | Self::STARTER.0), Kind::Client),
        (Self(Self::TASK.0 | Self::PATH.0), Kind::Task),
    ];

    /// Whether any of `others` is among these.
    fn any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

/// Names with their roles in one piece of memory: two bytes of roles, one of length, then the text, and again.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Names(Box<[u8]>);

impl Names {
    /// The names of checked claims; `None` if one is longer than [`is_name`](super::claims::is_name) allows.
    pub(super) fn of(claims: &Claims) -> Option<Self> {
        let Claims {
            iss: _,
            aud,
            exp: _,
            iat: _,
            nbf: _,
            jti,
            sub,
            act: _,
            client_id,
            txn,
            authorization_details: _,
            cnf: _,
            writ,
        } = claims;
        let WritClaim { client, tasks, agents, lineage, depth: _, max_depth: _ } = writ;
        let single = [
            (Roles::TASK, claims.task()),
            (Roles::HOLDER, claims.holder()),
            (Roles::CLIENT, client_id),
            (Roles::TOKEN, jti),
            (Roles::PATH, txn),
            (Roles::SUBJECT, sub),
            (Roles::STARTER, client),
        ];
        let lists = [
            (Roles::AUDIENCE, aud),
            (Roles::PATH, tasks),
            (Roles::AGENT, agents),
            (Roles::ANCESTOR, lineage),
        ];
        let listed =
            lists.into_iter().flat_map(|(role, list)| list.iter().map(move |name| (role, name.as_str())));
        let mut names: Vec<(Roles, &str)> = Vec::with_capacity(8);
        for (role, name) in single.into_iter().chain(listed) {
            match names.iter_mut().find(|(_, known)| *known == name) {
                Some((roles, _)) => roles.0 |= role.0,
                None => names.push((role, name)),
            }
        }
        let mut bytes = Vec::with_capacity(names.iter().map(|(_, name)| name.len() + 3).sum());
        for (roles, name) in names {
            bytes.extend(roles.0.to_le_bytes());
            bytes.push(u8::try_from(name.len()).ok()?);
            bytes.extend(name.as_bytes());
        }
        Some(Self(bytes.into_boxed_slice()))
    }

    /// The first name in this role; empty where there is none.
    pub(super) fn first(&self, role: Roles) -> &str {
        self.iter().find(|(roles, _)| roles.any(role)).map_or("", |(_, name)| name)
    }

    /// Whether `name` is here in this role.
    pub(super) fn has(&self, role: Roles, name: &str) -> bool {
        self.iter().any(|(roles, own)| roles.any(role) && own == name)
    }

    /// Each name with each kind that it can be revoked as.
    pub(super) fn revocable(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.iter().flat_map(|(roles, name)| {
            let kinds = Roles::REVOCABLE.into_iter().filter(move |(revocable, _)| roles.any(*revocable));
            kinds.map(move |(_, kind)| (kind, name))
        })
    }

    /// Bytes of all names and their roles.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn iter(&self) -> impl Iterator<Item = (Roles, &str)> {
        let mut rest = &*self.0;
        core::iter::from_fn(move || {
            let (&[low, high, length], after) = rest.split_first_chunk()?;
            let (name, after) = after.split_at_checked(usize::from(length))?;
            rest = after;
            // Names are ASCII, so this is always text.
            Some((Roles(u16::from_le_bytes([low, high])), core::str::from_utf8(name).unwrap_or_default()))
        })
    }
}

impl core::fmt::Debug for Names {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}
