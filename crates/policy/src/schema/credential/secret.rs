//! `credentials.<name>.secret`.

use std::{net::IpAddr, path::Path};

use crate::{
    credential::{ClientCredentials, OauthClient, SecretSource, StoredSecret, TokenExchange},
    report::{Report, Reported},
    yaml::{Field, Mapping},
};

/// What a subject token is where nobody says (RFC 8693 section 3).
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Exactly one way to a secret.
pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Result<SecretSource, Reported> {
    let mut secret = Mapping::of(field, report)?;
    let file = secret.optional("file").map(|field| file(&field, report));
    let env = secret.optional("env").map(|field| variable(&field, report));
    let oauth2 = secret.optional("oauth2").map(|field| client_credentials(&field, report));
    let exchange = secret.optional("token_exchange").map(|field| token_exchange(&field, report));
    secret.finish(report)?;
    let stored = [file, env].into_iter().flatten().map(|stored| stored.map(SecretSource::Stored));
    let mut ways = stored.chain(oauth2).chain(exchange);
    match (ways.next(), ways.next()) {
        (Some(way), None) => way,
        _ => Err(report.at(field, "must be exactly one of `file`, `env`, `oauth2`, `token_exchange`")),
    }
}

fn stored(field: &Field<'_>, report: &mut Report) -> Result<StoredSecret, Reported> {
    let mut secret = Mapping::of(field, report)?;
    let file = secret.optional("file").map(|field| file(&field, report));
    let env = secret.optional("env").map(|field| variable(&field, report));
    secret.finish(report)?;
    match (file, env) {
        (Some(one), None) | (None, Some(one)) => one,
        _ => Err(report.at(field, "must be exactly one of `file`, `env`")),
    }
}

/// Only a whole path: what a relative one leads to, and whose it is, would depend on where a server was started.
fn file(field: &Field<'_>, report: &mut Report) -> Result<StoredSecret, Reported> {
    let text = field.text(report)?;
    let path = Path::new(text);
    let is_plain = text.split('/').all(|part| part != "..") && !text.contains('\0');
    if path.is_absolute() && is_plain {
        Ok(StoredSecret::File(path.to_owned()))
    } else {
        Err(report.at(field, "must be an absolute path without `..`"))
    }
}

fn variable(field: &Field<'_>, report: &mut Report) -> Result<StoredSecret, Reported> {
    let name = field.text(report)?;
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(StoredSecret::Environment(name.to_owned()))
    } else {
        Err(report.at(field, "a variable's name has letters, digits and `_`"))
    }
}

fn client_credentials(field: &Field<'_>, report: &mut Report) -> Result<SecretSource, Reported> {
    let mut asking = Mapping::of(field, report)?;
    let token_url = asking.required("token_url", report).and_then(|field| token_url(&field, report));
    let id = asking.required("client_id", report).and_then(|field| parameter(&field, report));
    let secret = asking.required("client_secret", report).and_then(|field| stored(&field, report));
    let scope = asking.optional("scope").map(|field| parameter(&field, report));
    let audience = asking.optional("audience").map(|field| parameter(&field, report));
    asking.finish(report)?;
    Ok(SecretSource::ClientCredentials(ClientCredentials {
        token_url: token_url?,
        client: OauthClient { id: id?, secret: secret? },
        scope: scope.transpose()?,
        audience: audience.transpose()?,
    }))
}

fn token_exchange(field: &Field<'_>, report: &mut Report) -> Result<SecretSource, Reported> {
    let mut asking = Mapping::of(field, report)?;
    let token_url = asking.required("token_url", report).and_then(|field| token_url(&field, report));
    let id = asking.optional("client_id").map(|field| parameter(&field, report));
    let secret = asking.optional("client_secret").map(|field| stored(&field, report));
    let subject_token = asking.required("subject_token", report).and_then(|field| stored(&field, report));
    let kind = asking.optional("subject_token_type").map(|field| parameter(&field, report));
    let scope = asking.optional("scope").map(|field| parameter(&field, report));
    let audience = asking.optional("audience").map(|field| parameter(&field, report));
    asking.finish(report)?;
    let client = match (id.transpose()?, secret.transpose()?) {
        (Some(id), Some(secret)) => Some(OauthClient { id, secret }),
        (None, None) => None,
        _ => return Err(report.at(field, "`client_id` and `client_secret` come together")),
    };
    Ok(SecretSource::TokenExchange(TokenExchange {
        token_url: token_url?,
        client,
        subject_token: subject_token?,
        subject_token_type: kind.transpose()?.unwrap_or_else(|| JWT.to_owned()),
        scope: scope.transpose()?,
        audience: audience.transpose()?,
    }))
}

fn parameter(field: &Field<'_>, report: &mut Report) -> Result<String, Reported> {
    let text = field.text(report)?;
    if text.len() <= 1024 && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(report.at(field, "must have at most 1024 characters, and no control characters"))
    }
}

/// Secrets go there: in the clear only where they do not leave the machine. A user or password in a URL would be shown
/// with it.
fn token_url(field: &Field<'_>, report: &mut Report) -> Result<String, Reported> {
    const REASON: &str = "must be an `https` URL, or `http` on a loopback address, without user and fragment";

    let text = field.text(report)?;
    let authority = |rest: &str| rest.split(['/', '?']).next().unwrap_or_default().to_owned();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['#', '@', '\\']);
    let is_safe = match text.split_once("://") {
        Some(("https", rest)) => !authority(rest).is_empty(),
        Some(("http", rest)) => is_loopback(&authority(rest)),
        _ => false,
    };
    if is_plain && is_safe && text.len() <= 1024 {
        Ok(text.to_owned())
    } else {
        Err(report.at(field, REASON))
    }
}

/// An address, not a name, which could be made to lead anywhere.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
