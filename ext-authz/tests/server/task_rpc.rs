//! `writ.v1.Tasks`, call by call.

use std::collections::BTreeSet;

use proto::v1::tasks::{
    CompleteTaskRequest, CompleteTaskResponse, Confirmation, ExchangeTokenRequest, GetTaskRequest,
    IssueTokenRequest, ListTasksRequest, RevokeTokenRequest, StartTaskRequest, Task, TaskState, Token,
};
use tonic::Code;

use crate::support::{
    MAY,
    rpc::{Caller, codes, delegating, may},
};

const OTHER: &str = "spiffe://example.org/agent/janitor-2";

async fn get(caller: &Caller, task: &str) -> Task {
    let request = caller.request(GetTaskRequest { task: task.to_owned() });
    caller.client().get(request).await.unwrap().into_inner().task.unwrap()
}

async fn complete(caller: &Caller, task: &str) -> CompleteTaskResponse {
    let request = caller.request(CompleteTaskRequest { task: task.to_owned() });
    caller.client().complete(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_task_lives_and_ends_with_those_below_it() {
    let setup = delegating();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    let started = one
        .start(StartTaskRequest { note: Some("tidy up".to_owned()), expires_in: Some(600), ..may() })
        .await
        .unwrap();
    let (task, token) = (started.task.unwrap(), started.token.unwrap());
    assert_eq!(
        (task.client.as_str(), task.note.as_deref(), task.state()),
        ("one", Some("tidy up"), TaskState::Active)
    );
    assert_eq!((token.task.as_str(), token.expires_in), (task.id.as_str(), 600));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&task.grants).unwrap()[0]["type"], "task_grant");
    assert_eq!(get(&one, &task.id).await, task);

    let below = one.start(StartTaskRequest { parent: Some(task.id.clone()), ..may() }).await.unwrap();
    let below = below.task.unwrap();
    assert_eq!(below.parent.as_ref(), Some(&task.id));
    assert!(below.expires_at <= task.expires_at);

    let issue = |task: &str| IssueTokenRequest { task: task.to_owned(), ..IssueTokenRequest::default() };
    let further = one.client().issue_token(one.request(issue(&task.id))).await.unwrap().into_inner();
    let further = further.token.unwrap();
    assert_eq!((&further.task, &further.agent), (&task.id, &token.agent));
    assert_ne!(further.jti, token.jti);

    let bearer = |token: &Token| format!("Bearer {}", token.access_token);
    let (object, proof) = ("/my-bucket/logs/2026-05.log", bearer(&token));
    assert_eq!(writ.check("GET", object, &[("authorization", &proof)]).await.status, 200);
    let ended = complete(&one, &task.id).await;
    for token in [&token, &further] {
        writ.check_until("GET", object, &[("authorization", &bearer(token))], "revoked").await;
    }
    assert_eq!((ended.changed, ended.cascaded), (true, vec![below.id.clone()]));
    assert_eq!(ended.task.unwrap().state(), TaskState::Completed);
    let again = complete(&one, &task.id).await;
    assert_eq!((again.changed, again.cascaded), (false, vec![]));
    for task in [&task.id, &below.id] {
        assert_eq!(get(&one, task).await.state(), TaskState::Completed);
        let refused = one.client().issue_token(one.request(issue(task))).await.unwrap_err();
        assert_eq!(codes(&refused), (Code::FailedPrecondition, "task_ended".to_owned()));
    }
}

#[tokio::test]
async fn a_client_sees_and_ends_its_own_tasks_only() {
    let setup = delegating();
    let writ = setup.serve().await;
    let (one, two) = (Caller::of(&writ, "one").await, Caller::of(&writ, "two").await);
    let (task, token) = one.started().await;
    let unknown = (Code::NotFound, "unknown_task".to_owned());
    let get = two.client().get(two.request(GetTaskRequest { task: task.clone() })).await;
    assert_eq!(codes(&get.unwrap_err()), unknown);
    let ended = two.client().complete(two.request(CompleteTaskRequest { task: task.clone() })).await;
    assert_eq!(codes(&ended.unwrap_err()), unknown);
    let below = two.start(StartTaskRequest { parent: Some(task.clone()), ..may() }).await;
    assert_eq!(codes(&below.unwrap_err()), (Code::NotFound, "unknown_parent".to_owned()));
    let listed = two.client().list(two.request(ListTasksRequest::default())).await.unwrap().into_inner();
    assert!(listed.tasks.is_empty());
    // As RFC 7009 has it: left alone, without a word.
    two.client().revoke(two.request(RevokeTokenRequest { token: token.clone() })).await.unwrap();
    let exchange = ExchangeTokenRequest {
        subject_token: token.clone(),
        agent: OTHER.to_owned(),
        ..ExchangeTokenRequest::default()
    };
    let exchanged = one.client().exchange(one.request(exchange.clone())).await;
    let exchanged = exchanged.expect("nobody revoked it").into_inner().token.unwrap();
    assert_eq!((exchanged.task.as_str(), exchanged.agent.as_str()), (task.as_str(), OTHER));
    let refused = two.client().exchange(two.request(exchange.clone())).await.unwrap_err();
    assert_eq!(codes(&refused), (Code::PermissionDenied, "not_allowed".to_owned()));

    one.client().revoke(one.request(RevokeTokenRequest { token })).await.unwrap();
    let refused = one.client().exchange(one.request(exchange)).await.unwrap_err();
    assert!(refused.code() == Code::PermissionDenied || refused.code() == Code::InvalidArgument, "{refused}");
    // What was exchanged for it goes with it.
    let onwards = ExchangeTokenRequest {
        subject_token: exchanged.access_token,
        agent: "spiffe://example.org/agent/janitor-3".to_owned(),
        ..ExchangeTokenRequest::default()
    };
    one.client().exchange(one.request(onwards)).await.unwrap_err();
}

#[tokio::test]
async fn tasks_are_listed_page_by_page() {
    let setup = delegating();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(one.started().await.0);
    }
    complete(&one, &tasks[3]).await;
    let list = async |request: ListTasksRequest| {
        let listed = one.client().list(one.request(request)).await.unwrap().into_inner();
        (listed.tasks.into_iter().map(|task| task.id).collect::<Vec<_>>(), listed.next)
    };
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = ListTasksRequest { after: after.clone(), limit: Some(2), ..ListTasksRequest::default() };
        let (page, next) = list(page).await;
        assert!(page.len() <= 2);
        seen.extend(page);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), tasks.iter().collect());
    assert_eq!(seen.len(), 5);
    let completed =
        ListTasksRequest { state: Some(TaskState::Completed.into()), ..ListTasksRequest::default() };
    assert_eq!(list(completed).await.0, [tasks[3].clone()]);
    let unknown = ListTasksRequest { state: Some(99), ..ListTasksRequest::default() };
    let refused = one.client().list(one.request(unknown)).await.unwrap_err();
    assert_eq!(codes(&refused), (Code::InvalidArgument, "invalid_request".to_owned()));
}

/// As over HTTP, and with the same words.
#[tokio::test]
async fn refusals_name_what_is_wrong() {
    let setup = delegating();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    let grants = |text: &str| StartTaskRequest { grants: text.to_owned(), ..may() };
    let june = MAY.replace("logs/2026-05*", "secrets/a");
    let (invalid, denied) = (Code::InvalidArgument, Code::PermissionDenied);
    let empty = || Some(String::new());
    let cases = [
        (grants(""), invalid, "invalid_grants", "grants"),
        (grants("{}"), invalid, "invalid_grants", "grants"),
        (
            grants(&format!("[{}]", MAY.replace('}', ",\"more\":1}"))),
            invalid,
            "invalid_grants",
            "grants[0].more",
        ),
        (grants(&format!("[{MAY},{june}]")), denied, "not_allowed", "grants[1]"),
        (StartTaskRequest { expires_in: Some(0), ..may() }, invalid, "invalid_request", "expires_in"),
        (StartTaskRequest { expires_in: Some(901), ..may() }, invalid, "lifetime_over_cap", "expires_in"),
        (
            StartTaskRequest { agent: Some(OTHER.replace("janitor", "root")), ..may() },
            denied,
            "not_allowed",
            "agent",
        ),
        // What is there and empty is no other way to say that it is not there.
        (StartTaskRequest { agent: empty(), ..may() }, invalid, "invalid_request", "agent"),
        (StartTaskRequest { subject: empty(), ..may() }, invalid, "invalid_request", "subject"),
        (StartTaskRequest { audience: empty(), ..may() }, invalid, "invalid_request", "audience"),
        (StartTaskRequest { parent: empty(), ..may() }, Code::NotFound, "unknown_parent", "parent"),
        (StartTaskRequest { note: Some("x".repeat(513)), ..may() }, invalid, "invalid_request", "note"),
        (StartTaskRequest { cnf: Some(Confirmation::default()), ..may() }, invalid, "invalid_request", "cnf"),
    ];
    for (request, status, code, place) in cases {
        let refused = one.start(request.clone()).await.expect_err("it is refused");
        assert_eq!(codes(&refused), (status, code.to_owned()), "{request:?}: {refused}");
        assert!(refused.message().contains(place), "{request:?}: {refused}");
    }
    let large = StartTaskRequest { note: Some("x".repeat(70_000)), ..may() };
    assert_eq!(one.start(large).await.unwrap_err().code(), Code::OutOfRange);
}
