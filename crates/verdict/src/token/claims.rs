//! Claims of a task token: a profile of RFC 9068 with RFC 8693 actors and RFC 9396 grants.

use alloc::{boxed::Box, string::String, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::MAX_DEPTH;
use crate::{
    denial::{DenialCode, Refusal},
    grant::{Grant, MAX_GRANTS, MAX_VALUES, object::object_only, strict},
};

/// The payload of a task token. Members this version does not know are ignored (RFC 7519 section 4);
/// everything that narrows a token sits in members that are read strictly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Audiences; written as a text where there is one (RFC 7519 section 4.1.3).
    #[serde(deserialize_with = "audiences", serialize_with = "write_audiences")]
    pub aud: Vec<String>,
    /// Expiry, Unix seconds.
    pub exp: u64,
    /// When it was issued, Unix seconds.
    pub iat: u64,
    /// Not valid before, Unix seconds.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Token id.
    pub jti: String,
    /// For whom the work is done.
    pub sub: String,
    /// Who does it, if someone else.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Whoever requested this token.
    pub client_id: String,
    /// Id of the root task.
    pub txn: String,
    /// The grants.
    #[serde(deserialize_with = "strict::bounded_list::<MAX_GRANTS, _, _>")]
    pub authorization_details: Vec<Grant>,
    /// Who alone may present it.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// What RFCs have no claim for.
    pub writ: WritClaim,
}

/// RFC 8693 section 4.1. Nested actors are information only: they are written, and never read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Actor {
    /// The holder.
    pub sub: String,
    /// Who held the token that this one was exchanged for, and so on.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

/// RFC 7800 confirmation: every member must hold, and an unknown one refuses the token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Confirmation {
    /// Base64url SHA-256 of the client certificate (RFC 8705 section 3.1).
    #[serde(
        default,
        rename = "x5t#S256",
        deserialize_with = "strict::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub x5t_s256: Option<String>,
    /// JWK thumbprint of a DPoP key (RFC 9449 section 6).
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// SPIFFE ID in the client certificate.
    #[serde(default, deserialize_with = "strict::present", skip_serializing_if = "Option::is_none")]
    pub spiffe: Option<String>,
}

/// Where a token stands in its task and its delegations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct WritClaim {
    /// The client that started the task.
    pub client: String,
    /// Tasks from the root to this one.
    #[serde(deserialize_with = "strict::bounded_list::<MAX_VALUES, _, _>")]
    pub tasks: Vec<String>,
    /// All holders so far.
    #[serde(deserialize_with = "strict::bounded_list::<MAX_VALUES, _, _>")]
    pub agents: Vec<String>,
    /// Ids of the tokens this one was delegated from, oldest first.
    #[serde(default)]
    pub lineage: Vec<String>,
    /// Delegations so far.
    pub depth: u32,
    /// Delegations allowed.
    pub max_depth: u32,
}

object_only!(Claims, Actor, Confirmation, WritClaim);

impl Actor {
    /// The last of `holders`, and in it those before, the latest outermost; `None` where there is none.
    #[must_use]
    pub fn chain<'h>(holders: impl IntoIterator<Item = &'h str>) -> Option<Self> {
        let nest = |act: Option<Self>, sub: &str| Some(Self { sub: sub.into(), act: act.map(Box::new) });
        holders.into_iter().fold(None, nest)
    }
}

impl Claims {
    /// Reads and checks a payload.
    ///
    /// # Errors
    /// `malformed_token`, with the reason.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        // Text in members that nobody reads is UTF-8 too, or it is no JSON (RFC 8259 section 8.1).
        let text = core::str::from_utf8(payload)
            .map_err(|_| Refusal::new(DenialCode::MalformedToken, "claims: not UTF-8"))?;
        let claims: Self = serde_json::from_str(text)
            .map_err(|error| Refusal::owned(DenialCode::MalformedToken, alloc::format!("claims: {error}")))?;
        claims.check().map_err(|detail| Refusal::new(DenialCode::MalformedToken, detail))?;
        Ok(claims)
    }

    /// Who presents the token: the actor if there is one, else the subject.
    #[must_use]
    pub fn holder(&self) -> &str {
        self.act.as_ref().map_or(self.sub.as_str(), |actor| actor.sub.as_str())
    }

    /// The task this token is for; its root where the list is empty, which no issued token's is.
    #[must_use]
    pub fn task(&self) -> &str {
        self.writ.tasks.last().map_or(self.txn.as_str(), String::as_str)
    }

    /// The rules between members and within their texts. An issuer that signs what fails here signs tokens
    /// that nobody accepts.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), &'static str> {
        let Self {
            iss,
            aud,
            exp: _,
            iat: _,
            nbf: _,
            jti,
            sub,
            act,
            client_id,
            txn,
            authorization_details,
            cnf: _,
            writ,
        } = self;
        let WritClaim { client, tasks, agents, lineage, depth, max_depth } = writ;
        let single =
            [iss, jti, sub, client_id, txn, client].into_iter().chain(act.as_ref().map(|actor| &actor.sub));
        if !single.chain(aud).chain(tasks).chain(agents).chain(lineage).all(|name| is_name(name)) {
            return Err("an id is empty, over 255 bytes, or not visible ASCII");
        }
        if authorization_details.is_empty() || tasks.is_empty() {
            return Err("no grant or no task");
        }
        if tasks.first() != Some(txn) {
            return Err("`txn` is not the first of `writ.tasks`");
        }
        if *max_depth > MAX_DEPTH || depth > max_depth {
            return Err("deeper than `max_depth`, or `max_depth` over 8");
        }
        if usize::try_from(*depth).ok() != Some(lineage.len()) {
            return Err("`writ.lineage` does not hold one token for each delegation");
        }
        Ok(())
    }
}

/// Whether `text` can be an id: 1 to 255 bytes of visible ASCII. Ids travel in header fields and logs, where
/// anything else could end a line or be read as two values.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

fn audiences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }

    match Audience::deserialize(deserializer)? {
        Audience::One(audience) => Ok(alloc::vec![audience]),
        Audience::Many(audiences) if (1..=MAX_VALUES).contains(&audiences.len()) => Ok(audiences),
        Audience::Many(_) => Err(D::Error::custom(format_args!("1 to {MAX_VALUES} audiences"))),
    }
}

fn write_audiences<S: Serializer>(audiences: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match audiences {
        [audience] => serializer.serialize_str(audience),
        several => several.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_actors_are_written_and_not_read() {
        let actor = Actor::chain(["first", "second", "third"]).unwrap();
        let json = serde_json::to_string(&actor).unwrap();
        assert_eq!(json, r#"{"sub":"third","act":{"sub":"second","act":{"sub":"first"}}}"#);
        let read: Actor = serde_json::from_str(&json).unwrap();
        assert_eq!(read, Actor { sub: "third".into(), act: None });
        let nonsense: Actor = serde_json::from_str(r#"{"sub":"third","act":7}"#).unwrap();
        assert_eq!(nonsense, read);
        assert_eq!(Actor::chain([]), None);
    }
}
