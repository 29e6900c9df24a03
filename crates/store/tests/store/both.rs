//! What holds over either database.

use std::{io, sync::Arc};

use store::{Generation, Head, NewGeneration, PublishError, SecretError, Store};
use test_databases::Database;

use crate::databases::{location, open, over_both};

over_both! {
    a_new_store_is_empty,
    what_is_published_is_what_everyone_reads,
    a_generation_follows_the_latest_or_is_lost,
    of_replicas_that_publish_at_once_one_wins_each_time,
    a_digest_is_known_by_its_latest_generation,
    old_files_are_forgotten_and_their_digests_are_not,
    everyone_may_open_a_new_store_at_once,
    a_newer_schema_is_refused,
    a_schema_that_becomes_newer_is_refused_by_the_next_connection,
    a_restored_epoch_is_read,
    the_first_secret_of_a_client_stays,
    of_replicas_that_make_a_secret_at_once_one_shows_it,
    a_secret_that_is_not_shown_is_not_kept,
    what_a_store_cannot_hold_is_an_error,
}

fn new(number: u64, digest: &'static str) -> NewGeneration<'static> {
    NewGeneration {
        number,
        digest,
        directory_digest: digest,
        sources: "{}",
        published_at: 1_700_000_000,
        published_by: "test",
    }
}

async fn publish(store: &Store, latest: u64, number: u64, digest: &'static str) -> Result<(), PublishError> {
    store.publish(after(latest), new(number, digest)).await
}

fn after(latest: u64) -> Head {
    Head { epoch: 1, latest, ..Head::default() }
}

async fn a_new_store_is_empty(database: Database) {
    let store = open(&database).await;
    let contents = store.contents().await.unwrap();
    assert_eq!(contents.head, Head { epoch: 1, ..Head::default() });
    assert_eq!((contents.policy, store.known("a").await.unwrap()), (None, None));
    assert!(store.secrets().await.unwrap().is_empty());
}

async fn what_is_published_is_what_everyone_reads(database: Database) {
    let (one, other) = (open(&database).await, open(&database).await);
    let generation = NewGeneration { directory_digest: "d", sources: r#"{"ä":"'\\"}"#, ..new(5, "a") };
    one.publish(after(0), generation).await.unwrap();
    let expected = Generation {
        number: 5,
        digest: "a".into(),
        directory_digest: "d".into(),
        sources: generation.sources.into(),
        published_at: 1_700_000_000,
    };
    assert_eq!(other.contents().await.unwrap().policy, Some(expected));
    assert_eq!(other.head().await.unwrap().latest, 5);
    drop((one, other));
    assert_eq!(open(&database).await.head().await.unwrap().latest, 5);
}

async fn a_generation_follows_the_latest_or_is_lost(database: Database) {
    let store = open(&database).await;
    publish(&store, 0, 5, "a").await.unwrap();
    for latest in [0, 4, 6] {
        let lost = publish(&store, latest, 9, "b").await;
        assert!(matches!(lost, Err(PublishError::Lost)), "{latest}: {lost:?}");
    }
    for number in [4, 5] {
        assert!(matches!(publish(&store, 5, number, "b").await, Err(PublishError::Store(_))));
    }
    assert_eq!(store.known("b").await.unwrap(), None);
    publish(&store, 5, 6, "b").await.unwrap();
    assert_eq!(store.head().await.unwrap().latest, 6);
}

async fn of_replicas_that_publish_at_once_one_wins_each_time(database: Database) {
    let mut replicas = Vec::new();
    for _ in 0..4 {
        let store = open(&database).await;
        replicas.push(tokio::spawn(async move {
            let mut won = 0;
            for round in 0..10 {
                // Different numbers: as of clocks that differ.
                match publish(&store, round * 10, (round + 1) * 10, "a").await {
                    Ok(()) => won += 1,
                    Err(PublishError::Lost) => {}
                    Err(error) => panic!("{error}"),
                }
                // The next round begins when this one is decided.
                assert!(store.head().await.unwrap().latest >= (round + 1) * 10);
            }
            won
        }));
    }
    let mut won = 0;
    for replica in replicas {
        won += replica.await.unwrap();
    }
    assert_eq!(won, 10);
}

async fn a_digest_is_known_by_its_latest_generation(database: Database) {
    let store = open(&database).await;
    publish(&store, 0, 1, "a").await.unwrap();
    publish(&store, 1, 2, "b").await.unwrap();
    publish(&store, 2, 3, "a").await.unwrap();
    store.publish(after(3), NewGeneration { directory_digest: "d", ..new(4, "c") }).await.unwrap();
    for (digest, number) in [("a", Some(3)), ("b", Some(2)), ("c", Some(4)), ("d", Some(4)), ("e", None)] {
        assert_eq!(store.known(digest).await.unwrap(), number, "{digest}");
    }
}

async fn old_files_are_forgotten_and_their_digests_are_not(database: Database) {
    let store = open(&database).await;
    publish(&store, 0, 1, "first").await.unwrap();
    for number in 2..=101 {
        publish(&store, number - 1, number, "later").await.unwrap();
    }
    assert_eq!(store.known("first").await.unwrap(), Some(1));
    // Only what is forgotten cannot be read.
    for (latest, is_kept) in [(101, true), (2, true), (1, false)] {
        database.execute(&format!("UPDATE store SET latest_generation = {latest}")).await;
        let contents = store.contents().await;
        assert_eq!(contents.is_ok(), is_kept, "{latest}: {contents:?}");
    }
}

async fn everyone_may_open_a_new_store_at_once(database: Database) {
    let opening: Vec<_> = (0..6).map(|_| tokio::spawn(Store::open(location(&database)))).collect();
    for store in opening {
        assert_eq!(store.await.unwrap().unwrap().head().await.unwrap().epoch, 1);
    }
}

async fn a_newer_schema_is_refused(database: Database) {
    drop(open(&database).await);
    database.execute("INSERT INTO schema_version (version) VALUES (99)").await;
    let error = Store::open(location(&database)).await.unwrap_err();
    assert!(error.is_newer_schema() && error.to_string().contains("newer version of Writ"), "{error}");
    assert!(error.to_string().contains(&location(&database).to_string()), "{error}");
}

async fn a_schema_that_becomes_newer_is_refused_by_the_next_connection(database: Database) {
    let store = open(&database).await;
    database.execute("INSERT INTO schema_version (version) VALUES (99)").await;
    store.head().await.unwrap();
    database.execute("ALTER TABLE store RENAME TO elsewhere").await;
    assert!(!store.head().await.unwrap_err().is_newer_schema());
    assert!(store.head().await.unwrap_err().is_newer_schema());
}

async fn a_restored_epoch_is_read(database: Database) {
    let store = open(&database).await;
    database.execute("UPDATE store SET epoch = 2, min_iat = 1700000000").await;
    let head = store.head().await.unwrap();
    assert_eq!((head.epoch, head.min_iat), (2, 1_700_000_000));
    // What was made in the epoch before, or for tokens from before, is not published in this one.
    for old in [after(0), Head { epoch: 2, ..after(0) }, Head { min_iat: 1_700_000_000, ..after(0) }] {
        let lost = store.publish(old, new(1, "a")).await;
        assert!(matches!(lost, Err(PublishError::Lost)), "{old:?}: {lost:?}");
    }
    store.publish(head, new(1, "a")).await.unwrap();
    database.execute("UPDATE store SET epoch = -1").await;
    assert!(store.head().await.unwrap_err().to_string().contains("cannot read"));
}

async fn the_first_secret_of_a_client_stays(database: Database) {
    let (one, other) = (open(&database).await, open(&database).await);
    assert!(one.add_secret("a", "first", 1, || Ok(())).await.unwrap());
    let not_shown = || panic!("a secret that does not count is not shown");
    assert!(!other.add_secret("a", "second", 2, not_shown).await.unwrap());
    assert!(other.add_secret("b", "third", 3, || Ok(())).await.unwrap());
    let secrets = one.secrets().await.unwrap();
    assert_eq!(secrets, [("a", "first"), ("b", "third")].map(|(a, b)| (a.into(), b.into())).into());
}

async fn of_replicas_that_make_a_secret_at_once_one_shows_it(database: Database) {
    let shown = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut replicas = Vec::new();
    for number in 0..4 {
        let (store, shown) = (open(&database).await, Arc::clone(&shown));
        replicas.push(tokio::spawn(async move {
            let hash = format!("hash-{number}");
            let show = || {
                shown.lock().unwrap().push(hash.clone());
                Ok(())
            };
            store.add_secret("a", &hash, 1, show).await.unwrap()
        }));
    }
    let mut kept = 0;
    for replica in replicas {
        kept += usize::from(replica.await.unwrap());
    }
    let shown = shown.lock().unwrap().clone();
    assert_eq!((kept, shown.len()), (1, 1));
    assert_eq!(open(&database).await.secrets().await.unwrap()["a"], shown[0]);
}

async fn a_secret_that_is_not_shown_is_not_kept(database: Database) {
    let store = open(&database).await;
    let closed = || Err(io::Error::other("closed"));
    let error = store.add_secret("a", "hash", 1, closed).await.unwrap_err();
    assert!(matches!(error, SecretError::NotShown(_)), "{error}");
    assert!(open(&database).await.secrets().await.unwrap().is_empty());
    assert!(store.add_secret("a", "hash", 1, || Ok(())).await.unwrap());
}

async fn what_a_store_cannot_hold_is_an_error(database: Database) {
    let store = open(&database).await;
    assert!(publish(&store, 0, u64::MAX, "a").await.unwrap_err().to_string().contains("out of range"));
    database.execute("UPDATE store SET latest_generation = 7").await;
    assert!(store.contents().await.unwrap_err().to_string().contains("7 is the latest and is not there"));
}
