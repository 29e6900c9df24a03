//! One finding.

use std::fmt;

use crate::places::Place;

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where it stands; `None` only for what no file says.
    pub place: Option<Place>,
    /// What kind it is.
    pub code: Code,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do about it, in a sentence.
    pub advice: String,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is as somebody wrote it, and worth knowing.
    Note,
    /// It is probably not what was meant.
    Warning,
}

/// The kinds of findings. Their names are stable: a name is never given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// A rule needs no token.
    Exempt,
    /// A rule that needs no token opens more than one path, or more than reading.
    ExemptBroad,
    /// A host forwards what should be denied.
    Shadow,
    /// No ceiling reaches any rule of a host.
    HostUnreached,
    /// Every path of a rule is taken by narrower rules.
    RuleShadowed,
    /// Every request of a rule is refused, whatever is granted.
    RuleImpossible,
    /// No ceiling covers any request of a rule.
    RuleUngranted,
    /// A value that a rule needs may be left out of a request.
    RuleOptional,
    /// A ceiling covers no request.
    CeilingUnreachable,
    /// A ceiling is within another of the same client.
    CeilingCovered,
    /// Two ceilings of a client cover a request, and bound it differently.
    CeilingOverlap,
    /// A pattern of actions is all of a namespace.
    ActionBroad,
    /// A pattern of resources is all of a scheme, or of any authority.
    ResourceBroad,
    /// A pattern of a ceiling covers no request.
    PatternUnreachable,
    /// A pattern of a ceiling is within another.
    PatternCovered,
    /// A pattern of agents is any agent.
    AgentBroad,
    /// No host sends a credential.
    CredentialUnused,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Exempt,
        Self::ExemptBroad,
        Self::Shadow,
        Self::HostUnreached,
        Self::RuleShadowed,
        Self::RuleImpossible,
        Self::RuleUngranted,
        Self::RuleOptional,
        Self::CeilingUnreachable,
        Self::CeilingCovered,
        Self::CeilingOverlap,
        Self::ActionBroad,
        Self::ResourceBroad,
        Self::PatternUnreachable,
        Self::PatternCovered,
        Self::AgentBroad,
        Self::CredentialUnused,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exempt => "exempt",
            Self::ExemptBroad => "exempt-broad",
            Self::Shadow => "shadow",
            Self::HostUnreached => "host-unreached",
            Self::RuleShadowed => "rule-shadowed",
            Self::RuleImpossible => "rule-impossible",
            Self::RuleUngranted => "rule-ungranted",
            Self::RuleOptional => "rule-optional",
            Self::CeilingUnreachable => "ceiling-unreachable",
            Self::CeilingCovered => "ceiling-covered",
            Self::CeilingOverlap => "ceiling-overlap",
            Self::ActionBroad => "action-broad",
            Self::ResourceBroad => "resource-broad",
            Self::PatternUnreachable => "pattern-unreachable",
            Self::PatternCovered => "pattern-covered",
            Self::AgentBroad => "agent-broad",
            Self::CredentialUnused => "credential-unused",
        }
    }

    /// What is found, in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Exempt => "a rule needs no token",
            Self::ExemptBroad => "a rule needs no token, and has many paths or does more than read",
            Self::Shadow => "a host forwards what should be denied",
            Self::HostUnreached => "no ceiling reaches any rule of the host",
            Self::RuleShadowed => "narrower paths take all paths of the rule",
            Self::RuleImpossible => "every request of the rule is refused, whatever is granted",
            Self::RuleUngranted => "no ceiling covers any request of the rule",
            Self::RuleOptional => "requests may leave out what the action or resource is made of",
            Self::CeilingUnreachable => "the ceiling covers no request of any rule",
            Self::CeilingCovered => "the ceiling is within another of its client",
            Self::CeilingOverlap => "two ceilings cover a request, and bound it differently",
            Self::ActionBroad => "every action of a namespace",
            Self::ResourceBroad => "every resource of a scheme, or of any authority",
            Self::PatternUnreachable => "an action or resource of the ceiling covers no request",
            Self::PatternCovered => "an action or resource of the ceiling is within another",
            Self::AgentBroad => "any agent",
            Self::CredentialUnused => "no route sends the credential",
        }
    }

    /// How much it matters.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::Exempt | Self::Shadow => Level::Note,
            Self::ExemptBroad
            | Self::HostUnreached
            | Self::RuleShadowed
            | Self::RuleImpossible
            | Self::RuleUngranted
            | Self::RuleOptional
            | Self::CeilingUnreachable
            | Self::CeilingCovered
            | Self::CeilingOverlap
            | Self::ActionBroad
            | Self::ResourceBroad
            | Self::PatternUnreachable
            | Self::PatternCovered
            | Self::AgentBroad
            | Self::CredentialUnused => Level::Warning,
        }
    }
}

impl Level {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
