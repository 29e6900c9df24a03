//! A store that cannot be reached, by all or by one, and servers that are gone: what was known is enforced within the
//! bound, nothing is started, no revocation is missed, and all recover by themselves.

use harness::{Result, api::Client, envoy::Shipped, link::Way, wait};
use serde_json::Value;
use test_databases::Database;

use crate::tasks_world::{ALLOWED, REVOKED, fleet, link, may, reading, starter};

/// Long enough for a busy machine to get on with a heartbeat, short enough to be waited for.
const STALENESS: &str = "4s";
const STALE: (u16, &str) = (503, "stale_snapshot");

#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_what_is_known_counts_and_nothing_starts() {
    let mut database = Database::postgres();
    let fleet = fleet(&[database.url()], STALENESS).await.unwrap();
    let client = starter(&fleet, 0);
    let (live, ended) = (client.start(&may()).await.unwrap(), client.start(&may()).await.unwrap());
    let mut gate = fleet.gate("a", Shipped::Wasm, &[0]).await.unwrap();
    let mut check = fleet.check(0).await.unwrap();
    gate.until(&reading(&live.token), ALLOWED, &[]).await.unwrap();
    client.complete(&ended.task).await.unwrap();
    gate.until(&reading(&ended.token), REVOKED, &[ALLOWED]).await.unwrap();

    database.take_away();
    // Right away: what every worker and Check knew.
    for (token, wanted) in [(&live.token, ALLOWED), (&ended.token, REVOKED)] {
        for (status, code) in gate.ask(&reading(token)).await.unwrap() {
            assert_eq!((status, code.as_str()), wanted);
        }
    }
    assert_eq!(check.ask(&reading(&live.token)).await.unwrap().summary(), "forwarded");
    refused_for_now(&client, &live.task).await;
    gate.until(&reading(&live.token), STALE, &[ALLOWED]).await.unwrap();
    gate.until(&reading(&ended.token), STALE, &[REVOKED]).await.unwrap();
    assert_eq!(check.ask(&reading(&live.token)).await.unwrap().summary(), "503 stale_snapshot");
    refused_for_now(&client, &live.task).await;

    database.bring_back();
    gate.until(&reading(&live.token), ALLOWED, &[STALE]).await.unwrap();
    gate.until(&reading(&ended.token), REVOKED, &[STALE]).await.unwrap();
    starts_again(&client).await.unwrap();
    assert_eq!(state(&client, &live.task).await, "active", "an end that was not acknowledged");
    client.complete(&live.task).await.unwrap();
    gate.until(&reading(&live.token), REVOKED, &[ALLOWED]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_cut_off_goes_stale_and_misses_no_revocation() {
    let database = Database::postgres();
    let (link, way, _directory) = link(&database);
    let fleet = fleet(&[database.url(), way], STALENESS).await.unwrap();
    let client = starter(&fleet, 0);
    let mut near = fleet.gate("near", Shipped::Wasm, &[0]).await.unwrap();
    let mut far = fleet.gate("far", Shipped::Wasm, &[1]).await.unwrap();
    let mut check = fleet.check(1).await.unwrap();
    for cut in [Way::Closed, Way::Silent] {
        let task = client.start(&may()).await.unwrap();
        let request = reading(&task.token);
        for gate in [&mut near, &mut far] {
            gate.until(&request, ALLOWED, &[]).await.unwrap();
        }
        link.set(cut);
        client.complete(&task.task).await.unwrap();
        near.until(&request, REVOKED, &[ALLOWED]).await.unwrap();
        far.until(&request, STALE, &[ALLOWED]).await.unwrap();
        assert_eq!(check.ask(&request).await.unwrap().summary(), "503 stale_snapshot");
        let refused = starter(&fleet, 1).0.post("/v1/tasks", &may()).await.unwrap();
        assert_eq!(refused.status, 503, "{}", String::from_utf8_lossy(&refused.body));

        link.set(Way::Open);
        far.until(&request, REVOKED, &[STALE]).await.unwrap();
        wait::until("Check to know", async || {
            let said = check.ask(&request).await?.summary();
            assert_ne!(said, "forwarded");
            Ok((said == "401 revoked").then_some(()))
        })
        .await
        .unwrap();
        starts_again(&starter(&fleet, 1)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_servers_data_planes_go_on_until_they_are_stale() {
    let database = Database::postgres();
    let mut fleet = fleet(&[database.url()], STALENESS).await.unwrap();
    let client = starter(&fleet, 0);
    let (live, ended) = (client.start(&may()).await.unwrap(), client.start(&may()).await.unwrap());
    let mut gate = fleet.gate("a", Shipped::Wasm, &[0]).await.unwrap();
    gate.until(&reading(&live.token), ALLOWED, &[]).await.unwrap();
    client.complete(&ended.task).await.unwrap();
    gate.until(&reading(&ended.token), REVOKED, &[ALLOWED]).await.unwrap();

    fleet.kill(0);
    assert_everywhere(&mut gate, &live.token, ALLOWED).await;
    assert_everywhere(&mut gate, &ended.token, REVOKED).await;
    gate.until(&reading(&live.token), STALE, &[ALLOWED]).await.unwrap();
    gate.until(&reading(&ended.token), STALE, &[REVOKED]).await.unwrap();

    fleet.run(0).await.unwrap();
    gate.until(&reading(&ended.token), REVOKED, &[STALE]).await.unwrap();
    gate.until(&reading(&live.token), ALLOWED, &[STALE]).await.unwrap();
}

async fn assert_everywhere(gate: &mut harness::fleet::Gate, token: &str, wanted: (u16, &str)) {
    for (status, code) in gate.ask(&reading(token)).await.unwrap() {
        assert_eq!((status, code.as_str()), wanted);
    }
}

/// Neither a new task nor the end of one is taken, and the caller is told to come back.
async fn refused_for_now(client: &Client, task: &str) {
    let started = client.0.post("/v1/tasks", &may()).await.unwrap();
    let completed =
        client.0.post(&format!("/v1/tasks/{task}/complete"), &serde_json::json!({})).await.unwrap();
    for refused in [started, completed] {
        assert_eq!(refused.status, 503, "{}", String::from_utf8_lossy(&refused.body));
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
        assert!(refused.json().unwrap().get("access_token").is_none());
    }
}

/// What a task is, once the store can be read again.
async fn state(client: &Client, task: &str) -> String {
    let known = wait::until("the task", async || {
        let response = client.0.get(&format!("/v1/tasks/{task}")).await?;
        assert!([200, 503].contains(&response.status), "{response:?}");
        let body = response.json().unwrap_or_default();
        Ok(body.pointer("/task/state").and_then(Value::as_str).map(str::to_owned))
    });
    known.await.unwrap()
}

/// Tasks start again without anybody's help.
async fn starts_again(client: &Client) -> Result<()> {
    wait::until("a new task", async || {
        let response = client.0.post("/v1/tasks", &may()).await?;
        assert!([201, 503].contains(&response.status), "{response:?}");
        Ok((response.status == 201).then_some(()))
    })
    .await
}
