//! `writ.v1.Tasks/Batch`: many operations on one stream.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
};

use audit::{Event, EventKind};
use proto::v1::tasks::{
    BatchRequest, CompleteTaskRequest, ExchangeTokenRequest, IssueTokenRequest, RevokeTokenRequest,
    StartTaskRequest, batch_request::Operation, batch_response::Result as Outcome,
};
use store::{AuditFilter, Store, StoreLocation};
use tonic::Code;

use crate::support::{
    Setup,
    policy::FOUND_SOON,
    rpc::{Batch, Caller, codes, delegating, may},
};

fn issue(task: &str) -> Operation {
    Operation::Issue(IssueTokenRequest { task: task.to_owned(), ..IssueTokenRequest::default() })
}

/// The answers to so many requests, by id.
async fn answers(batch: &mut Batch, count: usize) -> BTreeMap<u64, Outcome> {
    let mut answers = BTreeMap::new();
    while answers.len() < count {
        let (id, outcome) = batch.next().await.unwrap().expect("an answer");
        assert!(answers.insert(id, outcome).is_none(), "{id} was answered twice");
    }
    answers
}

/// Ids of all tokens that the audit log says were issued.
async fn recorded(setup: &Setup) -> BTreeSet<String> {
    let location = StoreLocation::file(setup.data("writ.db"));
    let store = Store::open(location).await.unwrap();
    let batches =
        store.audit_batches(&AuditFilter { limit: 100_000, ..AuditFilter::default() }).await.unwrap();
    let events = batches.iter().flat_map(|batch| batch.body.lines());
    let events = events.map(|line| serde_json::from_str::<Event<'_>>(line).unwrap());
    let issued = events.filter(|event| event.event == EventKind::TokenIssued);
    issued.map(|event| event.jti.unwrap().into_owned()).collect()
}

#[tokio::test]
async fn a_thousand_tokens_are_all_others_and_all_recorded() {
    const TOKENS: u64 = 1000;
    let setup = delegating();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    let (task, _) = one.started().await;
    let mut batch = one.batch().await.unwrap();
    let sender = batch.sender();
    let asking = tokio::spawn(async move {
        for id in 0..TOKENS {
            sender.send(BatchRequest { id, operation: Some(issue(&task)) }).await.unwrap();
        }
    });
    let answers = answers(&mut batch, 1000).await;
    asking.await.unwrap();
    batch.finish();
    assert!(batch.next().await.unwrap().is_none(), "all is answered, and it ends");
    let token = |outcome: &Outcome| match outcome {
        Outcome::Issue(issued) => issued.token.clone().unwrap(),
        other => panic!("no token: {other:?}"),
    };
    let tokens: Vec<_> = answers.values().map(token).collect();
    let ids: BTreeSet<_> = tokens.iter().map(|token| token.jti.clone()).collect();
    let texts: BTreeSet<_> = tokens.iter().map(|token| &token.access_token).collect();
    assert_eq!((ids.len(), texts.len()), (1000, 1000));
    assert_eq!(recorded(&setup).await, ids, "acknowledged is recorded, and nothing else is");
}

#[tokio::test]
async fn what_fails_says_so_and_ends_nothing_else() {
    let setup = delegating();
    let writ = setup.serve().await;
    let (one, two) = (Caller::of(&writ, "one").await, Caller::of(&writ, "two").await);
    let (task, token) = one.started().await;
    let (ended, _) = one.started().await;
    let (foreign, foreign_token) = two.started().await;
    let mut batch = one.batch().await.unwrap();
    let complete = |task: &str| Operation::Complete(CompleteTaskRequest { task: task.to_owned() });
    let revoke = |token: &str| Operation::Revoke(RevokeTokenRequest { token: token.to_owned() });
    let exchange = Operation::Exchange(ExchangeTokenRequest {
        subject_token: token.clone(),
        agent: "spiffe://example.org/agent/janitor-2".to_owned(),
        ..ExchangeTokenRequest::default()
    });
    batch.ask(1, complete(&ended)).await;
    answers(&mut batch, 1).await;
    let operations = [
        (10, issue(&task)),
        (11, issue("none")),
        (12, issue(&foreign)),
        (13, issue(&ended)),
        (14, Operation::Start(StartTaskRequest { grants: "[".to_owned(), ..may() })),
        (15, Operation::Start(may())),
        (16, exchange),
        (17, complete(&ended)),
        (18, complete(&foreign)),
        (19, revoke(&foreign_token)),
        (20, revoke("none")),
        // Two with one id are answered with it, both.
        (u64::MAX, issue(&task)),
    ];
    let count = operations.len();
    for (id, operation) in operations {
        batch.ask(id, operation).await;
    }
    batch.send(BatchRequest { id: 21, operation: None }).await;
    let answers = answers(&mut batch, count + 1).await;
    let failure = |id: u64| match &answers[&id] {
        Outcome::Failure(failure) => (Code::from_i32(failure.status), failure.code.as_str()),
        other => panic!("{id} was done: {other:?}"),
    };
    assert!(matches!(&answers[&10], Outcome::Issue(_)));
    assert_eq!(failure(11), (Code::NotFound, "unknown_task"));
    assert_eq!(failure(12), (Code::NotFound, "unknown_task"));
    assert_eq!(failure(13), (Code::FailedPrecondition, "task_ended"));
    assert_eq!(failure(14), (Code::InvalidArgument, "invalid_grants"));
    assert!(
        matches!(&answers[&15], Outcome::Start(started) if started.task.is_some() && started.token.is_some())
    );
    assert!(matches!(&answers[&16], Outcome::Exchange(_)), "{:?}", answers[&16]);
    assert!(matches!(&answers[&17], Outcome::Complete(completed) if !completed.changed));
    assert_eq!(failure(18), (Code::NotFound, "unknown_task"));
    assert!(matches!(&answers[&19], Outcome::Revoke(_)));
    assert!(matches!(&answers[&20], Outcome::Revoke(_)));
    assert_eq!(failure(21), (Code::Unimplemented, "unimplemented"));
    assert!(matches!(&answers[&u64::MAX], Outcome::Issue(_)));
}

/// Nobody reads the answers: the server takes up so many requests, and then waits.
#[tokio::test]
async fn what_is_in_progress_is_bounded() {
    let setup = delegating();
    let writ = setup.serve().await;
    let (one, two) = (Caller::of(&writ, "one").await, Caller::of(&writ, "two").await);
    let (task, _) = one.started().await;
    let mut batch = one.batch().await.unwrap();
    let sender = batch.sender();
    let mut sent = 0_u64;
    // Far more than fits into all windows and buffers on the way, each of half a kilobyte: until the server does so much
    // for somebody else, one after the other and behind whatever it took up before, and reads nothing more of this one.
    let mut elsewhere = pin!(two.started());
    let mut in_vain = 0;
    while in_vain < 50 {
        tokio::select! {
            biased;
            room = sender.reserve() => {
                room.unwrap().send(BatchRequest { id: sent, operation: Some(issue(&task)) });
                (sent, in_vain) = (sent + 1, 0);
                assert!(sent < 1_000_000, "the server reads whatever comes");
            }
            _ = &mut elsewhere => {
                elsewhere.set(two.started());
                in_vain += 1;
            }
        }
    }
    assert!(sent > 0);
    // All of them are answered once somebody reads.
    let answers = answers(&mut batch, usize::try_from(sent).unwrap()).await;
    assert!(answers.values().all(|outcome| matches!(outcome, Outcome::Issue(_))));
}

#[tokio::test]
async fn who_leaves_in_the_middle_disturbs_nobody() {
    let setup = delegating();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    let (task, _) = one.started().await;
    for _ in 0..20 {
        let leaving = Caller::of(&writ, "one").await;
        let mut batch = leaving.batch().await.unwrap();
        for id in 0..50 {
            batch.ask(id, issue(&task)).await;
        }
        batch.next().await.unwrap();
        drop((batch, leaving));
    }
    let mut batch = one.batch().await.unwrap();
    batch.ask(1, issue(&task)).await;
    let answers = answers(&mut batch, 1).await;
    let Outcome::Issue(issued) = &answers[&1] else { panic!("{answers:?}") };
    assert!(recorded(&setup).await.contains(&issued.token.as_ref().unwrap().jti));
}

#[tokio::test]
async fn a_client_that_is_withdrawn_is_heard_no_more() {
    let setup = delegating().config(FOUND_SOON);
    let writ = setup.serve().await;
    let (one, two) = (Caller::of(&writ, "one").await, Caller::of(&writ, "two").await);
    let (task, _) = one.started().await;
    let mut batches = [one.batch().await.unwrap(), two.batch().await.unwrap()];
    let policy = std::fs::read_to_string(setup.path("policies/logs.yaml")).unwrap();
    // The one has another secret from now on.
    let other = crate::support::sha256("another secret");
    setup.replace("policies/logs.yaml", &policy.replace(&crate::support::sha256("secret-of-one"), &other));
    let refused = batches[0].ended().await.unwrap_err();
    assert_eq!(codes(&refused), (Code::Unauthenticated, "invalid_client".to_owned()));
    assert_eq!(one.batch().await.err().map(|refused| refused.code()), Some(Code::Unauthenticated));
    let again = Caller::with(&writ, "one", "another secret").await;
    let mut batch = again.batch().await.unwrap();
    batch.ask(1, issue(&task)).await;
    assert!(matches!(answers(&mut batch, 1).await[&1], Outcome::Issue(_)));
    // The other goes on as it was.
    batches[1].ask(1, Operation::Start(may())).await;
    assert!(matches!(answers(&mut batches[1], 1).await[&1], Outcome::Start(_)));
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_took() {
    let setup = delegating();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    let mut batch = one.batch().await.unwrap();
    batch.ask(1, Operation::Start(may())).await;
    answers(&mut batch, 1).await;
    let (ended, stopped) = tokio::join!(batch.ended(), writ.stop());
    assert_eq!(ended.unwrap_err().code(), Code::Unavailable);
    assert!(stopped.0.success(), "{}", stopped.2);
}

/// Streams have places of their own, and no client has all of them.
#[tokio::test]
async fn streams_are_bounded_for_each_client() {
    let setup = delegating();
    let writ = setup.serve().await;
    let (one, two) = (Caller::of(&writ, "one").await, Caller::of(&writ, "two").await);
    let mut open = Vec::new();
    let refused = loop {
        match one.batch().await {
            Ok(batch) => open.push(batch),
            Err(refused) => break refused,
        }
    };
    assert_eq!((open.len(), refused.code()), (32, Code::Unavailable));
    open.push(two.batch().await.unwrap());
    // Calls are no streams.
    one.started().await;
    let mut first = open.remove(0);
    first.finish();
    first.ended().await.unwrap();
    one.batch().await.unwrap();
}
