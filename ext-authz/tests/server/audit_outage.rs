//! A store that takes no audit log: what needs one is refused, and what was said to be done is there.

use http::StatusCode;
use test_databases::Database;

use crate::support::{
    MAY, Response, Setup, Writ,
    http::basic,
    policy::opening,
    replicas::{first_replica, over_both},
};

over_both! {
    without_its_log_a_server_issues_nothing_and_decides_on,
    nothing_that_was_acknowledged_is_missing,
}

const PATH: &str = "/my-bucket/logs/2026-05-01";

async fn ask_for_a_token(writ: &Writ) -> Response {
    let grants = format!("[{MAY}]");
    let parameters = [("grant_type", "client_credentials"), ("authorization_details", &grants)];
    writ.token(&basic("hashed", "hashed-secret"), &parameters).await
}

fn decide_for_long() -> String {
    opening("/open").replace("audience: mesh", "audience: mesh\n    max_staleness: 10m")
}

async fn without_its_log_a_server_issues_nothing_and_decides_on(mut database: Database) {
    let setup: Setup = first_replica(&database, &decide_for_long());
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    database.take_away();
    for answer in [ask_for_a_token(&writ).await, writ.start_task(&format!(r#"{{"grants":[{MAY}]}}"#)).await] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert!(!answer.header("retry-after").is_empty());
        assert!(!answer.body.contains("access_token"), "{}", answer.body);
        assert!(answer.body.contains("temporarily_unavailable"), "{}", answer.body);
    }
    for _ in 0..20 {
        assert_eq!(writ.check("GET", PATH, &headers).await.status, 200);
    }
    database.bring_back();
    // What was decided meanwhile comes into the log by itself.
    writ.audit_until("event=decision&verdict=allow", |events| events.len() == 20).await;
    assert!(writ.metric("writ_audit_queue_events 0").await);
    assert!(writ.metric("writ_audit_decisions_dropped_total 0").await);
    while ask_for_a_token(&writ).await.status != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    assert_eq!(setup.verify(&[]).0, 0);
}

/// The store comes and goes. Whatever a client was told that it has, the log tells of.
async fn nothing_that_was_acknowledged_is_missing(mut database: Database) {
    let setup = first_replica(&database, &decide_for_long());
    let writ = setup.serve().await;
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for _ in 0..3 {
        for is_there in [true, false] {
            if !is_there {
                database.take_away();
            }
            for _ in 0..5 {
                let answer = writ.start_task(&format!(r#"{{"grants":[{MAY}]}}"#)).await;
                match answer.status {
                    StatusCode::CREATED => {
                        acknowledged.push(answer.json()["task"]["id"].as_str().unwrap().to_owned());
                    }
                    StatusCode::SERVICE_UNAVAILABLE => refused += 1,
                    other => panic!("{other}: {}", answer.body),
                }
            }
            if !is_there {
                database.bring_back();
            }
        }
    }
    assert!(refused >= 15 && acknowledged.len() >= 5, "{refused} refused, {} not", acknowledged.len());
    while ask_for_a_token(&writ).await.status != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    // A connection that broke with the store is found to be so by the first who reads.
    let told = writ.audit_until("event=task_started", |_| true).await;
    for task in &acknowledged {
        assert_eq!(told.iter().filter(|event| event["task"] == task.as_str()).count(), 1, "{task}");
    }
    assert_eq!(setup.verify(&[]).0, 0);
}
