//! Tasks of servers that share one store, and of a store that goes away.

use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use test_databases::Database;

use crate::support::{
    Writ,
    clients::{claims, fault, jti, policy, text},
    replicas::{first_replica, over_both, replica},
};

over_both! {
    what_one_server_does_counts_at_the_other,
    an_end_at_one_server_and_delegations_at_the_other,
    without_its_store_nothing_is_issued_and_nothing_is_said_to_be_done,
}

async fn pair(database: &Database) -> (crate::support::Setup, crate::support::Setup, Writ, Writ) {
    let one = first_replica(database, &policy());
    let other = replica(database, &one, &policy());
    let first = one.serve().await;
    let second = other.serve().await;
    (one, other, first, second)
}

async fn what_one_server_does_counts_at_the_other(database: Database) {
    let (_one, _other, first, second) = pair(&database).await;
    let (here, there) = (first.client("boss"), second.client("boss"));
    let task = here.start(r#","agent":"lead""#).await;
    let shown = here.get("/v1/tasks").await.body;
    assert_eq!(there.get("/v1/tasks").await.body, shown);
    let child = there.start(&format!(r#","parent":"{}""#, task.id)).await;
    let further = text(&there.further(&task.id, "{}").await.json()["access_token"]);
    let delegate = there.delegate(&task.token, "worker-1").await;
    let tokens = [&task.token, &further, &delegate, &child.token];
    for token in tokens {
        assert_eq!(first.get_object(token).await.status, 200);
    }

    // In the transaction: no server has to have heard of it.
    first.revoke("token", &jti(&delegate)).await;
    assert_eq!(
        fault(&there.exchange(&delegate, &[("agent", "worker-2")]).await),
        (400, "invalid_request".into())
    );
    assert_eq!(there.delegate(&task.token, "worker-3").await.split('.').count(), 3);
    first.revoke("agent", "lead").await;
    assert_eq!(fault(&there.further(&task.id, "{}").await), (403, "revoked".into()));
    assert_eq!(
        fault(&there.exchange(&task.token, &[("agent", "worker-2")]).await),
        (400, "invalid_request".into())
    );
    let lift = r#"{"level":"agent","name":"lead"}"#;
    assert_eq!(
        second.operate(Method::POST, "/v1/revocations/lift", lift).await.json(),
        json!({"lifted": true})
    );
    assert_eq!(here.further(&task.id, "{}").await.status, 201);

    assert_eq!(here.complete(&task.id).await.json()["cascaded"], json!([child.id]));
    assert_eq!(fault(&there.further(&child.id, "{}").await), (409, "task_ended".into()));
    let exchange = there.exchange(&task.token, &[("agent", "worker-2")]).await;
    assert!(matches!(fault(&exchange), (400 | 403, _)), "{}", exchange.body);
    assert_eq!(there.complete(&task.id).await.json()["changed"], false);
    for writ in [&first, &second] {
        for token in tokens {
            writ.denied(token, "revoked").await;
        }
    }
}

/// Whatever was handed out anywhere before the end is refused everywhere after it.
async fn an_end_at_one_server_and_delegations_at_the_other(database: Database) {
    let (_one, _other, first, second) = pair(&database).await;
    let (here, there) = (first.client("boss"), second.client("boss"));
    let task = here.start("").await;
    let exchanging = join_all((0..16).map(|_| there.exchange(&task.token, &[("agent", "worker-1")])));
    let renewing = join_all((0..16).map(|_| here.further(&task.id, "{}")));
    let (exchanged, renewed, completed) = tokio::join!(exchanging, renewing, here.complete(&task.id));
    assert_eq!(completed.status, 200, "{}", completed.body);
    for answer in exchanged.into_iter().chain(renewed).filter(|answer| answer.status.is_success()) {
        let token = text(&answer.json()["access_token"]);
        assert_eq!(claims(&token)["txn"], task.id.as_str());
        for writ in [&first, &second] {
            writ.denied(&token, "revoked").await;
        }
    }
    assert_eq!(fault(&there.further(&task.id, "{}").await), (409, "task_ended".into()));
}

/// Attack: a write that failed, reported as done.
async fn without_its_store_nothing_is_issued_and_nothing_is_said_to_be_done(mut database: Database) {
    let setup = first_replica(&database, &policy());
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let task = boss.start("").await;
    database.take_away();
    let subject = ("agent", "worker-1");
    let away = (503, "temporarily_unavailable".to_owned());
    for answer in [
        boss.try_start("").await,
        boss.try_start(&format!(r#","parent":"{}""#, task.id)).await,
        boss.further(&task.id, "{}").await,
        boss.exchange(&task.token, &[subject]).await,
        boss.complete(&task.id).await,
        boss.get(&format!("/v1/tasks/{}", task.id)).await,
        boss.get("/v1/tasks").await,
        boss.form("/oauth2/revoke", &[("token", &task.token)]).await,
        boss.form("/oauth2/introspect", &[("token", &task.token)]).await,
        writ.operate(Method::POST, "/v1/revocations", r#"{"level":"agent","name":"boss"}"#).await,
        writ.operate(Method::POST, "/v1/revocations", r#"{"level":"task","name":"none"}"#).await,
        writ.operate(Method::POST, "/v1/revocations/lift", r#"{"level":"agent","name":"boss"}"#).await,
        writ.operate(Method::GET, "/v1/revocations", "").await,
    ] {
        assert_eq!(fault(&answer), away, "{}", answer.body);
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.body.contains("access_token"), "{}", answer.body);
    }
    // What was issued before goes on.
    assert_eq!(writ.get_object(&task.token).await.status, 200);

    database.bring_back();
    writ.until(|ready| ready["store"]["reachable"] == true).await;
    // By itself, once the ledger has its connection again.
    let mut further = boss.further(&task.id, "{}").await;
    while further.status == 503 {
        further = boss.further(&task.id, "{}").await;
    }
    assert_eq!(further.status, 201, "{}", further.body);
    assert_eq!(boss.complete(&task.id).await.json()["changed"], true);
    writ.denied(&task.token, "revoked").await;
}
