//! What is revoked in the store reaches every watcher of every replica, in order and without a gap.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::future::join_all;
use proto::v1::Version;
use store::Level;
use test_databases::Database;
use tokio::time::timeout;
use verdict::revocation::{Hash, Kind};

use crate::support::{
    MAY, Setup, Writ,
    feed::{Watch, hello},
    following::{Following, Held, hello_stepwise},
    http::get,
    ledger::{Writer, hash_key, hashed, now},
    policy::{opening, small},
    replicas::{first_replica, over_both, replica},
    sha256,
    writ::PATIENCE,
};

over_both! {
    what_is_revoked_is_told_and_what_is_lifted_taken_back,
    every_replica_tells_all_of_what_many_write,
    a_restart_forgets_nothing,
    who_comes_back_to_another_replica_gets_what_it_missed,
    a_replica_that_lags_asks_its_store_before_it_sends_anyone_away,
    a_hundred_thousand_are_told_to_who_begins,
    a_store_that_went_back_is_not_believed,
    a_restored_store_begins_anew,
    without_its_store_a_server_keeps_nobody_fresh,
    what_is_revoked_is_denied_by_check,
}

async fn watch_as(writ: &Writ, data_plane: &str) -> Watch {
    let secret = format!("Bearer {data_plane}-secret");
    Watch::open(writ.grpc_channel().await, &[&secret]).await.unwrap()
}

fn tasks(setup: &Setup, names: impl IntoIterator<Item = String>) -> BTreeSet<Hash> {
    let key = hash_key(setup);
    names.into_iter().map(|name| key.hash(Kind::Task, &name)).collect()
}

fn hashes(held: &Held) -> BTreeSet<Hash> {
    held.revoked.keys().copied().collect()
}

async fn what_is_revoked_is_told_and_what_is_lifted_taken_back(database: Database) {
    let setup = first_replica(&database, &opening("/a"));
    let writ = setup.serve().await;
    let writer = Writer::open(&database, "other").await;
    let mut follower = writ.follow().await;
    assert_eq!((follower.held.version.revocation, follower.held.revoked.len()), (0, 0));
    let until = now() + 3600;
    let place = writer.revoke(Level::Task, "t1", Some("mesh"), Some(until)).await;
    let held = follower.until(|held| held.version.revocation == place).await;
    let task = hashed(&setup, Kind::Task, "t1");
    assert_eq!(held.revoked.get(&task).map(|until| u64::from(*until)), Some(until));
    writer.revoke(Level::Agent, "a1", None, None).await;
    let agent = hashed(&setup, Kind::Agent, "a1");
    let held = follower.until(|held| held.revoked.len() == 2).await;
    assert_eq!(held.revoked.get(&agent), Some(&0), "until it is lifted");
    writer.lift(Level::Agent, "a1").await;
    let held = follower.until(|held| held.revoked.len() == 1).await;
    assert!(held.revoked.contains_key(&task));
    assert_eq!((held.version.revocation, held.snapshots), (3, 1), "by deltas alone");
    // Operators see it.
    let planes = writ.data_planes(|planes| planes[0]["version"]["revocation"] == 3).await;
    assert_eq!(planes[0]["behind_revocations"], 0);
    let metrics = get(writ.admin, "/metrics").await.body;
    assert!(metrics.contains("writ_feed_revocations_behind{data_plane=\"socket\"} 0"), "{metrics}");
    assert!(metrics.contains("writ_revocation_ack_seconds_count 3"), "{metrics}");
}

/// Eight writers at once, two replicas, and nothing is skipped: what was acknowledged is told.
async fn every_replica_tells_all_of_what_many_write(database: Database) {
    const WRITERS: usize = 8;
    const EACH: usize = 40;
    let one = first_replica(&database, &opening("/a"));
    let other = replica(&database, &one, &opening("/a"));
    let servers = [one.serve().await, other.serve().await];
    let database = Arc::new(database);
    let writing = join_all((0..WRITERS).map(|writer| {
        let database = Arc::clone(&database);
        tokio::spawn(async move {
            let ledger = Writer::open(&database, &format!("writer-{writer}")).await;
            for task in 0..EACH {
                ledger.revoke_task(&format!("task-{writer}-{task}")).await;
            }
        })
    }));
    let following = join_all(servers.iter().map(|writ| async {
        let mut follower = writ.follow().await;
        follower.until(|held| held.version.revocation == (WRITERS * EACH) as u64).await.clone()
    }));
    let (written, held) = tokio::join!(writing, following);
    written.into_iter().for_each(Result::unwrap);
    let all = tasks(
        &one,
        (0..WRITERS).flat_map(|writer| (0..EACH).map(move |task| format!("task-{writer}-{task}"))),
    );
    for held in &held {
        assert_eq!((hashes(held), held.snapshots), (all.clone(), 1));
    }
}

async fn a_restart_forgets_nothing(database: Database) {
    let setup = first_replica(&database, &opening("/a"));
    let writer = Writer::open(&database, "other").await;
    writer.revoke_task("before").await;
    // What has expired is of no use to anyone.
    writer.revoke(Level::Task, "expired", None, Some(now() - 1)).await;
    let writ = setup.serve().await;
    let follower = writ.follow().await;
    assert_eq!(hashes(&follower.held), tasks(&setup, ["before".to_owned()]));
    assert_eq!(follower.held.version.revocation, 2);
    writ.stop().await;
    writer.revoke_task("meanwhile").await;
    let writ = setup.serve().await;
    let follower = writ.follow().await;
    assert_eq!(hashes(&follower.held), tasks(&setup, ["before".to_owned(), "meanwhile".to_owned()]));
}

async fn who_comes_back_to_another_replica_gets_what_it_missed(database: Database) {
    let one = first_replica(&database, &opening("/a"));
    let other = replica(&database, &one, &opening("/a"));
    let (first, second) = (one.serve().await, other.serve().await);
    let writer = Writer::open(&database, "other").await;
    let mut follower = first.follow().await;
    for task in ["t1", "t2", "t3"] {
        writer.revoke_task(task).await;
    }
    follower.until(|held| held.version.revocation == 3).await;
    second.follow().await.until(|held| held.version.revocation == 3).await;
    let held = follower.held;
    drop(follower.watch);
    for task in ["t4", "t5"] {
        writer.revoke_task(task).await;
    }
    let mut follower = Following::begin(second.watch().await, Some(held)).await;
    let held = follower.until(|held| held.version.revocation == 5).await;
    let all = tasks(&one, (1..=5).map(|task| format!("t{task}")));
    assert_eq!((hashes(held), held.snapshots), (all, 1), "no second snapshot");
}

/// A watcher that comes from a replica that knew more must not be told less.
async fn a_replica_that_lags_asks_its_store_before_it_sends_anyone_away(database: Database) {
    // Nobody tells this one, and it does not look by itself in any test's time.
    let setup = first_replica(&database, &opening("/a")).config_too("store_poll_interval: 10s\n");
    let writ = setup.serve().await;
    let held = writ.follow().await.held;
    Writer::open(&database, "other").await.revoke_task("t1").await;
    let version = Version { revocation: 1, ..held.version };
    let mut follower = Following::begin(writ.watch().await, Some(Held { version, ..held.clone() })).await;
    follower.take().await;
    assert_eq!((follower.held.version.revocation, follower.held.snapshots), (1, 1));
    // And what its store does not know either is known elsewhere.
    let version = Version { revocation: 2, ..held.version };
    let mut watch = writ.watch().await;
    watch.send(hello_stepwise(Some(&Held { version, ..held }))).await;
    let away = watch.go_away().await;
    assert!(away.reason.contains("behind") && away.reason.contains("revocation 1"), "{away:?}");
}

async fn a_hundred_thousand_are_told_to_who_begins(database: Database) {
    const MANY: usize = 100_000;
    let setup = first_replica(&database, &opening("/a"));
    let writer = Writer::open(&database, "other").await;
    database
        .execute(&format!(
            "INSERT INTO revocations (seq, level, name, revoked_by, revoked_at, expires_at) \
             WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {MANY}) \
             SELECT number, 'task', 'task-' || number, 'test', {now}, {now} + 3600 FROM numbers",
            now = now()
        ))
        .await;
    database.execute(&format!("UPDATE store SET revocation = {MANY}")).await;
    let writ = setup.serve().await;
    let mut follower = writ.follow().await;
    assert_eq!(follower.held.revoked.len(), MANY);
    let place = writer.revoke_task("one more").await;
    let held = follower.until(|held| held.version.revocation == place).await;
    assert_eq!((held.revoked.len(), held.snapshots, held.deltas), (MANY + 1, 1, 1));
    // Who comes now gets it, too, in one snapshot.
    assert_eq!(hashes(&writ.follow().await.held), hashes(held));
    // One that is slow to read gets what follows in few messages.
    let mut slow = Following::begin(writ.watch_slowly().await, None).await;
    for task in 0..50 {
        writer.revoke_task(&format!("later-{task}")).await;
    }
    let last = place + 50;
    follower.until(|held| held.version.revocation == last).await;
    let held = slow.until(|held| held.version.revocation == last).await;
    assert_eq!((held.revoked.len(), held.snapshots), (MANY + 51, 1));
    assert!(held.deltas <= 2, "{}", held.deltas);
}

/// As a standby that lacked the last commit and goes on: its next commits have the numbers of what it lost.
async fn a_store_that_went_back_is_not_believed(database: Database) {
    let setup = first_replica(&database, &opening("/a"));
    let mut writ = setup.serve().await;
    let writer = Writer::open(&database, "other").await;
    let mut follower = writ.follow().await;
    writer.revoke_task("t1").await;
    follower.until(|held| held.version.revocation == 1).await;
    database.execute("DELETE FROM revocations").await;
    database.execute("UPDATE store SET revocation = 0").await;
    let ready = writ.until(|ready| ready["store"]["reachable"] == false).await;
    let said = ready["store"]["error"].as_str().unwrap();
    assert!(
        said.contains("lost commits: it went back from epoch 1, revocation 1 to epoch 1, revocation 0"),
        "{said}"
    );
    assert!(said.contains("`writ restore`"), "{said}");
    // The policy is read by another, which may be the later of the two; neither vouches for what comes from here on.
    let noticed = now_millis();
    assert!(writ.metric("writ_store_up 0").await);
    let standby = Writer::open(&database, "standby").await;
    for task in ["t2", "t3", "t4"] {
        standby.revoke_task(task).await;
    }
    read_anew(&writ).await;
    let ready = writ.ready().await;
    assert_eq!(ready["store"]["reachable"], false);
    assert!(ready["store"]["as_of_ms"].as_u64().unwrap() <= noticed && noticed < now_millis(), "{ready}");
    assert!(ready["store"]["error"].as_str().unwrap().contains("to epoch 1, revocation 0"), "{ready}");
    writ.log("nothing is read of the store any more").await;
    // A new epoch is no continuation of anything.
    database.execute("UPDATE store SET epoch = 2").await;
    writ.until(|ready| ready["store"]["reachable"] == true).await;
    let held = follower.until(|held| held.version.epoch == 2).await;
    assert_eq!(hashes(held), tasks(&setup, (2..=4).map(|task| format!("t{task}"))));
    assert_eq!((held.snapshots, held.deltas), (2, 1), "nothing was told in between");
}

fn now_millis() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(elapsed.as_millis()).unwrap()
}

/// Returns when the store was read by whoever has not begun to yet.
async fn read_anew(writ: &Writ) {
    let reads = async || {
        let metrics = get(writ.admin, "/metrics").await.body;
        let count = metrics.lines().find_map(|line| line.strip_prefix("writ_store_read_seconds_count "));
        count.expect("a count").parse::<u64>().unwrap()
    };
    let before = reads().await;
    let reading = async {
        while reads().await < before + 3 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, reading).await.expect("the store is not read any more");
}

async fn a_restored_store_begins_anew(database: Database) {
    let setup = first_replica(&database, &opening("/a"));
    let writ = setup.serve().await;
    let writer = Writer::open(&database, "other").await;
    let mut follower = writ.follow().await;
    for task in ["kept", "lost"] {
        writer.revoke_task(task).await;
    }
    follower.until(|held| held.version.revocation == 2).await;
    // One statement, as a restore is one step.
    database.execute("DELETE FROM revocations WHERE name = 'lost'").await;
    database.execute("UPDATE store SET epoch = epoch + 1, revocation = 1").await;
    let held = follower.until(|held| held.version.epoch == 2).await;
    assert_eq!(hashes(held), tasks(&setup, ["kept".to_owned()]));
    assert_eq!((held.version.revocation, held.snapshots), (1, 2));
    let place = Writer::open(&database, "after").await.revoke_task("new").await;
    follower.until(|held| held.version.revocation == place).await;
}

/// Replica and watcher are alive and well; what neither can know counts.
async fn without_its_store_a_server_keeps_nobody_fresh(mut database: Database) {
    let bounded = opening("/a").replace("audience: mesh", "audience: mesh\n    max_staleness: 4s");
    let setup = first_replica(&database, &bounded);
    let writ = setup.serve().await;
    let mut follower = writ.follow().await;
    database.take_away();
    writ.until(|ready| ready["store"]["reachable"] == false).await;
    let as_of = writ.ready().await["store"]["as_of_ms"].as_u64().unwrap();
    follower.until(|held| held.as_of_ms == as_of).await;
    for _ in 0..3 {
        follower.take().await;
        assert_eq!(follower.held.as_of_ms, as_of);
    }
    writ.check_until("GET", "/a", &[], "stale_snapshot").await;
    database.bring_back();
    let place = Writer::open(&database, "other").await.revoke_task("t1").await;
    let held = follower.until(|held| held.version.revocation == place).await;
    assert_eq!((held.snapshots, held.deltas), (1, 1));
    follower.until(|held| held.as_of_ms > as_of).await;
    writ.check_until("GET", "/a", &[], "allowed").await;
}

async fn what_is_revoked_is_denied_by_check(database: Database) {
    let setup = first_replica(&database, &opening("/a"));
    let writ = setup.serve().await;
    let writer = Writer::open(&database, "other").await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let object = "/my-bucket/logs/2026-05-01.log";
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(writ.check("GET", object, &headers).await.status, 200);
    writer.revoke(Level::Client, "hashed", None, None).await;
    writ.check_until("GET", object, &headers, "revoked").await;
    writer.lift(Level::Client, "hashed").await;
    writ.check_until("GET", object, &headers, "allowed").await;
}

/// The filter of an earlier release finds what is revoked in its document.
#[tokio::test]
async fn an_earlier_release_is_told_in_documents() {
    let database = Database::sqlite();
    let setup = first_replica(&database, &opening("/a"));
    let writ = setup.serve().await;
    let writer = Writer::open(&database, "other").await;
    let mut watch = writ.watch().await;
    watch.send(hello(None)).await;
    assert_eq!(watch.snapshot().await.document["revocations"].as_array().unwrap().len(), 0);
    for task in 0..20 {
        writer.revoke_task(&format!("t{task}")).await;
    }
    let mut documents = 0;
    loop {
        let snapshot = watch.snapshot().await;
        documents += 1;
        let document = verdict::Snapshot::from_json(snapshot.document.to_string().as_bytes()).unwrap();
        assert_eq!(document.version().revocation, snapshot.version.revocation);
        watch.ack(snapshot.version).await;
        if snapshot.version.revocation == 20 {
            assert_eq!(document.revocations().len(), 20);
            assert!(document.revocations().contains(&hashed(&setup, Kind::Task, "t7")));
            break;
        }
    }
    assert!(documents < 10, "{documents}");
    writ.data_planes(|planes| planes[0]["behind_revocations"] == 0).await;
}

/// A data plane learns of what concerns its audiences alone, and how far all have come.
#[tokio::test]
async fn a_data_plane_is_told_what_concerns_it() {
    let database = Database::postgres();
    let plane = |name: &str, audiences: &str| {
        let secret = sha256(&format!("{name}-secret"));
        format!("  - {{name: {name}, secret_sha256: \"{secret}\", audiences: [{audiences}]}}\n")
    };
    let planes = format!("data_planes:\n{}{}", plane("mesh", "mesh"), plane("edge", "edge"));
    let setup = first_replica(&database, &opening("/a"))
        .config_too(&planes)
        .write("policies/flights.yaml", &small("flights", "/a").replace("mesh", "edge"));
    let writ = setup.serve().await;
    let writer = Writer::open(&database, "other").await;
    let mut followers = Vec::new();
    for name in ["mesh", "edge"] {
        followers.push(Following::begin(watch_as(&writ, name).await, None).await);
    }
    writer.revoke(Level::Task, "only-mesh", Some("mesh"), Some(now() + 3600)).await;
    writer.revoke(Level::Task, "only-edge", Some("edge"), Some(now() + 3600)).await;
    let last = writer.revoke(Level::Client, "everywhere", None, None).await;
    let client = hashed(&setup, Kind::Client, "everywhere");
    for (follower, name) in followers.iter_mut().zip(["mesh", "edge"]) {
        let held = follower.until(|held| held.version.revocation == last).await;
        assert_eq!(
            hashes(held),
            BTreeSet::from([client, hashed(&setup, Kind::Task, &format!("only-{name}"))])
        );
        // And so in a snapshot of its own.
        let mut anew = Following::begin(watch_as(&writ, name).await, None).await;
        assert_eq!(hashes(anew.until(|held| held.snapshots == 1).await), hashes(&follower.held));
    }
}
