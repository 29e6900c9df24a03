//! `kill -9` right after an acknowledgement: what was acknowledged is there afterwards, and what was revoked stays so at
//! every worker, at Check and at the exchange.
//!
//! `DURABLE_ROUNDS` changes how often.

use std::{collections::VecDeque, env};

use harness::{
    Result,
    api::{Client, Operator},
    envoy::Shipped,
    fleet::{Fleet, Gate},
    surface::Check,
};
use test_databases::Database;
use tokio::task::JoinHandle;

use crate::tasks_world::{
    ALLOWED, DELEGATE, PATIENT, REVOKED, assert_refused, claim, fleet, may, reading, starter, to,
};

const ROUNDS: usize = 20;
/// Every so many rounds the workers are waited for, which take their time to come back to a server.
const SETTLED: usize = 5;
/// How many of the revoked tokens are tried again in each round.
const REMEMBERED: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn what_sqlite_acknowledged_survives_a_kill() {
    assert_durable(&Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgresql_acknowledged_survives_a_kill() {
    assert_durable(&Database::postgres()).await;
}

async fn assert_durable(database: &Database) {
    let rounds = env::var("DURABLE_ROUNDS").ok().map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let mut fleet = fleet(&[database.url()], PATIENT).await.unwrap();
    let mut gate = fleet.gate("e", Shipped::Wasm, &[0]).await.unwrap();
    let (mut dying, mut dead) = (Vec::new(), VecDeque::<String>::new());
    for round in 0..rounds {
        let acknowledged = Round::play(&mut fleet, &mut gate, round).await;
        fleet.run(0).await.unwrap();
        acknowledged.assert_kept(&fleet, &mut gate).await;
        for token in &dead {
            for (status, code) in gate.ask(&reading(token)).await.unwrap() {
                assert_eq!((status, code.as_str()), REVOKED, "round {round}");
            }
        }
        dying.extend(acknowledged.dead());
        if round % SETTLED == SETTLED - 1 || round + 1 == rounds {
            // The acknowledgement may have come before the feed's. Whoever knows of it never forgets it.
            for token in dying.drain(..) {
                gate.until(&reading(&token), REVOKED, &[ALLOWED]).await.unwrap();
                dead.push_back(token);
            }
        }
        dead.drain(..dead.len().saturating_sub(REMEMBERED));
    }
    let verified = fleet.setup(0).unwrap().operate(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// What was acknowledged in one round.
struct Round {
    completed: (String, String),
    revoked: String,
    delegated: String,
    /// Started by others at the same time.
    started: Vec<String>,
}

/// What is acknowledged last: right after it the server is killed.
#[derive(Clone, Copy)]
enum Last {
    Completion,
    Revocation,
    Delegation,
}

impl Round {
    /// A completion, a revocation and a delegation, while others start tasks; the server is gone with the last of them.
    async fn play(fleet: &mut Fleet, gate: &mut Gate, round: usize) -> Self {
        let (client, operator) = (starter(fleet, 0), fleet.operator(0).unwrap());
        let completed = client.start(&may()).await.unwrap();
        let revoked = client.start(&may()).await.unwrap();
        let parent = client.start(&may()).await.unwrap();
        for token in [&completed.token, &revoked.token, &parent.token] {
            gate.until(&reading(token), ALLOWED, &[]).await.unwrap();
        }
        let others = start_tasks(client.clone());
        let last = [Last::Completion, Last::Revocation, Last::Delegation][round % 3];
        let complete = async || client.complete(&completed.task).await.map(drop);
        let revoke = async || revoke(&operator, &revoked.token).await;
        let delegate = async || client.delegate(&parent.token, &to(DELEGATE)).await;
        let delegated = match last {
            Last::Completion => {
                let (delegated, revoked) = tokio::join!(delegate(), revoke());
                revoked.unwrap();
                complete().await.unwrap();
                fleet.kill(0);
                delegated.unwrap()
            }
            Last::Revocation => {
                let (delegated, completed) = tokio::join!(delegate(), complete());
                completed.unwrap();
                revoke().await.unwrap();
                fleet.kill(0);
                delegated.unwrap()
            }
            Last::Delegation => {
                let (revoked, completed) = tokio::join!(revoke(), complete());
                revoked.and(completed).unwrap();
                let delegated = delegate().await.unwrap();
                fleet.kill(0);
                delegated
            }
        };
        let started = others.await.unwrap();
        Self { completed: (completed.task, completed.token), revoked: revoked.token, delegated, started }
    }

    fn dead(self) -> [String; 2] {
        [self.completed.1, self.revoked]
    }

    async fn assert_kept(&self, fleet: &Fleet, gate: &mut Gate) {
        let (client, operator) = (starter(fleet, 0), fleet.operator(0).unwrap());
        let (task, completed) = &self.completed;
        let mut check = fleet.check(0).await.unwrap();
        for token in [completed, &self.revoked] {
            // The first answer counts: there is no moment at which the server does not know yet.
            assert_denied(&mut check, token).await;
            assert_refused(&client.exchange(token, &to(DELEGATE)).await.unwrap());
            assert!(!client.is_active(token).await.unwrap());
        }
        assert_eq!(client.task(task).await.unwrap()["state"], "completed");
        assert!(client.is_active(&self.delegated).await.unwrap());
        gate.until(&reading(&self.delegated), ALLOWED, &[]).await.unwrap();
        for started in &self.started {
            assert_eq!(client.task(started).await.unwrap()["state"], "active");
        }
        assert!(told(&operator, task, "task_completed", None).await.unwrap());
        let (task, jti) = (claim(&self.delegated, "/writ/tasks/0"), claim(&self.delegated, "/jti"));
        assert!(told(&operator, &task, "token_delegated", Some(&jti)).await.unwrap());
    }
}

async fn revoke(operator: &Operator, token: &str) -> Result<()> {
    operator.revoke("token", &claim(token, "/jti")).await.map(drop)
}

/// Starts tasks until the server is gone; those that were acknowledged.
fn start_tasks(client: Client) -> JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let mut started = Vec::new();
        while let Ok(issued) = client.start(&may()).await {
            started.push(issued.task);
        }
        started
    })
}

async fn assert_denied(check: &mut Check, token: &str) {
    assert_eq!(check.ask(&reading(token)).await.unwrap().summary(), "401 revoked");
}

/// Whether the audit log has such an event of the task.
async fn told(operator: &Operator, task: &str, event: &str, jti: Option<&str>) -> Result<bool> {
    let page = operator.get(&format!("/v1/audit?task={task}")).await?;
    let events = page["events"].as_array().cloned().unwrap_or_default();
    Ok(events
        .iter()
        .any(|found| found["event"] == event && jti.is_none_or(|jti| found["jti"].as_str() == Some(jti))))
}
