//! Attempts to get more out of a delegation, or to keep it longer.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::clients::{MAY_LOGS, claims, fault, jti, setup, text};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What decides is the token and not which parameters come with it: those that would name another actor, or that are not
/// understood, are refused and not ignored.
#[tokio::test]
async fn parameters_that_are_not_understood_are_refused() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start(r#","agent":"lead""#).await;
    let agent = ("agent", "worker-1");
    for more in [
        &[agent, ("actor_token", task.token.as_str())][..],
        &[agent, ("actor_token", &task.token), ("actor_token_type", ACCESS_TOKEN)],
        &[agent, ("actor_token_type", ACCESS_TOKEN)],
        &[agent, ("subject", "user:bob")],
        &[agent, ("max_depth", "8")],
        &[agent, ("may_act", "{}")],
        &[agent, ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
        &[agent, ("audience", "mesh"), ("resource", "mesh")],
        &[agent, ("agent", "worker-2")],
        &[("agent", "")],
        &[("agent", "worker 1")],
        &[],
    ] {
        let refused = boss.exchange(&task.token, more).await;
        assert_eq!(fault(&refused), (400, "invalid_request".into()), "{more:?}");
    }
    let scoped = boss.exchange(&task.token, &[agent, ("scope", "all")]).await;
    assert_eq!(fault(&scoped), (400, "invalid_scope".into()));

    let subject = ("subject_token", task.token.as_str());
    for form in [
        &[("grant_type", EXCHANGE), subject, agent][..],
        &[("grant_type", EXCHANGE), ("subject_token_type", ACCESS_TOKEN), agent],
        &[
            ("grant_type", EXCHANGE),
            subject,
            ("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
            agent,
        ],
        // A new task in which the token played no part would have forgotten who acts.
        &[("grant_type", "client_credentials"), subject, ("authorization_details", &format!("[{MAY_LOGS}]"))],
    ] {
        assert_eq!(
            fault(&boss.form("/oauth2/token", form).await),
            (400, "invalid_request".into()),
            "{form:?}"
        );
    }
}

/// Attack: a bound token that was stolen, exchanged for one that anybody can present.
#[tokio::test]
async fn a_bound_token_stays_bound() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, peer) = (writ.client("boss"), writ.client("peer"));
    let (one, other) = (json!({"spiffe": "spiffe://a.test/one"}), json!({"spiffe": "spiffe://a.test/other"}));
    let task = boss.start(&format!(r#","agent":"worker-1","cnf":{one}"#)).await;
    let details = format!("[{MAY_LOGS}]");
    let wanted = [("agent", "helper-1"), ("authorization_details", details.as_str())];
    let stolen = peer.exchange(&task.token, &wanted).await;
    assert_eq!(fault(&stolen), (400, "invalid_request".into()));
    let bound = other.to_string();
    let stolen = peer.exchange(&task.token, &[&wanted[..], &[("cnf", bound.as_str())]].concat()).await;
    assert!(stolen.body.contains("was issued to another client: `boss`"), "{}", stolen.body);

    let child = boss.delegate(&task.token, "worker-2").await;
    assert_eq!(claims(&child)["cnf"], one);
    assert_eq!(writ.get_object(&child).await.code(), "sender_mismatch");
    let rebound = boss.exchange(&task.token, &[("agent", "worker-2"), ("cnf", &bound)]).await.json();
    assert_eq!(claims(&text(&rebound["access_token"]))["cnf"], other);
    for unbound in ["null", "{}", "[]"] {
        let refused = boss.exchange(&task.token, &[("agent", "worker-2"), ("cnf", unbound)]).await;
        assert_eq!(fault(&refused), (400, "invalid_request".into()), "{unbound}");
    }
}

/// Attack: a delegated token that goes on after what it came from has ended.
#[tokio::test]
async fn what_came_from_a_task_ends_with_it() {
    let setup = setup();
    let writ = setup.serve().await;
    let (boss, peer) = (writ.client("boss"), writ.client("peer"));
    let root = boss.start("").await;
    let child = boss.start(&format!(r#","parent":"{}","agent":"lead""#, root.id)).await;
    let first = boss.delegate(&child.token, "worker-1").await;
    let details = format!("[{MAY_LOGS}]");
    let wanted = [("agent", "helper-1"), ("authorization_details", details.as_str())];
    let second = text(&peer.exchange(&first, &wanted).await.json()["access_token"]);
    assert_eq!(writ.get_object(&second).await.status, 200);

    assert_eq!(boss.complete(&root.id).await.status, 200);
    // In the transaction, whatever this server has heard of by now.
    for token in [&child.token, &first] {
        let refused = boss.exchange(token, &[("agent", "worker-9")]).await;
        assert!(matches!(fault(&refused), (400 | 403, _)), "{}", refused.body);
    }
    for token in [&root.token, &child.token, &first, &second] {
        writ.denied(token, "revoked").await;
    }
}

/// Any link of a chain can be cut, and what does not hang on it goes on.
#[tokio::test]
async fn a_link_that_is_revoked_takes_what_hangs_on_it() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start(r#","agent":"lead""#).await;
    let first = boss.delegate(&task.token, "worker-1").await;
    let second = boss.delegate(&first, "worker-2").await;
    let third = boss.delegate(&second, "worker-3").await;
    let sibling = boss.delegate(&first, "worker-4").await;
    writ.revoke("delegation", &jti(&second)).await;
    for token in [&second, &third] {
        let refused = boss.exchange(token, &[("agent", "worker-5")]).await;
        assert!(matches!(fault(&refused), (400 | 403, _)), "{}", refused.body);
        writ.denied(token, "revoked").await;
    }
    for token in [&task.token, &first, &sibling] {
        assert_eq!(writ.get_object(token).await.status, 200);
    }
    boss.delegate(&sibling, "worker-5").await;
}

/// Attack: delegations and completion at once. What was handed out before the end is refused after it; nothing is handed
/// out after it.
#[tokio::test]
async fn parallel_delegations_count_one_by_one_and_none_after_the_end() {
    let setup = setup();
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start("").await;
    let all = join_all((0..16).map(|_| boss.delegate(&task.token, "worker-1"))).await;
    let ids: std::collections::BTreeSet<_> = all.iter().map(|token| jti(token)).collect();
    assert_eq!(ids.len(), 16, "each is a token of its own");
    assert!(all.iter().all(|token| claims(token)["writ"]["depth"] == 1));

    let exchanging = join_all((0..16).map(|_| boss.exchange(&task.token, &[("agent", "worker-1")])));
    let renewing = join_all((0..16).map(|_| boss.further(&task.id, "{}")));
    let (exchanged, renewed, completed) = tokio::join!(exchanging, renewing, boss.complete(&task.id));
    assert_eq!(completed.status, 200);
    let mut tokens = all;
    for answer in exchanged.into_iter().chain(renewed) {
        if answer.status.is_success() {
            tokens.push(text(&answer.json()["access_token"]));
        } else {
            assert!(matches!(answer.status.as_u16(), 400 | 403 | 409), "{}", answer.body);
        }
    }
    for token in &tokens {
        writ.denied(token, "revoked").await;
    }
    assert_eq!(fault(&boss.further(&task.id, "{}").await), (409, "task_ended".into()));
}
