//! Operations, done to a [`View`]. Each checks everything before it changes anything.

use audit::{Event, EventKind, Lines};

use super::{
    Conditions, Ended, KeyChange, Write, WriteError, Written,
    limit::{begin, count},
    view::View,
    write::MAX_TASK_DEPTH,
};
use crate::{
    Level, NewRevocation, NewTask, Revocation, Task, TaskState,
    revocation::{Lifted, MARGIN},
};

/// An operation that was done.
pub(super) struct Done {
    pub(super) written: Written,
    /// Whether its events are to be recorded: what was so already is not told twice.
    pub(super) is_news: bool,
    /// Events of what it brought about beside.
    pub(super) beside: Lines,
}

/// Does `write` to `view`. `at` is the instant of events, Unix milliseconds.
pub(super) fn apply(view: &mut View, write: Write, at: u64) -> Result<Done, WriteError> {
    let news = |written| Done { written, is_news: true, beside: Lines::new() };
    match write {
        Write::Start { task, conditions } => start(view, task, conditions).map(Written::Task).map(news),
        Write::Issue(conditions) => {
            check(view, &conditions)?;
            begin(view, conditions.limits)?;
            Ok(news(Written::Done))
        }
        Write::Use(used) => count(view, used),
        Write::End { task, client, state, by, reason, now } => {
            let ending = Ending { state, by, reason, now, at };
            end(view, &task, client.as_deref(), &ending)
        }
        Write::Revoke(revocation) => Ok(revoke(view, revocation, at)),
        Write::Lift { level, name, by, now } => lift(view, level, &name, by, now),
        Write::Keys(change) => keys(view, change, at),
        Write::Note => Ok(news(Written::Done)),
    }
}

fn check(view: &View, conditions: &Conditions) -> Result<(), WriteError> {
    let Conditions { now, tasks, client, names, keys, epoch, limits: _ } = conditions;
    if *epoch != view.head.epoch {
        return Err(WriteError::EpochChanged);
    }
    if *keys != view.head.keys {
        return Err(WriteError::KeysChanged);
    }
    let leaf = tasks.last().and_then(|id| view.task(id));
    if client.as_ref().zip(leaf).is_some_and(|(client, leaf)| leaf.client != *client) {
        return Err(WriteError::UnknownTask);
    }
    check_standing(view, tasks, names, *now)
}

/// Whether all of `tasks`, from the root to the leaf, go on, and none of `names` is revoked.
pub(super) fn check_standing(
    view: &View,
    tasks: &[String],
    names: &[(Level, String)],
    now: u64,
) -> Result<(), WriteError> {
    for id in tasks {
        is_active(view.task(id).ok_or(WriteError::UnknownTask)?, now)?;
    }
    // Where the caller names less than the whole path, what it does not name counts too.
    let leaf = tasks.last().and_then(|id| view.task(id));
    for id in leaf.map(|leaf| &leaf.path).into_iter().filter(|path| *path != tasks).flatten() {
        is_active(view.task(id).ok_or(WriteError::UnknownTask)?, now)?;
    }
    match names.iter().find(|(level, name)| view.standing(*level, name, now).is_some()) {
        Some((level, _)) => Err(WriteError::Revoked(*level)),
        None => Ok(()),
    }
}

fn is_active(task: &Task, now: u64) -> Result<(), WriteError> {
    match task.state_at(now) {
        TaskState::Active => Ok(()),
        state => Err(WriteError::TaskEnded(state)),
    }
}

fn start(view: &mut View, new: NewTask, conditions: Conditions) -> Result<Task, WriteError> {
    check(view, &conditions)?;
    if view.task(&new.id).is_some() {
        return Err(WriteError::TaskExists);
    }
    let mut path = Vec::new();
    if let Some(parent) = &new.parent {
        let parent = view.task(parent).filter(|parent| parent.client == new.client);
        let parent = parent.ok_or(WriteError::UnknownParent)?;
        path.clone_from(&parent.path);
        for id in &path {
            is_active(view.task(id).ok_or(WriteError::UnknownParent)?, conditions.now)?;
        }
        if new.expires_at > parent.expires_at {
            return Err(WriteError::OutlivesParent);
        }
        if path.len() >= MAX_TASK_DEPTH {
            return Err(WriteError::TooDeep);
        }
    }
    begin(view, conditions.limits)?;
    let task = new.begin(&path);
    view.start(task.clone());
    Ok(task)
}

/// How something ends.
struct Ending {
    state: Ended,
    by: String,
    reason: Option<String>,
    now: u64,
    at: u64,
}

fn end(view: &mut View, id: &str, client: Option<&str>, ending: &Ending) -> Result<Done, WriteError> {
    let task = view.task(id).filter(|task| client.is_none_or(|client| task.client == client));
    let task = task.ok_or(WriteError::UnknownTask)?.clone();
    if task.state != TaskState::Active {
        let written = Written::Ended { task, changed: false, cascaded: Vec::new() };
        return Ok(Done { written, is_news: false, beside: Lines::new() });
    }
    let (cascaded, beside) = end_tree(view, &task, ending);
    // The one that stands for all: their tokens name every task above theirs.
    // It is there also where nothing seems left that it could refuse: a clock that is ahead must not lose it.
    let expires_at = task.expires_at.saturating_add(MARGIN);
    if view.standing(Level::Task, id, ending.now).is_some() {
        // Its end has a place in the order in any case: that is how others learn of it.
        view.change(Level::Task, id, |revocation, place| {
            revocation.seq = place;
            revocation.expires_at = later(revocation.expires_at, Some(expires_at));
        });
    } else {
        view.revoke(Revocation {
            seq: 0,
            level: Level::Task,
            name: id.to_owned(),
            audience: audience(view, &task, &cascaded),
            reason: ending.reason.clone(),
            by: ending.by.clone(),
            at: ending.now,
            expires_at: Some(expires_at),
            lifted: None,
        });
    }
    let task = view.task(id).cloned().unwrap_or(task);
    let written = Written::Ended { task, changed: true, cascaded };
    Ok(Done { written, is_news: true, beside })
}

/// Ends `task` and all under it that has not ended yet.
fn end_tree(view: &mut View, task: &Task, ending: &Ending) -> (Vec<String>, Lines) {
    let (mut cascaded, mut beside) = (Vec::new(), Lines::new());
    view.end(&task.id, ending.state.state(), ending.now);
    for id in view.descendants(&task.id) {
        let Some(child) = view.task(&id).filter(|child| child.state == TaskState::Active) else { continue };
        beside.push(&Event {
            at: ending.at,
            event: match ending.state {
                Ended::Completed => EventKind::TaskCompleted,
                Ended::Revoked => EventKind::TaskRevoked,
            },
            by: Some(ending.by.as_str().into()),
            task: Some(id.as_str().into()),
            parent: child.parent.as_deref().map(Into::into),
            agent: Some(child.agent.as_str().into()),
            client: Some(child.client.as_str().into()),
            ..Event::default()
        });
        view.end(&id, ending.state.state(), ending.now);
        cascaded.push(id);
    }
    (cascaded, beside)
}

/// The one audience that all tasks of a tree have.
fn audience(view: &View, root: &Task, descendants: &[String]) -> Option<String> {
    let same = |id: &String| view.task(id).is_some_and(|task| task.audience == root.audience);
    descendants.iter().all(same).then(|| root.audience.clone())
}

fn revoke(view: &mut View, new: NewRevocation, at: u64) -> Done {
    let NewRevocation { level, name, mut audience, reason, by, now, mut expires_at } = new;
    let mut beside = Lines::new();
    let mut has_ended = false;
    if level == Level::Task
        && let Some(task) = view.task(&name).cloned()
    {
        let latest = task.expires_at.saturating_add(MARGIN);
        expires_at = Some(expires_at.map_or(latest, |given| given.max(latest)));
        audience = self::audience(view, &task, &view.descendants(&name));
        if task.state == TaskState::Active {
            let ending = Ending { state: Ended::Revoked, by: by.clone(), reason: reason.clone(), now, at };
            (_, beside) = end_tree(view, &task, &ending);
            has_ended = true;
        }
    }
    // One that is over counts while the new one would be over as soon: or the same request again and again would fill the
    // store.
    let does_for_both =
        |kept: &&Revocation| kept.stands(now) || later(kept.expires_at, expires_at) == kept.expires_at;
    let standing = view.unlifted(level, &name).filter(does_for_both).cloned();
    let (revocation, is_new, is_news) = match standing {
        None => {
            let revocation =
                Revocation { seq: 0, level, name, audience, reason, by, at: now, expires_at, lifted: None };
            (view.revoke(revocation), true, true)
        }
        Some(standing) => {
            // Where one of the two is for less than all audiences, the one that stands must do for both.
            let widened = standing.audience.clone().filter(|_| standing.audience == audience);
            let extended = later(standing.expires_at, expires_at);
            if !has_ended && (&widened, extended) == (&standing.audience, standing.expires_at) {
                (standing, false, false)
            } else {
                let changed = view.change(level, &name, |revocation, place| {
                    (revocation.seq, revocation.expires_at) = (place, extended);
                    revocation.audience = widened;
                });
                (changed.unwrap_or(standing), false, true)
            }
        }
    };
    Done { written: Written::Revoked { revocation, is_new }, is_news, beside }
}

/// The later of two instants, of which `None` is never.
fn later(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.max(other?))
}

fn lift(view: &mut View, level: Level, name: &str, by: String, now: u64) -> Result<Done, WriteError> {
    if !level.is_liftable() {
        return Err(WriteError::NotLiftable(level));
    }
    let stands = view.standing(level, name, now).is_some();
    if stands {
        view.change(level, name, |revocation, seq| revocation.lifted = Some(Lifted { seq, by, at: now }));
    }
    Ok(Done { written: Written::Lifted(stands), is_news: stands, beside: Lines::new() })
}

fn keys(view: &mut View, change: KeyChange, at: u64) -> Result<Done, WriteError> {
    let KeyChange { expected, put, remove, revoke: revoked } = change;
    if view.head.keys != expected {
        return Err(WriteError::KeysChanged);
    }
    view.head.keys += 1;
    for kid in remove {
        view.put_key(kid, None);
    }
    for key in put {
        view.put_key(key.kid.clone(), Some(key));
    }
    let (mut standing, mut beside) = (Vec::with_capacity(revoked.len()), Lines::new());
    for new in revoked {
        let done = revoke(view, new, at);
        beside.append(&done.beside);
        if let Written::Revoked { revocation, .. } = done.written {
            standing.push(revocation);
        }
    }
    let written = Written::Keys { sequence: view.head.keys, revoked: standing };
    Ok(Done { written, is_news: true, beside })
}
