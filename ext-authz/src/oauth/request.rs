//! What all endpoints for clients begin with.

use axum::body::Body;
use http::HeaderMap;

use super::{client, error::OAuthError, form::Form};
use crate::{clients::AuthenticatedClient, server::Api, web};

/// A client's form.
pub(super) struct ClientForm {
    pub(super) client: AuthenticatedClient,
    pub(super) form: Form,
}

impl ClientForm {
    /// Reads the form and proves whose it is.
    pub(super) async fn read(api: &Api, headers: &HeaderMap, body: Body) -> Result<Self, OAuthError> {
        let body = web::read_whole(body).await?;
        let mut form = Form::parse(headers, &body)?;
        let credentials = client::credentials(headers, &mut form)?;
        let state = api.current.load();
        let client = state.clients().authenticate(&credentials).await?;
        Ok(Self { client, form })
    }
}
