//! Starting tasks.

use std::sync::Arc;

use audit::{Event, Lines};
use store::{MAX_TASK_DEPTH, NewTask, Task, TaskState, Write, Written};
use verdict::{UnixTime, grant::Grant, token::claims::WritClaim};

use super::{
    IssuedToken, MAX_NOTE, StartTask, Started, TaskError, Tasks,
    commit::{Names, check_covered, told},
    error::On,
    known::Known,
    room::check_room,
};
use crate::{
    clients::AuthenticatedClient,
    clock,
    issue::{
        Draft, IssueError, Named, Origin, Parties, Rest, SignedToken, choose_audience, name_grants,
        narrowed_binding, new_id,
    },
    state::State,
    telemetry::metrics,
};

/// What errors call the parent.
const PARENT: &str = "parent task";

impl Tasks {
    /// Starts a task and issues its first token.
    ///
    /// # Errors
    /// What the client may not have, the parent does not allow, or the server cannot do.
    pub async fn start(
        &self,
        client: &AuthenticatedClient,
        request: StartTask,
    ) -> Result<Started, TaskError> {
        let StartTask { parent, grants, subject, agent, expires_in, audience, cnf, note } = request;
        if note.as_ref().is_some_and(|note| note.len() > MAX_NOTE) {
            return Err(TaskError::Invalid(format!("note: over {MAX_NOTE} bytes")));
        }
        let parent = match parent {
            Some(id) => Some(self.known(client.name(), &id).await?.ok_or(TaskError::UnknownParent)?),
            None => None,
        };
        let (now, state) = (clock::now_millis(), self.0.current.load());
        check_room(&state)?;
        let bounds = Bounds::new(parent.as_deref(), now.seconds())?;
        bounds.check_grants(&grants)?;
        let allowance = self.0.issuer.allow(client, &grants, expires_in, bounds.rest())?;
        let Named { grants, begun } = name_grants(grants, bounds.origin())?;
        let audience = bounds.audience(audience, &state)?;
        let parties = Parties::of(client, subject, agent)?;
        let agents = vec![parties.holder().to_owned()];
        let Parties { subject, actor } = parties;

        let id = new_id();
        let draft = Draft {
            audiences: vec![audience],
            subject,
            actor,
            client: client.name().to_owned(),
            grants,
            cnf: narrowed_binding(cnf, bounds.parent.and_then(|parent| parent.cnf.as_ref())),
            writ: WritClaim {
                client: client.name().to_owned(),
                tasks: bounds.path(&id),
                agents,
                lineage: Vec::new(),
                depth: 0,
                max_depth: bounds.max_depth(allowance.max_depth),
            },
            ttl: allowance.ttl,
        };
        let signed = self.0.issuer.sign(draft, now.seconds())?;
        let claims = &signed.claims;
        let json = |error: serde_json::Error| IssueError::internal(&error);
        let task = NewTask {
            id,
            parent: parent.as_ref().map(|parent| parent.task.id.clone()),
            client: claims.client_id.clone(),
            subject: claims.sub.clone(),
            agent: claims.holder().to_owned(),
            audience: claims.aud.concat(),
            grants: serde_json::to_string(&claims.authorization_details).map_err(json)?,
            cnf: claims.cnf.as_ref().map(serde_json::to_string).transpose().map_err(json)?,
            max_depth: claims.writ.max_depth,
            note,
            created_at: claims.iat,
            expires_at: claims.exp,
        };
        let epoch = state.snapshot().version().epoch;
        let recorded = |signed: &SignedToken| {
            let conditions = self.conditions(signed, Names::of(&signed.claims), &begun, epoch, now.seconds());
            let (parent, note) = (task.parent.as_deref(), task.note.as_deref());
            let event = Event::task_started(now.0, told(&signed.claims), parent, note);
            (Write::Start { task: task.clone(), conditions }, Lines::of(&event))
        };
        let (signed, written) = self.commit(signed, On::Parent, recorded).await?;
        let Written::Task(task) = written else { return Err(TaskError::Internal) };
        metrics::token_issued();
        let claims = &signed.claims;
        let (grants, cnf) = (claims.authorization_details.clone(), claims.cnf.clone());
        self.0.known.insert(Arc::new(Known { task: Task { note: None, ..task.clone() }, grants, cnf }));
        Ok(Started { task, token: IssuedToken::of(signed, now.seconds()) })
    }
}

/// What a parent leaves to a task.
struct Bounds<'p> {
    parent: Option<&'p Known>,
    now: UnixTime,
}

impl<'p> Bounds<'p> {
    fn new(parent: Option<&'p Known>, now: UnixTime) -> Result<Self, TaskError> {
        if let Some(Known { task, .. }) = parent {
            if task.expires_at <= now.0 {
                return Err(TaskError::ParentEnded(TaskState::Expired));
            }
            if task.path.len() >= MAX_TASK_DEPTH {
                return Err(TaskError::TasksTooDeep);
            }
        }
        Ok(Self { parent, now })
    }

    fn check_grants(&self, grants: &[Grant]) -> Result<(), TaskError> {
        self.parent.map_or(Ok(()), |parent| check_covered(grants, &parent.grants, PARENT))
    }

    fn origin(&self) -> Origin<'p> {
        self.parent.map_or(Origin::Root, |parent| Origin::Above(&parent.grants))
    }

    fn rest(&self) -> Option<Rest> {
        let rest = |parent: &Known| parent.task.expires_at.saturating_sub(self.now.0);
        self.parent.map(|parent| Rest { seconds: rest(parent), of: "the parent task" })
    }

    fn audience(&self, asked: Option<String>, state: &State) -> Result<String, TaskError> {
        match (self.parent, asked) {
            (None, asked) => Ok(choose_audience(asked, &state.policy().audiences())?),
            (Some(parent), None) => Ok(parent.task.audience.clone()),
            (Some(parent), Some(asked)) if asked == parent.task.audience => Ok(asked),
            (Some(_), Some(_)) => Err(TaskError::AudienceWider(PARENT)),
        }
    }

    fn path(&self, id: &str) -> Vec<String> {
        let above = self.parent.map_or(&[][..], |parent| &parent.task.path);
        above.iter().map(String::as_str).chain([id]).map(str::to_owned).collect()
    }

    fn max_depth(&self, allowed: u32) -> u32 {
        self.parent.map_or(allowed, |parent| parent.task.max_depth.min(allowed))
    }
}
