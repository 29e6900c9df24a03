//! What no database holds, refused before it could spoil what is written with it.

use super::{Conditions, KeyChange, NewLimit, NewUse, Write, WriteError};
use crate::{NewRevocation, NewTask, SigningKey};

/// PostgreSQL has no NUL in texts, and neither database has unsigned numbers.
pub(super) fn check(write: &Write) -> Result<(), WriteError> {
    let (texts, numbers) = match write {
        Write::Start { task, conditions } => {
            of_conditions(conditions)?;
            let NewTask {
                id,
                parent,
                client,
                subject,
                agent,
                audience,
                grants,
                cnf,
                max_depth: _,
                note,
                created_at,
                expires_at,
            } = task;
            let mut texts: Vec<&str> = vec![id, client, subject, agent, audience, grants];
            texts.extend([parent, cnf, note].into_iter().flatten().map(String::as_str));
            (texts, vec![*created_at, *expires_at])
        }
        Write::Issue(conditions) => return of_conditions(conditions),
        Write::Use(NewUse { decision, root, id, now, tasks, names }) => {
            let texts =
                [decision, root, id].into_iter().chain(tasks).chain(names.iter().map(|(_, name)| name));
            (texts.map(String::as_str).collect(), vec![*now])
        }
        Write::End { task, client, state: _, by, reason, now } => {
            let mut texts: Vec<&str> = vec![task, by];
            texts.extend([client, reason].into_iter().flatten().map(String::as_str));
            (texts, vec![*now])
        }
        Write::Revoke(revocation) => return of_revocation(revocation),
        Write::Lift { level: _, name, by, now } => (vec![name.as_str(), by], vec![*now]),
        Write::Keys(KeyChange { expected: _, put, remove, revoke }) => {
            revoke.iter().try_for_each(of_revocation)?;
            put.iter().try_for_each(of_key)?;
            (remove.iter().map(String::as_str).collect(), Vec::new())
        }
        Write::Note => return Ok(()),
    };
    storable(texts, numbers)
}

fn of_conditions(conditions: &Conditions) -> Result<(), WriteError> {
    let Conditions { now, tasks, client: _, names, keys: _, epoch: _, limits } = conditions;
    for NewLimit { root, id, uses: _, expires_at } in limits {
        storable([root.as_str(), id], [*expires_at])?;
    }
    storable(tasks.iter().chain(names.iter().map(|(_, name)| name)).map(String::as_str), [*now])
}

fn of_revocation(revocation: &NewRevocation) -> Result<(), WriteError> {
    let NewRevocation { level: _, name, audience, reason, by, now, expires_at } = revocation;
    let texts = [name, by].into_iter().chain([audience, reason].into_iter().flatten());
    storable(texts.map(String::as_str), [*now].into_iter().chain(*expires_at))
}

fn of_key(key: &SigningKey) -> Result<(), WriteError> {
    let SigningKey { kid, alg, public_key, sealed, state: _, created_at, active_at, retired_at, last_exp } =
        key;
    let texts = [kid, alg, public_key].into_iter().chain(sealed);
    let numbers = [Some(*created_at), *active_at, *retired_at, *last_exp];
    storable(texts.map(String::as_str), numbers.into_iter().flatten())
}

fn storable<'t>(
    texts: impl IntoIterator<Item = &'t str>,
    numbers: impl IntoIterator<Item = u64>,
) -> Result<(), WriteError> {
    // Room for what is added to an instant.
    const LARGEST: u64 = (i64::MAX / 2).unsigned_abs();
    if texts.into_iter().any(|text| text.contains('\0')) {
        return Err(WriteError::Unstorable("a text with a NUL"));
    }
    if numbers.into_iter().any(|number| number > LARGEST) {
        return Err(WriteError::Unstorable("a number out of range"));
    }
    Ok(())
}
