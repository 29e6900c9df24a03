//! Bodies of requests. As in grants, a member that is `null` is an error and not absent.

use serde::Deserialize;
use verdict::{grant::strict, token::claims::Confirmation};

use super::service::{IssueToken, StartTask};
use crate::issue::GrantList;

/// Of `POST /v1/tasks`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTask {
    grants: GrantList,
    #[serde(default, deserialize_with = "strict::present")]
    parent: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    subject: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    agent: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "strict::present")]
    audience: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    note: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    cnf: Option<Confirmation>,
}

/// Of `POST /v1/tasks/{id}/tokens`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    #[serde(default, deserialize_with = "strict::present")]
    grants: Option<GrantList>,
    #[serde(default, deserialize_with = "strict::present")]
    agent: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "strict::present")]
    audience: Option<String>,
    #[serde(default, deserialize_with = "strict::present")]
    cnf: Option<Confirmation>,
}

impl From<NewTask> for StartTask {
    fn from(body: NewTask) -> Self {
        let NewTask { grants: GrantList(grants), parent, subject, agent, expires_in, audience, note, cnf } =
            body;
        Self { parent, grants, subject, agent, expires_in, audience, cnf, note }
    }
}

impl From<NewToken> for IssueToken {
    fn from(NewToken { grants, agent, expires_in, audience, cnf }: NewToken) -> Self {
        Self { grants: grants.map(|GrantList(grants)| grants), agent, expires_in, audience, cnf }
    }
}
