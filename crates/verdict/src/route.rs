//! Routes: from a request to an action on a resource with parameters.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use thiserror::Error;

mod meaning;
mod pattern;
mod rule;
mod source;
mod template;
mod tree;

pub use rule::{Rule, RuleError};

use crate::{
    Injection, UnixTime,
    denial::{DenialCode, Refusal},
    document::{HostDocument, Leniency, Mode},
    request::{Leniencies, host},
};
pub(crate) use meaning::Meaning;
pub(crate) use source::Target;

/// The compiled routes of one service.
#[derive(Debug)]
pub struct Host {
    audience: String,
    mode: Mode,
    leniencies: Leniencies,
    max_staleness: u64,
    injection: Option<Arc<Injection>>,
    rules: Vec<Rule>,
    tree: tree::Tree,
}

/// Why a host's document does not compile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct HostError {
    /// Index of the rule, where one is to blame.
    pub rule: Option<usize>,
    /// The member, as in `path` or `params.user.from`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl core::fmt::Display for HostError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let Some(rule) = self.rule {
            write!(formatter, "rules[{rule}].")?;
        }
        write!(formatter, "{}: {}", self.field, self.reason)
    }
}

impl Host {
    /// Compiles one host.
    ///
    /// # Errors
    /// The first member that is wrong, and two rules of which one could never match.
    pub fn compile(document: &HostDocument) -> Result<Self, HostError> {
        let HostDocument { names, audience, mode, allow, max_staleness, credential, rules: documents } =
            document;
        let fail = |field: &str, reason: &str| {
            Err(HostError { rule: None, field: field.into(), reason: reason.into() })
        };
        if names.is_empty() {
            return fail("hosts", "no host name");
        }
        for name in names {
            if host::canonical(name.as_bytes()).as_ref() != Some(name) {
                return fail("hosts", &alloc::format!("`{name}` is not a lower-case host name without port"));
            }
        }
        if !crate::token::claims::is_name(audience) {
            return fail("audience", "an audience has 1 to 255 visible ASCII characters");
        }
        let injection = match credential.as_ref().map(Injection::compile).transpose() {
            Ok(injection) => injection.map(Arc::new),
            Err(reason) => return fail("credential", reason),
        };
        let mut rules = Vec::with_capacity(documents.len());
        let mut tree = tree::Tree::default();
        for (index, document) in documents.iter().enumerate() {
            let rule = Rule::compile(document).map_err(|RuleError { field, reason }| HostError {
                rule: Some(index),
                field,
                reason,
            })?;
            if let Some(earlier) = tree.insert(rule.pattern(), rule.method(), index) {
                return Err(HostError {
                    rule: Some(index),
                    field: "path".into(),
                    reason: alloc::format!(
                        "never matches: rule {earlier} has the same method and the same path shape"
                    ),
                });
            }
            rules.push(rule);
        }
        let leniencies = Leniencies {
            trailing_slash: allow.contains(&Leniency::TrailingSlash),
            semicolon: allow.contains(&Leniency::Semicolon),
        };
        Ok(Self {
            audience: audience.clone(),
            mode: *mode,
            leniencies,
            max_staleness: *max_staleness,
            injection,
            rules,
            tree,
        })
    }

    /// The one rule for a path and method: the most specific path decides, and only then the method, so that a
    /// method the narrow rule does not have never falls through to a wider one.
    ///
    /// # Errors
    /// `no_route` where no rule matches. `ambiguous_request` where what stands before the `;` of a segment leads
    /// to another rule: a server that cuts path parameters would take the request for that one.
    pub(crate) fn rule<S: AsRef<str>>(&self, segments: &[S], method: &str) -> Result<&Rule, Refusal> {
        let found = self.tree.find(segments, method);
        if self.leniencies.semicolon {
            let cut = |segment: &S| segment.as_ref().split(';').next().unwrap_or_default().to_string();
            let cut: Vec<String> = segments.iter().map(cut).collect();
            if !self.tree.agree(segments, &cut) {
                let detail = "a path parameter hides which rule the path is for";
                return Err(Refusal::new(DenialCode::AmbiguousRequest, detail));
            }
        }
        let rule = found.and_then(|index| self.rules.get(index));
        rule.ok_or(Refusal::new(DenialCode::NoRoute, "no rule matches"))
    }

    /// The `aud` that tokens need here.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    pub(crate) fn leniencies(&self) -> Leniencies {
        self.leniencies
    }

    pub(crate) fn max_staleness(&self) -> u64 {
        self.max_staleness
    }

    /// What granted requests must carry upstream.
    pub(crate) fn injection(&self) -> Option<&Arc<Injection>> {
        self.injection.as_ref()
    }

    /// Whether a denial is only recorded at `now`.
    pub(crate) fn is_shadow(&self, now: UnixTime) -> bool {
        now < self.enforced_from()
    }

    /// From when on denials are sent.
    pub(crate) fn enforced_from(&self) -> UnixTime {
        match self.mode {
            Mode::Enforce => UnixTime(0),
            Mode::Shadow { until } => UnixTime(until),
        }
    }
}

/// Host names to their routes.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    hosts: Vec<Host>,
    by_name: BTreeMap<String, usize>,
}

impl Hosts {
    /// Compiles every host. The error names the place, as in `hosts[0].rules[2].path: ...`.
    pub(crate) fn compile(documents: &[HostDocument]) -> Result<Self, String> {
        let mut compiled = Self::default();
        for (index, document) in documents.iter().enumerate() {
            let host = Host::compile(document).map_err(|error| alloc::format!("hosts[{index}].{error}"))?;
            for name in &document.names {
                if compiled.by_name.insert(name.to_string(), index).is_some() {
                    return Err(alloc::format!("hosts[{index}].names: `{name}` is listed twice"));
                }
            }
            compiled.hosts.push(host);
        }
        Ok(compiled)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Host> {
        self.by_name.get(name).and_then(|&index| self.hosts.get(index))
    }

    /// `name` itself, if there is such a host.
    pub(crate) fn listed(&self, name: &str) -> Option<&str> {
        self.by_name.get_key_value(name).map(|(name, _)| name.as_str())
    }
}
