//! Agents that anybody can be.

use super::{
    context::{Context, finding},
    finding::{Code, Finding},
};
use crate::pattern::AgentPattern;

pub(super) fn lint(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (name, client) in context.policy.clients() {
        let place = context.policy.client_place(name);
        let delegates = client.may_delegate.iter().flat_map(|delegation| {
            let holders = delegation.from.iter().map(|agent| ("may take over tokens of", agent));
            holders.chain(delegation.to.iter().map(|agent| ("may delegate to", agent)))
        });
        let agents = client.agents.iter().map(|agent| ("may hand tokens to", agent)).chain(delegates);
        for (does, agent) in agents.filter(|(_, agent)| is_anybody(agent)) {
            let what = format!("client `{name}` {does} `{agent}`, which is any agent");
            let advice = "name the agents it works with, by as much of their names as they have in common";
            findings.push(finding(Code::AgentBroad, place, what, advice));
        }
    }
}

/// Whether nothing, or no more than a scheme, stands before the `*`.
fn is_anybody(agent: &AgentPattern) -> bool {
    let text = agent.to_string();
    text.strip_suffix('*').is_some_and(|stem| stem.is_empty() || stem.ends_with("://"))
}
