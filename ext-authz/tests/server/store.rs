//! The store as a server finds it at its start.

use std::net::{Ipv4Addr, TcpListener};

use test_databases::Database;

use crate::support::{
    Setup,
    http::{basic, get},
    policy::opening,
    replicas::{first_replica, over_both, replica},
    sha256,
};

over_both! {
    a_store_of_a_newer_version_is_refused,
}

async fn a_store_of_a_newer_version_is_refused(database: Database) {
    let setup = first_replica(&database, &opening("/open"));
    setup.serve().await.stop().await;
    database.execute("INSERT INTO schema_version (version) VALUES (99)").await;
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.starts_with("error: the store `") && stderr.contains("newer version of Writ"), "{stderr}");
}

#[test]
fn a_store_that_is_not_there_ends_the_start() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let setup = Setup::new().config(&format!("store: postgres://writ:hidden@127.0.0.1:{free}/writ\n"));
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 1, "{stderr}");
    let said = format!("error: the store `postgres://writ@127.0.0.1:{free}/writ` cannot be reached: ");
    assert!(stderr.contains(&said) && !stderr.contains("hidden"), "{stderr}");
}

/// What an earlier version kept in other places.
#[tokio::test]
async fn an_earlier_data_directory_goes_on() {
    let hash = sha256("known-secret");
    let setup = Setup::new()
        .write_secret("writ-data/clients.json", &format!(r#"{{"generated":{{"secret_sha256":"{hash}"}}}}"#))
        .write_secret("writ-data/hash.key", "AAECAwQFBgcICQoLDA0ODw");
    for _ in 0..2 {
        let writ = setup.serve().await;
        let answer = writ.token(&basic("generated", "known-secret"), &[]).await;
        assert_eq!(answer.json()["error"], "invalid_request", "{}", answer.body);
        let (_, stdout, _) = writ.stop().await;
        assert_eq!(stdout, "", "no secret is made");
    }
    assert!(!setup.data("clients.json").exists());
    // It was taken into the store.
    std::fs::remove_file(setup.data("hash.key")).unwrap();
    let writ = setup.serve().await;
    assert_eq!(writ.watch_anew().await.1.document["hash_key"], "AAECAwQFBgcICQoLDA0ODw");
}

/// Nobody makes keys that another replica does not find.
#[tokio::test]
async fn first_starts_at_the_same_time_make_one_key() {
    let database = Database::sqlite();
    let one = first_replica(&database, &opening("/open"));
    let others: Vec<Setup> = (0..3).map(|_| replica(&database, &one, &opening("/open"))).collect();
    let (first, second, third, fourth) =
        tokio::join!(one.serve(), others[0].serve(), others[1].serve(), others[2].serve());
    let generation = first.generation().await;
    let keys = get(first.http, "/.well-known/jwks.json").await.body;
    let mut shown = Vec::new();
    for writ in [first, second, third, fourth] {
        assert_eq!(get(writ.http, "/.well-known/jwks.json").await.body, keys);
        assert_eq!(writ.generation().await, generation);
        shown.extend(writ.stop().await.1.lines().map(str::to_owned));
    }
    assert_eq!(shown.len(), 1, "one secret, shown by the replica that made it: {shown:?}");
}
