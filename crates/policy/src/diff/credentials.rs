//! Credentials, by full name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Change, ChangeKind, MemberChange, Subject, changed};
use crate::{
    credential::{
        ClientCredentials, Credential, Inject, OauthClient, SecretSource, StoredSecret, TokenExchange,
    },
    policy::Policy,
};

pub(super) fn diff(before: &Policy, after: &Policy) -> Vec<Change> {
    let (old, new): (&BTreeMap<String, Credential>, _) = (before.credentials(), after.credentials());
    let mut changes = Vec::new();
    let mut push = |name: &str, kind| {
        let subject = Subject::Credential(name.to_owned());
        changes.push(Change { subject, kind, place: None });
    };
    for (name, old) in old {
        match new.get(name) {
            None => push(name, ChangeKind::Removed),
            Some(new) if old == new => {}
            Some(new) => push(name, ChangeKind::Changed(members(old, new))),
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        push(name, ChangeKind::Added);
    }
    changes
}

// Taken apart without `..`: a new member has to be compared.

fn members(old: &Credential, new: &Credential) -> Vec<MemberChange> {
    let Credential { clusters, inject, secret, lease } = old;
    changed([
        ("clusters", json!(clusters), json!(new.clusters)),
        ("inject", shown_inject(inject), shown_inject(&new.inject)),
        ("secret", shown_secret(secret), shown_secret(&new.secret)),
        ("lease", json!(lease.as_secs()), json!(new.lease.as_secs())),
    ])
}

fn shown_inject(inject: &Inject) -> Value {
    match inject {
        Inject::Header { name, before, after } => {
            json!({"header": name, "format": format!("{before}{{secret}}{after}")})
        }
        Inject::Basic { username } => json!({"basic": {"username": username}}),
    }
}

fn shown_secret(secret: &SecretSource) -> Value {
    match secret {
        SecretSource::Stored(place) => shown_place(place),
        SecretSource::ClientCredentials(ClientCredentials { token_url, client, scope, audience }) => {
            json!({"token_url": token_url, "client": shown_client(client), "scope": scope, "audience": audience})
        }
        SecretSource::TokenExchange(asking) => {
            let TokenExchange { token_url, client, subject_token, subject_token_type, scope, audience } =
                asking;
            json!({
                "token_url": token_url,
                "client": client.as_ref().map(shown_client),
                "subject_token": shown_place(subject_token),
                "subject_token_type": subject_token_type,
                "scope": scope,
                "audience": audience,
            })
        }
    }
}

fn shown_client(OauthClient { id, secret }: &OauthClient) -> Value {
    json!({"id": id, "secret": shown_place(secret)})
}

fn shown_place(place: &StoredSecret) -> Value {
    match place {
        StoredSecret::File(path) => json!({"file": path}),
        StoredSecret::Environment(name) => json!({"env": name}),
    }
}
