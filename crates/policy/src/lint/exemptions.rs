//! What is open without a token.

use verdict::document::BodyDocument;

use super::{
    context::{Context, finding},
    finding::{Code, Finding},
};
use crate::scope::Route;

/// Methods that only read (RFC 9110 section 9.2.1), as far as a route has them.
const READING: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

pub(super) fn lint(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for route in context.routes.iter().filter(|route| route.is_exempt()) {
        let place = context.rule_place(route);
        // All names of the host: a list of what is open leaves nothing out.
        let (rule, hosts) = (route.rule, route.host.names.join(", "));
        let what =
            format!("`{} {}` of {hosts} needs no token: it is open to everyone", rule.method, rule.path);
        let advice = "keep it only if everyone who reaches the host may have it";
        findings.push(finding(Code::Exempt, place, what, advice));
        let too_much = too_much(route);
        if !too_much.is_empty() {
            let what = format!("the rule {} needs no token, and {}", route.name(), too_much.join(" and "));
            let advice = "name each path that must be open, for reading only; everything else gets an action";
            findings.push(finding(Code::ExemptBroad, place, what, advice));
        }
    }
}

/// What makes it more than one page to read.
fn too_much(route: &Route<'_>) -> Vec<&'static str> {
    let rule = route.rule;
    let mut too_much = Vec::new();
    if route.shape.sources().next().is_some() {
        too_much.push("has many paths");
    }
    if !READING.contains(&rule.method.as_str()) {
        too_much.push("does more than read");
    }
    if rule.body != BodyDocument::None {
        too_much.push("takes a body");
    }
    if !rule.upgrade.is_empty() {
        too_much.push("upgrades to another protocol");
    }
    too_much
}
