//! Secrets that a token endpoint gives.

use std::{future::Future, pin::Pin};

use policy::{ClientCredentials, OauthClient, StoredSecret, TokenExchange};

use super::{
    Provided, Provider, ProviderError,
    endpoint::{self, Question},
    stored,
};
use crate::credentials::Secret;

/// RFC 8693 section 2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What a token endpoint is asked.
pub(super) struct Exchange {
    url: String,
    client: Option<OauthClient>,
    /// And its type.
    subject: Option<(StoredSecret, String)>,
    scope: Option<String>,
    audience: Option<String>,
}

impl From<&ClientCredentials> for Exchange {
    fn from(ClientCredentials { token_url, client, scope, audience }: &ClientCredentials) -> Self {
        let (scope, audience) = (scope.clone(), audience.clone());
        Self { url: token_url.clone(), client: Some(client.clone()), subject: None, scope, audience }
    }
}

impl From<&TokenExchange> for Exchange {
    fn from(asking: &TokenExchange) -> Self {
        let TokenExchange { token_url, client, subject_token, subject_token_type, scope, audience } = asking;
        Self {
            url: token_url.clone(),
            client: client.clone(),
            subject: Some((subject_token.clone(), subject_token_type.clone())),
            scope: scope.clone(),
            audience: audience.clone(),
        }
    }
}

impl Provider for Exchange {
    fn ask(&self) -> Pin<Box<dyn Future<Output = Result<Provided, ProviderError>> + Send + '_>> {
        Box::pin(self.exchange())
    }
}

impl Exchange {
    /// What it proves itself with is read anew each time: it may have been replaced.
    async fn exchange(&self) -> Result<Provided, ProviderError> {
        let Self { url, client, subject, scope, audience } = self;
        let token = match subject {
            Some((place, _)) => Some(stored::read(place).await?),
            None => None,
        };
        let mut members = match (subject, &token) {
            (Some((place, kind)), Some(token)) => vec![
                ("grant_type", TOKEN_EXCHANGE),
                ("subject_token", text(token, place)?),
                ("subject_token_type", kind),
            ],
            _ => vec![("grant_type", "client_credentials")],
        };
        members.extend(scope.as_deref().map(|scope| ("scope", scope)));
        members.extend(audience.as_deref().map(|audience| ("audience", audience)));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        let body = Secret::new(form.into_bytes());
        let client = match client {
            Some(OauthClient { id, secret: place }) => {
                let secret = stored::read(place).await?;
                Some(endpoint::basic(id, text(&secret, place)?))
            }
            None => None,
        };
        let question = Question { url, authorization: client, body };
        endpoint::ask(question).await.map_err(|error| {
            let url = super::without_query(url).to_owned();
            ProviderError::Endpoint { url, error }
        })
    }
}

fn text<'s>(secret: &'s Secret, place: &StoredSecret) -> Result<&'s str, ProviderError> {
    let text = std::str::from_utf8(secret.expose()).ok();
    text.filter(|text| !text.chars().any(char::is_control)).ok_or_else(|| ProviderError::Unsendable {
        place: place.to_string(),
        reason: crate::credentials::rendered::Unsendable::Character,
    })
}
