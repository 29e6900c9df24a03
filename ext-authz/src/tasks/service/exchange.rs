//! Delegation: one token exchanged for another, of another holder, that allows no more (RFC 8693).

use audit::{Event, Lines};
use store::{Conditions, Level};
use verdict::token::{
    Claims,
    claims::{Actor, WritClaim},
};

use super::{
    ExchangeToken, IssuedToken, TaskError, Tasks,
    commit::{Names, check_covered, told},
    subject_token::Proven,
};
use crate::{
    clients::AuthenticatedClient,
    clock,
    issue::{Draft, Named, Origin, Rest, SignedToken, check_name, name_grants, narrowed_binding},
};

const TOKEN: &str = "subject token";

impl Tasks {
    /// Exchanges a task token for one of another holder. What the token says decides what this is: always a delegation,
    /// one link further, whoever asks and however.
    ///
    /// # Errors
    /// A token that does not count, what it or the policy does not allow, or what the server cannot do.
    pub async fn exchange(
        &self,
        client: &AuthenticatedClient,
        request: ExchangeToken,
    ) -> Result<IssuedToken, TaskError> {
        let ExchangeToken { subject_token, grants, agent, expires_in, audience, cnf } = request;
        check_name(&agent, "agent")?;
        let (now, state) = (clock::now_millis(), self.0.current.load());
        let parent = Proven::read(&subject_token, &state)?;
        check_parties(client, &parent, &agent)?;
        parent.check_standing(&state, now.seconds())?;
        let claims = &parent.claims;

        let grants = match grants {
            Some(grants) => {
                check_covered(&grants, &claims.authorization_details, TOKEN)?;
                grants
            }
            None => claims.authorization_details.clone(),
        };
        let rest = Rest { seconds: claims.exp.saturating_sub(now.seconds().0), of: "the subject token" };
        let allowance = self.0.issuer.allow(client, &grants, expires_in, Some(rest))?;
        let Named { grants, begun } = name_grants(grants, Origin::Above(&claims.authorization_details))?;
        let draft = Draft {
            audiences: narrowed_audience(audience, claims)?,
            subject: claims.sub.clone(),
            actor: Actor::chain(prior_actors(claims).chain([agent.as_str()])),
            client: client.name().to_owned(),
            grants,
            cnf: narrowed_binding(cnf, claims.cnf.as_ref()),
            writ: one_link_further(claims, agent.clone(), allowance.max_depth)?,
            ttl: allowance.ttl,
        };
        let signed = self.0.issuer.sign(draft, now.seconds())?;

        let epoch = state.snapshot().version().epoch;
        let recorded = |signed: &SignedToken| {
            // The token, all it came from, and everybody who had a part in it.
            let mut names = Names::of(&signed.claims);
            names.add(Level::Client, &claims.client_id);
            names.add(Level::Key, parent.kid());
            let conditions = Conditions {
                tasks: claims.writ.tasks.clone(),
                client: Some(claims.writ.client.clone()),
                ..self.conditions(signed, names, &begun, epoch, now.seconds())
            };
            (conditions, Lines::of(&Event::token_delegated(now.0, told(&signed.claims), &claims.jti)))
        };
        self.hand_out(signed, now.seconds(), recorded).await
    }
}

/// Whether this client may exchange this token for this agent at all.
fn check_parties(client: &AuthenticatedClient, parent: &Proven, agent: &str) -> Result<(), TaskError> {
    let claims = &parent.claims;
    let (name, starter) = (client.name(), &claims.writ.client);
    // Who stole a bound token cannot present it; nor may another client make it one that anybody can.
    if claims.cnf.is_some() && !parent.is_of(name) {
        return Err(TaskError::BoundToAnother { client: claims.client_id.clone(), starter: starter.clone() });
    }
    let holder = claims.holder();
    if !client.policy().may_exchange(name, starter, holder, agent) {
        // What the token says is no secret to whoever brought it.
        let (holder, starter, agent) = (holder.to_owned(), starter.clone(), agent.to_owned());
        return Err(TaskError::MayNotDelegate { holder, starter, agent });
    }
    Ok(())
}

fn narrowed_audience(asked: Option<String>, parent: &Claims) -> Result<Vec<String>, TaskError> {
    match asked {
        None => Ok(parent.aud.clone()),
        Some(asked) if parent.aud.contains(&asked) => Ok(vec![asked]),
        Some(_) => Err(TaskError::AudienceWider(TOKEN)),
    }
}

/// Who acted for the subject so far, the first of them first; the subject is not its own actor.
fn prior_actors(parent: &Claims) -> impl Iterator<Item = &str> {
    let agents = parent.writ.agents.iter().map(String::as_str);
    agents.enumerate().filter(|(index, agent)| *index > 0 || *agent != parent.sub).map(|(_, agent)| agent)
}

fn one_link_further(parent: &Claims, agent: String, allowed: u32) -> Result<WritClaim, TaskError> {
    let WritClaim { client, tasks, agents, lineage, depth, max_depth } = parent.writ.clone();
    let (depth, max_depth) = (depth + 1, max_depth.min(allowed));
    if depth > max_depth {
        return Err(TaskError::TooDeep { depth, max: max_depth });
    }
    let agents = agents.into_iter().chain([agent]).collect();
    let lineage = lineage.into_iter().chain([parent.jti.clone()]).collect();
    Ok(WritClaim { client, tasks, agents, lineage, depth, max_depth })
}
