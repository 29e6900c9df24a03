//! Credentials that nobody sends.

use std::collections::BTreeSet;

use super::{
    context::{Context, finding},
    finding::{Code, Finding},
};

pub(super) fn lint(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let policy = context.policy;
    let sent: BTreeSet<&str> =
        policy.hosts().iter().flat_map(|host| &host.credential).map(|its| its.name.as_str()).collect();
    for name in policy.credentials().keys().filter(|name| !sent.contains(name.as_str())) {
        let what = format!("no route sends the credential `{name}`");
        let advice = "name it as `credential` of a route of its namespace, or remove it";
        findings.push(finding(Code::CredentialUnused, policy.credential_place(name), what, advice));
    }
}
