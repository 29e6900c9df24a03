//! PostgreSQL: the server.

use std::{
    io::Read as _,
    net::{Ipv4Addr, TcpListener},
};

use store::{Store, StoreLocation};
use test_databases::Postgres;

#[tokio::test]
async fn a_store_that_went_away_is_used_again_when_it_is_back() {
    let mut server = Postgres::start().unwrap();
    let store = Store::open(server.url().parse().unwrap()).await.unwrap();
    store.add_secret("a", "hash", 1, || Ok(())).await.unwrap();
    server.stop();
    for _ in 0..2 {
        let error = store.head().await.unwrap_err().to_string();
        assert!(error.contains("cannot be reached"), "{error}");
    }
    server.restart().unwrap();
    assert_eq!(store.secrets().await.unwrap()["a"], "hash");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_told_without_its_password() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let location: StoreLocation = format!("postgres://writ:hidden@127.0.0.1:{free}/writ").parse().unwrap();
    let error = Store::open(location).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(&format!("postgres://writ@127.0.0.1:{free}/writ` cannot be reached")), "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
}

#[tokio::test]
async fn a_wrong_account_or_database_is_told() {
    let server = Postgres::start().unwrap();
    let url = server.url();
    for (wrong, said) in
        [("/missing", "database \"missing\" does not exist"), ("/postgres?user=who", "role \"who\"")]
    {
        let location = (url.strip_suffix("/postgres").unwrap().to_owned() + wrong).parse().unwrap();
        let error = Store::open(location).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// A server that proves nothing gets no policy, and no password.
#[tokio::test]
async fn tls_that_was_asked_for_is_not_done_without() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        connection.read_exact(&mut request).unwrap();
        // "N": no TLS here.
        std::io::Write::write_all(&mut connection, b"N").unwrap();
        let mut rest = Vec::new();
        connection.read_to_end(&mut rest).unwrap();
        rest
    });
    let url = format!("postgres://writ:hidden@127.0.0.1:{port}/writ?sslmode=verify-full");
    let error = Store::open(url.parse().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached: TLS"), "{error}");
    assert_eq!(server.join().unwrap(), b"");
}
