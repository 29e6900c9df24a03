use audit::{Chain, ChainKey, Event, EventKind, Lines};
use store::{Ledger, Level, NewRevocation, Retention, Write};
use test_databases::Database;
use verdict::revocation::Kind;

use super::*;
use crate::{clock::UnixMillis, feed::tests::state};

const KEY: [u8; 32] = [7; 32];
const KEPT: Duration = Duration::from_secs(1000);

fn key() -> HashKey {
    HashKey::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap()
}

async fn ledger(database: &Database) -> Ledger {
    let chain = Chain::begin("a".to_owned(), ChainKey::from_bytes(KEY));
    let (ledger, work) = Ledger::open(database.url().parse().unwrap(), chain).await.unwrap();
    tokio::spawn(work);
    ledger
}

/// Revokes an agent for as long as nobody lifts it.
async fn revoke(ledger: &Ledger, name: &str) {
    let revocation = NewRevocation {
        level: Level::Agent,
        name: name.to_owned(),
        audience: None,
        reason: None,
        by: "test".to_owned(),
        now: 1000,
        expires_at: None,
    };
    write(ledger, Write::Revoke(revocation)).await;
}

async fn write(ledger: &Ledger, write: Write) {
    let event = Event { at: 1_000_000, event: EventKind::Revoked, ..Event::default() };
    ledger.write(write, Lines::of(&event)).await.unwrap();
}

async fn tail(database: &Database) -> (Tail, Told) {
    let location = database.url().parse().unwrap();
    let (tail, _) = Tail::open(location, key(), [Scope::All].into(), KEPT).await.unwrap();
    let current = Current::new(state(1));
    let (status, _) = StoreStatus::new();
    tail.begin(&current, &status);
    let (publications, _) = Publications::new(current.clone(), &[]).unwrap();
    (tail, Told { current, publications, registry: Registry::default(), status })
}

/// What lifted it is not in the store any more once the tail reads on.
#[tokio::test]
async fn who_was_away_for_longer_than_liftings_are_kept_reads_everything() {
    let database = Database::sqlite();
    let ledger = ledger(&database).await;
    let store = Store::open(database.url().parse().unwrap()).await.unwrap();
    for name in ["lifted", "other"] {
        revoke(&ledger, name).await;
    }
    let (mut tail, told) = tail(&database).await;
    let (lifted, other) = (key().hash(Kind::Agent, "lifted"), key().hash(Kind::Agent, "other"));
    let lift = Write::Lift { level: Level::Agent, name: "lifted".into(), by: "test".into(), now: 1001 };
    write(&ledger, lift).await;
    let retention = Retention { tasks: KEPT.as_secs(), audit: 1 << 40 };
    let pruned = store.prune(1001 + retention.lifted(), retention, &ChainKey::from_bytes(KEY)).await.unwrap();
    assert_eq!(pruned.revocations, 1);

    let read_at = |ago: Duration| {
        let ago = u64::try_from(ago.as_millis()).unwrap();
        Moment::read_as(UnixMillis(crate::clock::now_millis().0 - ago))
    };
    // Whoever has been there all the time has seen the lifting, and goes on.
    tail.as_of = read_at(KEPT / 4);
    tail.read_on(&told, Instant::now()).await.unwrap();
    assert_eq!((tail.revoked.reading(), tail.revoked.sequence()), (1, 3));
    assert!(!tail.may_have_missed_a_lifting());
    for ago in [KEPT, KEPT * 1000] {
        let before = tail.revoked.reading();
        tail.as_of = read_at(ago);
        tail.read_on(&told, Instant::now()).await.unwrap();
        let state = told.current.load();
        let revoked = state.revoked();
        assert_eq!((revoked.reading(), revoked.sequence()), (before + 1, 3));
        assert!(revoked.all().contains(&other) && !revoked.all().contains(&lifted));
    }
}
