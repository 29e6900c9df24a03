//! `writ token verify`: by the verdict's own checks.

use serde_json::{Value, json};
use verdict::{
    Refusal, Snapshot, UnixTime, VerifiedToken,
    token::{Claims, UnverifiedToken},
};

use super::{
    args::VerifyArgs,
    inspect::{row, rows},
    presented,
    sources::{self, Source},
};
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, GOOD, paint},
    },
    clock,
};

pub(super) fn run(args: &VerifyArgs) -> Done {
    let token = presented::read(&args.token)?;
    let Source { snapshot, name: source, knows_revoked } = sources::find(args)?;
    let now = clock::now();
    let failed = |error: std::io::Error| Failure::failed(&error);
    match verify(&token, &snapshot, args.audience.as_deref(), now) {
        Ok(verified) => {
            // The proof keeps what verdicts read; operators want to see all that was signed.
            let signed = presented::decode(&token)?;
            let claims = signed.claims.map_err(|problem| Failure::failed(&problem))?;
            let shown = if args.json {
                output::result(&valid(&verified, &claims, &source, knows_revoked).to_string())
            } else {
                output::styled(&words(&verified, &claims, &source, knows_revoked, now).join("\n"))
            };
            shown.map_err(failed)
        }
        Err(Refusal { code, detail }) if args.json => {
            let denied = json!({"valid": false, "code": code.as_str(), "detail": detail, "by": source});
            output::result(&denied.to_string()).map_err(failed)?;
            Err(Failure::failed_as_shown())
        }
        Err(Refusal { code, detail }) => {
            Err(Failure::failed(&format!("denied by {source}: {}: {detail}", code.as_str())))
        }
    }
}

fn verify(
    token: &str,
    snapshot: &Snapshot,
    audience: Option<&str>,
    now: UnixTime,
) -> Result<VerifiedToken, Refusal> {
    let unverified = UnverifiedToken::parse(token.as_bytes())?;
    let verified = VerifiedToken::verify(&unverified, snapshot)?;
    verified.check_standing(snapshot, audience, now)?;
    Ok(verified)
}

fn valid(verified: &VerifiedToken, claims: &Claims, source: &str, knows_revoked: bool) -> Value {
    let sender = claims.cnf.is_some().then_some("sender");
    let revocation = (!knows_revoked).then_some("revocation");
    let unchecked: Vec<_> = [Some("grants"), sender, revocation].into_iter().flatten().collect();
    json!({
        "valid": true, "by": source, "kid": verified.kid(), "claims": claims,
        // What a verdict checks besides, and this does not.
        "unchecked": unchecked,
    })
}

fn words(
    verified: &VerifiedToken,
    claims: &Claims,
    source: &str,
    knows_revoked: bool,
    now: UnixTime,
) -> Vec<String> {
    let mut lines = vec![paint(GOOD, format!("valid by {source}"))];
    lines.extend(rows(claims, &json!({"kid": verified.kid()}), now.0));
    let needs = if claims.cnf.is_some() {
        "what the grants allow, and whether the sender is the one it is bound to"
    } else {
        "what the grants allow"
    };
    lines.push(row("unchecked", &format!("{needs}: that takes a request")));
    if !knows_revoked {
        lines.push(row("unchecked", "whether it is revoked: a key set does not say"));
    }
    lines
}
