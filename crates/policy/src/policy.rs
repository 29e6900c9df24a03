//! A compiled policy.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use verdict::{document::HostDocument, grant::Grant};

use crate::{
    authenticate::Authenticate,
    compile,
    credential::Credential,
    error::PolicyErrors,
    namespaces::Namespaces,
    pattern::AgentPattern,
    places::{Place, Places},
    sources::Sources,
};

/// Everything that operators wrote, checked as a whole: what data planes need (hosts) and what stays at the
/// server (clients).
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(crate) hosts: Vec<HostDocument>,
    pub(crate) clients: BTreeMap<String, Client>,
    /// By full name.
    pub(crate) credentials: BTreeMap<String, Credential>,
    pub(crate) exemptions: Vec<Exemption>,
    /// Where hosts, rules, clients, ceilings and credentials stand.
    pub(crate) places: Places,
}

/// Who may start tasks, and which.
#[derive(Clone, Debug)]
pub struct Client {
    /// The namespace that defines it.
    pub namespace: String,
    /// Ways to prove that a request is this client's: any one of these.
    pub authenticate: Vec<Authenticate>,
    /// Agents it may name as a token's holder; none where the policy names none.
    pub agents: Vec<AgentPattern>,
    /// The most it may request: a grant must be covered by one of these.
    pub may_request: Vec<Ceiling>,
    /// Which tokens it may exchange for whom; none where the policy says nothing.
    pub may_delegate: Vec<Delegation>,
}

/// Who may hand a part of a task on to whom, by way of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Holders of the token that is exchanged.
    pub from: Vec<AgentPattern>,
    /// Holders of the token that it is exchanged for.
    pub to: Vec<AgentPattern>,
    /// Other clients whose tasks' tokens may be exchanged; always its own.
    pub clients: BTreeSet<String>,
}

/// The upper bound of one kind of grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// What a requested grant must be covered by.
    pub grant: Grant,
    /// Longest lifetime of a token with such a grant; the server's cap alone where the policy says nothing.
    pub max_ttl: Option<Duration>,
    /// How often such a grant may be delegated onwards; 0, not at all, where the policy says nothing.
    pub max_depth: u32,
}

/// A kind of request that needs no token (`action: none`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// One of the names of the host.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The file that opens it.
    pub file: String,
    /// The line of its rule, from 1.
    pub line: u32,
}

impl Client {
    /// Whether a token that this client asks for can be held by `agent`.
    #[must_use]
    pub fn may_name(&self, agent: &str) -> bool {
        let delegates = self.may_delegate.iter().flat_map(|delegation| &delegation.to);
        self.agents.iter().chain(delegates).any(|pattern| pattern.matches(agent))
    }

    /// Whether this client, of this name, may exchange a token that `from` holds, of a task that the client `starter`
    /// started, for one that `to` will hold.
    #[must_use]
    pub fn may_exchange(&self, name: &str, starter: &str, from: &str, to: &str) -> bool {
        self.may_delegate.iter().any(|delegation| {
            let Delegation { from: holders, to: delegates, clients } = delegation;
            (starter == name || clients.contains(starter))
                && holders.iter().any(|pattern| pattern.matches(from))
                && delegates.iter().any(|pattern| pattern.matches(to))
        })
    }
}

impl Policy {
    /// Compiles every policy file that is directly in `dir`: `*.yaml` and `*.yml`, but neither hidden files nor
    /// `*.cases.yaml`.
    ///
    /// # Errors
    /// Every fault of every file. There is no policy then: a part of one could open what another part closes.
    pub fn load(dir: &Path, namespaces: &Namespaces) -> Result<Self, PolicyErrors> {
        Self::compile(&Sources::read(dir)?, namespaces)
    }

    /// Compiles files that were read before.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn compile(sources: &Sources, namespaces: &Namespaces) -> Result<Self, PolicyErrors> {
        let sources: Vec<(&str, &str)> = sources.iter().collect();
        Self::from_sources(&sources, namespaces)
    }

    /// Compiles policy files that are already in memory, as pairs of name and text.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn from_sources(sources: &[(&str, &str)], namespaces: &Namespaces) -> Result<Self, PolicyErrors> {
        compile::compile(sources, namespaces)
    }

    /// What goes into a snapshot.
    #[must_use]
    pub fn hosts(&self) -> &[HostDocument] {
        &self.hosts
    }

    /// Where a rule stands, by the indices of its host in [`Policy::hosts`] and of the rule in the host.
    #[must_use]
    pub fn rule_place(&self, host: usize, rule: usize) -> Option<&Place> {
        self.places.hosts.get(host)?.rules.get(rule)
    }

    /// Where a host stands, by its index in [`Policy::hosts`].
    #[must_use]
    pub fn host_place(&self, host: usize) -> Option<&Place> {
        self.places.hosts.get(host).map(|places| &places.host)
    }

    /// Where a client stands.
    #[must_use]
    pub fn client_place(&self, client: &str) -> Option<&Place> {
        self.places.clients.get(client).map(|places| &places.client)
    }

    /// Where a ceiling stands, by its client and its index in [`Client::may_request`].
    #[must_use]
    pub fn ceiling_place(&self, client: &str, ceiling: usize) -> Option<&Place> {
        self.places.clients.get(client)?.ceilings.get(ceiling)
    }

    /// Where a credential stands, by its full name.
    #[must_use]
    pub fn credential_place(&self, credential: &str) -> Option<&Place> {
        self.places.credentials.get(credential)
    }

    /// Clients by name. They never leave the server.
    #[must_use]
    pub fn clients(&self) -> &BTreeMap<String, Client> {
        &self.clients
    }

    /// Services' own credentials by full name, `namespace/name`. They never leave the server; hosts name them.
    #[must_use]
    pub fn credentials(&self) -> &BTreeMap<String, Credential> {
        &self.credentials
    }

    /// What is open to everyone, once for each name of a host.
    pub fn exemptions(&self) -> impl Iterator<Item = &Exemption> {
        self.exemptions.iter()
    }

    /// The audiences of all hosts.
    #[must_use]
    pub fn audiences(&self) -> BTreeSet<&str> {
        self.hosts.iter().map(|host| host.audience.as_str()).collect()
    }
}
