//! `POST /oauth2/token` (RFC 6749 section 4.4 with RFC 9396 `authorization_details`).

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use verdict::grant::Grant;

use super::{
    client,
    error::{Code, OAuthError},
    form::Form,
};
use crate::{
    clock,
    issue::{GrantList, IssuedToken, TokenRequest},
    server::Api,
    web,
};

#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
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
    let body = web::read_whole(body).await?;
    let mut form = Form::parse(&headers, &body)?;
    let credentials = client::credentials(&headers, &mut form)?;
    let state = api.current.load();
    let client = state.clients().authenticate(&credentials).await?;
    let request = read_request(&mut form)?;
    let issued = api.issuer.issue(&state, &client, request, clock::now())?;
    Ok(success(issued))
}

fn read_request(form: &mut Form) -> Result<TokenRequest, OAuthError> {
    let grant_type = form.require("grant_type")?;
    if grant_type != "client_credentials" {
        let description = format!("grant type `{grant_type}` is not `client_credentials`");
        return Err(OAuthError::new(Code::UnsupportedGrantType, description));
    }
    if form.take("scope").is_some() {
        return Err(OAuthError::new(Code::InvalidScope, "there are no scopes: use authorization_details"));
    }
    let details = form.require("authorization_details")?;
    let audience = match (form.take("audience"), form.take("resource")) {
        (Some(_), Some(_)) => return Err(OAuthError::invalid_request("both `audience` and `resource`")),
        (audience, resource) => audience.or(resource),
    };
    let expires_in = form.take("expires_in").map(|text| seconds(&text)).transpose()?;
    let cnf = form.take("cnf").map(|json| serde_json::from_str(&json)).transpose();
    Ok(TokenRequest {
        grants: GrantList::parse(&details)?,
        subject: form.take("subject"),
        agent: form.take("agent"),
        expires_in,
        audience,
        cnf: cnf.map_err(|error| OAuthError::invalid_request(format!("cnf: {error}")))?,
    })
}

fn seconds(text: &str) -> Result<u64, OAuthError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if is_number => Ok(seconds),
        _ => Err(OAuthError::invalid_request("expires_in: must be a whole number of seconds")),
    }
}

fn success(issued: IssuedToken) -> Response {
    let IssuedToken { access_token, task, subject: _, agent: _, expires_in, expires_at: _, grants } = issued;
    let body = TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in,
        authorization_details: grants,
        task_id: task,
    };
    web::uncached(StatusCode::OK, body)
}
