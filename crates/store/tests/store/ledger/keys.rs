//! Signing keys are changed by one replica at a time.

use store::{KeyChange, KeyState, Level, SigningKey, Write, WriteError, Written};
use test_databases::Database;

use super::support::{Ledgers as _, NOW, ledger, revocation};
use crate::databases::{open, over_both};

over_both! {
    keys_are_changed_by_one_of_several,
}

fn key(kid: &str, state: KeyState) -> SigningKey {
    let sealed = (state == KeyState::Active).then(|| "sealed".to_owned());
    SigningKey {
        kid: kid.into(),
        alg: "EdDSA".into(),
        public_key: "public".into(),
        sealed,
        state,
        created_at: NOW,
        active_at: Some(NOW),
        retired_at: None,
        last_exp: None,
    }
}

async fn keys_are_changed_by_one_of_several(database: Database) {
    let (one, other) = (ledger(&database, "a").await, ledger(&database, "b").await);
    let store = open(&database).await;
    let put = |expected, keys| Write::Keys(KeyChange { expected, put: keys, ..KeyChange::default() });
    let (first, second) = tokio::join!(
        one.write(put(0, vec![key("x", KeyState::Active)]), audit::Lines::new()),
        other.write(put(0, vec![key("y", KeyState::Active)]), audit::Lines::new()),
    );
    let won = [&first, &second]
        .into_iter()
        .filter(|done| matches!(done, Ok(Written::Keys { sequence: 1, .. })))
        .count();
    let lost =
        [&first, &second].into_iter().filter(|done| matches!(done, Err(WriteError::KeysChanged))).count();
    assert_eq!((won, lost), (1, 1), "{first:?} {second:?}");
    let keys = store.keys().await.unwrap();
    assert_eq!((keys.head.keys, keys.keys.len()), (1, 1));
    let kept = keys.keys[0].kid.clone();
    let withdrawn = key(&kept, KeyState::Withdrawn);
    let change = KeyChange {
        expected: 1,
        put: vec![withdrawn.clone(), key("z", KeyState::Active)],
        remove: vec!["unknown".into()],
        revoke: vec![revocation(Level::Key, &kept)],
    };
    assert!(matches!(one.done(Write::Keys(change)).await, Written::Keys { sequence: 2, .. }));
    let keys = store.keys().await.unwrap();
    assert_eq!((keys.head.revocation, keys.keys.len()), (1, 2));
    assert!(keys.keys.contains(&withdrawn) && !format!("{keys:?}").contains("sealed"), "{keys:?}");
    let remove = KeyChange { expected: 2, remove: vec![kept], ..KeyChange::default() };
    one.done(Write::Keys(remove)).await;
    assert_eq!(store.keys().await.unwrap().keys, [key("z", KeyState::Active)]);
}
