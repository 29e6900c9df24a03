//! What becomes of operations when something breaks.

use std::time::Duration;

use audit::Lines;
use store::{Ledger, TaskState, Write, WriteError, Written};
use test_databases::{Database, Postgres};
use tokio::time::sleep;

use super::support::{Ledgers as _, chain, chain_key, complete, event, issue, ledger, names, start, task};
use crate::databases::{location, open, over_both};

over_both! {
    a_store_that_is_away_is_told_and_used_again,
    what_waits_at_the_end_is_written,
    a_caller_that_has_gone_is_not_served,
}

async fn a_store_that_is_away_is_told_and_used_again(mut database: Database) {
    let ledger = ledger(&database, "a").await;
    ledger.started(task("a", None)).await;
    database.take_away();
    for _ in 0..2 {
        let refused = ledger.refused(issue(&["a"])).await;
        let WriteError::Store(error) = refused else { panic!("{refused:?}") };
        assert!(error.to_string().contains("cannot be reached"), "{error}");
    }
    database.bring_back();
    assert_eq!(ledger.done(issue(&["a"])).await, Written::Done);
    assert_eq!(names(&open(&database).await, "a").await, ["done", "done"]);
}

async fn what_waits_at_the_end_is_written(database: Database) {
    let store = open(&database).await;
    let chain = audit::Chain::begin("a".to_owned(), chain_key());
    let (ledger, work) = Ledger::open(location(&database), chain).await.unwrap();
    let (written, noted, late, ()) = tokio::join!(
        ledger.write(start(task("a", None)), event("a")),
        ledger.write(Write::Note, event("b")),
        async {
            ledger.close();
            // Whoever comes after waits for its turn in vain, or finds the door shut.
            while ledger.write(Write::Note, event("late")).await.is_ok() {}
            ledger.write(Write::Note, event("late")).await
        },
        work,
    );
    assert!(written.is_ok() && noted.is_ok());
    assert!(matches!(late, Err(WriteError::Closed)), "{late:?}");
    assert!(store.task("a").await.unwrap().is_some());
}

async fn a_caller_that_has_gone_is_not_served(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let mut gone = Box::pin(ledger.write(start(task("a", None)), event("gone")));
    // It takes its place in the queue, and nothing more: the worker has no turn in between.
    tokio::select! {
        biased;
        _ = &mut gone => unreachable!(),
        () = std::future::ready(()) => {}
    }
    assert_eq!(ledger.figures().waiting, 1);
    drop(gone);
    ledger.started(task("b", None)).await;
    assert_eq!(store.task("a").await.unwrap(), None);
    assert_eq!(names(&store, "a").await, ["done"]);
}

/// A server that dies at the commit did not commit: what is not there afterwards was not done.
#[tokio::test]
async fn a_commit_that_was_cut_off_is_known_not_to_be_done() {
    let database = Database::postgres();
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("a", None)).await;
    // Runs at the commit, just before it.
    database
        .execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; \
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON audit_batches DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW WHEN (NEW.body LIKE '%die%') EXECUTE FUNCTION die()",
        )
        .await;
    let failed = ledger.write(complete("a"), event("die")).await;
    assert!(matches!(failed, Err(WriteError::Store(_))), "{failed:?}");
    assert_eq!(store.task("a").await.unwrap().unwrap().state, TaskState::Active);
    let written = ledger.done(complete("a")).await;
    assert!(matches!(written, Written::Ended { changed: true, .. }), "{written:?}");
    assert_eq!(names(&store, "a").await, ["done", "done"]);
}

/// A commit whose answer was lost was done: its caller learns so, and the chain goes on behind it.
#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_known_to_be_done() {
    let database = Database::postgres();
    let Database::Postgres(server) = &database else { unreachable!() };
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("a", None)).await;
    // It commits, and then waits for a replica that does not exist.
    server.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").unwrap();
    server.query("SELECT pg_reload_conf()").unwrap();
    let cutting = async {
        let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while ask(server, waiting).is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
        ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        server.query("ALTER SYSTEM RESET synchronous_standby_names").unwrap();
        server.query("SELECT pg_reload_conf()").unwrap();
    };
    let (written, ()) = tokio::join!(ledger.write(complete("a"), event("cut off")), cutting);
    assert!(matches!(written, Ok(Written::Ended { changed: true, .. })), "{written:?}");
    ledger.started(task("b", None)).await;
    assert_eq!(names(&store, "a").await, ["done", "cut off", "done"]);
}

fn ask(server: &Postgres, query: &str) -> String {
    server.query(query).unwrap()
}

/// A replica that is cut off in the middle of a transaction does not hold up the others for good.
#[tokio::test]
async fn who_waits_for_another_is_told_in_time() {
    let database = Database::postgres();
    let Database::Postgres(server) = &database else { unreachable!() };
    let ledger = ledger(&database, "a").await;
    let query = "SELECT setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'";
    assert_eq!(ask(server, query), "0", "the server has no bound of its own");
    database
        .execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3600); \
             RETURN NULL; END $$; CREATE TRIGGER wait AFTER INSERT ON audit_batches FOR EACH ROW \
             WHEN (NEW.body LIKE '%wait%') EXECUTE FUNCTION wait()",
        )
        .await;
    let failed = ledger.write(start(task("a", None)), event("wait")).await.unwrap_err();
    assert!(failed.to_string().contains("did not answer within 5 s"), "{failed}");
    ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    ledger.started(task("b", None)).await;
    let store = open(&database).await;
    assert_eq!(chain(&store, "a").await.len(), 1);
}

/// What a full disk is told as.
#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_half_done() {
    let database = Database::postgres();
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    database
        .execute(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER fill AFTER INSERT ON audit_batches FOR EACH ROW EXECUTE FUNCTION fill()",
        )
        .await;
    let failed = ledger.write(start(task("a", None)), Lines::new()).await;
    let Err(WriteError::Store(error)) = failed else { panic!("{failed:?}") };
    assert!(error.is_full() && error.to_string().contains("has no room left"), "{error}");
    assert_eq!(store.task("a").await.unwrap(), None);
    database.execute("DROP TRIGGER fill ON audit_batches").await;
    ledger.started(task("a", None)).await;
    assert_eq!(names(&store, "a").await, ["done"]);
}
