//! Keys that replicas share: each change is made by one of them.

use audit::Lines;
use store::{
    KeyChange, KeyState, Level, NewRevocation, RevocationFilter, SigningKey, Write, WriteError, Written,
};
use test_databases::Database;

use crate::{
    databases::{location, open, over_both},
    ledger::support::{NOW, ledger},
};

over_both! {
    of_replicas_that_begin_at_once_one_does,
    of_changes_by_one_reading_one_is_made,
    a_withdrawal_is_one_commit,
    a_shared_secret_is_kept_once,
    replicas_that_are_behind_are_counted,
}

fn key(kid: &str, state: KeyState) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        alg: "EdDSA".into(),
        public_key: "x".into(),
        sealed: Some("sealed".into()),
        state,
        created_at: NOW,
        active_at: None,
        retired_at: None,
        last_exp: None,
    }
}

async fn of_replicas_that_begin_at_once_one_does(database: Database) {
    let begin = |kid: &'static str| {
        let location = location(&database);
        tokio::spawn(async move {
            let store = store::Store::open(location).await.unwrap();
            let begun = store.begin_keys(&[key(kid, KeyState::Active)]).await.unwrap();
            (begun, kid, store.keys().await.unwrap())
        })
    };
    let (mut began, mut read) = (Vec::new(), Vec::new());
    for task in ["a", "b", "c", "d"].map(begin) {
        let (begun, kid, keys) = task.await.unwrap();
        began.extend(begun.then_some(kid));
        read.push(keys);
    }
    assert_eq!(began.len(), 1, "{began:?}");
    for keys in read {
        assert_eq!((keys.head.keys, keys.keys), (1, vec![key(began[0], KeyState::Active)]));
    }
}

async fn of_changes_by_one_reading_one_is_made(database: Database) {
    let (one, other) = (ledger(&database, "one").await, ledger(&database, "other").await);
    let change = |kid: &str| {
        let put = vec![key(kid, KeyState::Next)];
        Write::Keys(KeyChange { expected: 0, put, ..KeyChange::default() })
    };
    let (first, second) =
        tokio::join!(one.write(change("a"), Lines::new()), other.write(change("b"), Lines::new()));
    let outcomes = [first, second];
    let done =
        outcomes.iter().filter(|outcome| matches!(outcome, Ok(Written::Keys { sequence: 1, .. }))).count();
    let lost = outcomes.iter().filter(|outcome| matches!(outcome, Err(WriteError::KeysChanged))).count();
    assert_eq!((done, lost), (1, 1), "{outcomes:?}");
    assert_eq!(open(&database).await.keys().await.unwrap().keys.len(), 1);
}

async fn a_withdrawal_is_one_commit(database: Database) {
    let store = open(&database).await;
    store.begin_keys(&[key("bad", KeyState::Active)]).await.unwrap();
    let ledger = ledger(&database, "one").await;
    let revoked = NewRevocation {
        level: Level::Key,
        name: "bad".into(),
        audience: None,
        reason: None,
        by: "ada".into(),
        now: NOW,
        expires_at: None,
    };
    let put =
        vec![SigningKey { sealed: None, ..key("bad", KeyState::Withdrawn) }, key("good", KeyState::Active)];
    let change = KeyChange { expected: 1, put: put.clone(), remove: Vec::new(), revoke: vec![revoked] };
    let Written::Keys { sequence: 2, revoked } =
        ledger.write(Write::Keys(change), Lines::new()).await.unwrap()
    else {
        panic!()
    };
    let keys = store.keys().await.unwrap();
    assert_eq!((keys.head.keys, keys.head.revocation, keys.keys), (2, 1, put));
    let revocations =
        store.revocations(&RevocationFilter { limit: 10, ..RevocationFilter::default() }).await.unwrap();
    assert_eq!(revocations, revoked);
    assert_eq!((revocations[0].level, &*revocations[0].name), (Level::Key, "bad"));
    let lift = Write::Lift { level: Level::Key, name: "bad".into(), by: "ada".into(), now: NOW };
    assert!(matches!(ledger.write(lift, Lines::new()).await, Err(WriteError::NotLiftable(Level::Key))));
}

async fn a_shared_secret_is_kept_once(database: Database) {
    let store = open(&database).await;
    assert!(store.sealed_secrets().await.unwrap().is_empty());
    for sealed in ["first", "second"] {
        store.add_sealed_secret("hash_key", sealed, NOW).await.unwrap();
    }
    let secrets = store.sealed_secrets().await.unwrap();
    assert_eq!(secrets.into_iter().collect::<Vec<_>>(), [("hash_key".to_owned(), "first".to_owned())]);
}

async fn replicas_that_are_behind_are_counted(database: Database) {
    let store = open(&database).await;
    let behind = async || store.replicas_behind(NOW, 3).await.unwrap();
    assert_eq!(behind().await, 0);
    for (id, seen_at, acked) in [("gone", NOW - 1, 1), ("level", NOW, 3), ("late", NOW, 2)] {
        store.replica_is_there(id, seen_at, acked).await.unwrap();
    }
    assert_eq!(behind().await, 1);
    store.replica_is_there("late", NOW + 5, 4).await.unwrap();
    assert_eq!(behind().await, 0);
    store.replica_is_there("gone", NOW, 1).await.unwrap();
    assert_eq!(behind().await, 1);
    store.replica_is_gone("gone").await.unwrap();
    assert_eq!(behind().await, 0);
}
