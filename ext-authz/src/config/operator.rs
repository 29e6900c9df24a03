//! Operators: who revokes, reads the audit log and withdraws keys. A right of its own, never a client's.

use std::fmt;

use serde::Deserialize;

use super::{
    DataPlane,
    data_plane::{Fault, hash},
};
use crate::operators::LOCAL;

/// A person, or a program of theirs, that may call the routes of operators over TCP.
#[derive(Clone)]
pub struct Operator {
    /// For logs and the audit log.
    pub name: String,
    /// SHA-256 of a generated bearer secret of at least 256 bits.
    pub secret_sha256: [u8; 32],
}

impl fmt::Debug for Operator {
    /// Nothing that proves.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Operator").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An operator as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorFile {
    name: String,
    #[serde(default, deserialize_with = "hash")]
    secret_sha256: Option<[u8; 32]>,
}

impl fmt::Debug for OperatorFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OperatorFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl OperatorFile {
    /// What it says, read. `before` are those that stand before it. A secret is one party's: what a data plane sends with
    /// every call must open nothing here.
    pub(super) fn read(self, before: &[Operator], data_planes: &[DataPlane]) -> Result<Operator, Fault> {
        let Self { name, secret_sha256 } = self;
        if !verdict::token::claims::is_name(&name) {
            return Err(("name", "must be 1 to 255 visible ASCII characters".to_owned()));
        }
        if name == LOCAL {
            return Err(("name", format!("`{LOCAL}` is the name of those at the operators' socket")));
        }
        if before.iter().any(|other| other.name == name) {
            return Err(("name", format!("`{name}` is listed twice")));
        }
        let Some(secret_sha256) = secret_sha256 else {
            return Err(("secret_sha256", "is missing".to_owned()));
        };
        let same_operator = before.iter().find(|other| other.secret_sha256 == secret_sha256);
        let same_plane = data_planes.iter().find(|plane| plane.secret_sha256 == Some(secret_sha256));
        let taken = same_operator.map(|other| &other.name).or(same_plane.map(|plane| &plane.name));
        match taken {
            Some(other) => Err(("secret_sha256", format!("is that of `{other}` too"))),
            None => Ok(Operator { name, secret_sha256 }),
        }
    }
}
