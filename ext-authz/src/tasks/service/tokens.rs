//! Further tokens of a task.

use audit::{Event, Lines};
use store::{Conditions, TaskState};
use verdict::token::claims::WritClaim;

use super::{
    IssueToken, IssuedToken, TaskError, Tasks,
    commit::{Names, check_covered, told},
};
use crate::{
    clients::AuthenticatedClient,
    clock,
    issue::{Draft, Named, Origin, Parties, Rest, SignedToken, name_grants, narrowed_binding},
};

const TASK: &str = "task";

impl Tasks {
    /// Issues another token of the client's task `id`, by the policy of now.
    ///
    /// # Errors
    /// What the client may not have, the task does not allow, or the server cannot do.
    pub async fn issue(
        &self,
        client: &AuthenticatedClient,
        id: &str,
        request: IssueToken,
    ) -> Result<IssuedToken, TaskError> {
        let IssueToken { grants, agent, expires_in, audience, cnf } = request;
        let known = self.known(client.name(), id).await?.ok_or(TaskError::UnknownTask)?;
        let (now, state, task) = (clock::now_millis(), self.0.current.load(), &known.task);
        let rest = task.expires_at.saturating_sub(now.seconds().0);
        if rest == 0 {
            return Err(TaskError::TaskEnded(TaskState::Expired));
        }
        if audience.is_some_and(|asked| asked != task.audience) {
            return Err(TaskError::AudienceWider(TASK));
        }
        let grants = match grants {
            Some(grants) => {
                check_covered(&grants, &known.grants, TASK)?;
                grants
            }
            None => known.grants.clone(),
        };
        let rest = Rest { seconds: rest, of: "the task" };
        let allowance = self.0.issuer.allow(client, &grants, expires_in, Some(rest))?;
        let Named { grants, begun } = name_grants(grants, Origin::Task(&known.grants))?;
        let agent = agent.unwrap_or_else(|| task.agent.clone());
        let Parties { subject, actor } =
            Parties::of(client, Some(task.subject.clone()), Some(agent.clone()))?;
        let draft = Draft {
            audiences: vec![task.audience.clone()],
            subject,
            actor,
            client: client.name().to_owned(),
            grants,
            cnf: narrowed_binding(cnf, known.cnf.as_ref()),
            writ: WritClaim {
                client: task.client.clone(),
                tasks: task.path.clone(),
                agents: vec![agent],
                lineage: Vec::new(),
                depth: 0,
                max_depth: allowance.max_depth.min(task.max_depth),
            },
            ttl: allowance.ttl,
        };
        let signed = self.0.issuer.sign(draft, now.seconds())?;
        let epoch = state.snapshot().version().epoch;
        let recorded = |signed: &SignedToken| {
            let conditions = Conditions {
                tasks: task.path.clone(),
                client: Some(task.client.clone()),
                ..self.conditions(signed, Names::of(&signed.claims), &begun, epoch, now.seconds())
            };
            (conditions, Lines::of(&Event::token_issued(now.0, told(&signed.claims))))
        };
        self.hand_out(signed, now.seconds(), recorded).await
    }
}
