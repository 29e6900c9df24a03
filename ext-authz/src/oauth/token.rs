//! `POST /oauth2/token`: RFC 6749 section 4.4 with RFC 9396 `authorization_details`, and RFC 8693.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use verdict::grant::Grant;

use super::{
    error::{Code, OAuthError},
    exchange::{self, TOKEN_EXCHANGE},
    form::Form,
    request::ClientForm,
};
use crate::{
    issue::GrantList,
    server::Api,
    tasks::service::{IssuedToken, StartTask, Started},
    web,
};

/// The grant type that starts a task.
pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";

/// Parameters that only an exchange understands.
const OF_EXCHANGE: [&str; 5] =
    ["subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"];

#[derive(Serialize)]
pub(super) struct TokenResponse {
    access_token: String,
    /// RFC 8693 section 2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<String>,
    token_type: &'static str,
    expires_in: u64,
    authorization_details: Vec<Grant>,
    task_id: String,
}

pub(super) async fn token(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OAuthError> {
    let ClientForm { client, mut form } = ClientForm::read(&api, &headers, body).await?;
    let response = match form.require("grant_type")?.as_str() {
        CLIENT_CREDENTIALS => {
            let Started { task: _, token } = api.tasks.start(&client, read_start(form)?).await?;
            token.into()
        }
        TOKEN_EXCHANGE => exchange::exchange(&api, &client, form).await?,
        other => {
            let description =
                format!("grant type `{other}` is neither `{CLIENT_CREDENTIALS}` nor `{TOKEN_EXCHANGE}`");
            return Err(OAuthError::new(Code::UnsupportedGrantType, description));
        }
    };
    Ok(web::uncached::<TokenResponse>(StatusCode::OK, response))
}

/// RFC 6749 section 3.2 has unknown parameters ignored; those that are known elsewhere are mistakes.
fn read_start(mut form: Form) -> Result<StartTask, OAuthError> {
    form.refuse_scope()?;
    form.refuse(&OF_EXCHANGE, "belongs to a token exchange")?;
    Ok(StartTask {
        grants: GrantList::parse(&form.require("authorization_details")?)?,
        audience: form.audience()?,
        expires_in: form.seconds("expires_in")?,
        cnf: form.json("cnf")?,
        subject: form.take("subject"),
        agent: form.take("agent"),
        parent: None,
        note: None,
    })
}

impl TokenResponse {
    /// The answer to an exchange.
    pub(super) fn exchanged(token: IssuedToken, issued_token_type: String) -> Self {
        Self { issued_token_type: Some(issued_token_type), ..token.into() }
    }
}

impl From<IssuedToken> for TokenResponse {
    fn from(token: IssuedToken) -> Self {
        let IssuedToken { access_token, task, grants, expires_in, .. } = token;
        Self {
            access_token,
            issued_token_type: None,
            token_type: "Bearer",
            expires_in,
            authorization_details: grants,
            task_id: task,
        }
    }
}
