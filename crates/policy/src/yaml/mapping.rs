//! Reading a mapping's members by name, and what is left over.

use super::{
    field::Field,
    node::{Entry, Position, Value},
};
use crate::report::{Report, Reported};

/// A mapping of which each member is taken once by name.
///
/// [`Mapping::finish`] makes an error of every member that nobody took: an ignored member of a policy is a
/// restriction that is not there.
pub(crate) struct Mapping<'n> {
    field: Field<'n>,
    left: Vec<&'n Entry>,
    known: Vec<&'static str>,
}

impl<'n> Mapping<'n> {
    /// Starts to read `field`.
    ///
    /// # Errors
    /// It is not a mapping.
    pub(crate) fn of(field: &Field<'n>, report: &mut Report) -> Result<Self, Reported> {
        let left = entries(field, report)?.iter().collect();
        Ok(Self { field: field.clone(), left, known: Vec::new() })
    }

    /// Takes a member that must be there.
    ///
    /// # Errors
    /// It is missing.
    pub(crate) fn required(&mut self, key: &'static str, report: &mut Report) -> Result<Field<'n>, Reported> {
        match self.optional(key) {
            Some(member) => Ok(member),
            None => Err(report.at(&self.field, format!("`{key}` is missing"))),
        }
    }

    /// Takes a member that may be there.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.known.push(key);
        self.take(key).map(|entry| self.field.member(key, &entry.node))
    }

    /// Refuses members that are part of the policy language but not of this version.
    ///
    /// # Errors
    /// One of them is there.
    pub(crate) fn unsupported(&mut self, keys: &[&'static str], report: &mut Report) -> Result<(), Reported> {
        let mut result = Ok(());
        for key in keys {
            if let Some(entry) = self.take(key) {
                let reason = format!("`{key}` is not supported by this version");
                let path = self.field.member_path(key);
                result = Err(report.record(self.field.file(), entry.key_position, &path, reason));
            }
        }
        result
    }

    /// Refuses what is left.
    ///
    /// # Errors
    /// A member that nobody took.
    pub(crate) fn finish(self, report: &mut Report) -> Result<(), Reported> {
        let known: Vec<String> = self.known.iter().map(|key| format!("`{key}`")).collect();
        let mut result = Ok(());
        for entry in self.left {
            let reason = format!("unknown field; known are {}", known.join(", "));
            let path = self.field.member_path(&entry.key);
            result = Err(report.record(self.field.file(), entry.key_position, &path, reason));
        }
        result
    }

    fn take(&mut self, key: &str) -> Option<&'n Entry> {
        let index = self.left.iter().position(|entry| entry.key == key)?;
        Some(self.left.remove(index))
    }
}

/// A member whose key is a name that the policy chooses.
pub(crate) struct Named<'n> {
    pub(crate) name: &'n str,
    pub(crate) name_position: Position,
    pub(crate) field: Field<'n>,
}

impl Named<'_> {
    /// Records what is wrong with the name itself.
    pub(crate) fn refuse(&self, reason: impl Into<String>, report: &mut Report) -> Reported {
        report.record(self.field.file(), self.name_position, self.field.path(), reason)
    }
}

/// The members of a mapping whose keys are names that the policy chooses.
///
/// # Errors
/// It is not a mapping, or an empty one.
pub(crate) fn named<'n>(field: &Field<'n>, report: &mut Report) -> Result<Vec<Named<'n>>, Reported> {
    let entries = entries(field, report)?;
    if entries.is_empty() {
        return Err(report.at(field, "must not be an empty mapping"));
    }
    Ok(entries
        .iter()
        .map(|entry| Named {
            name: &entry.key,
            name_position: entry.key_position,
            field: field.member(&entry.key, &entry.node),
        })
        .collect())
}

fn entries<'n>(field: &Field<'n>, report: &mut Report) -> Result<&'n [Entry], Reported> {
    match field.value() {
        Value::Mapping(entries) => Ok(entries),
        other => Err(report.at(field, format!("must be a mapping, not {}", other.kind()))),
    }
}
