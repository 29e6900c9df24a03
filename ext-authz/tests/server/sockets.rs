//! The data planes' socket and the data directory's lock.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
};

use crate::support::Setup;

#[tokio::test]
async fn a_socket_that_a_crashed_server_left_is_replaced() {
    let setup = Setup::new().write("writ-data/note", "");
    let path = setup.data("data-plane.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let writ = setup.serve().await;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
    writ.stop().await;
    assert!(!path.exists());
}

#[test]
fn a_socket_that_answers_is_left_alone() {
    let setup = Setup::new().write("writ-data/note", "");
    let path = setup.data("data-plane.sock");
    let _other = UnixListener::bind(&path).unwrap();
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!((code, stderr.contains("is in use")), (1, true), "{stderr}");
    assert!(path.exists());
}

#[test]
fn a_file_in_its_place_is_left_alone() {
    let setup = Setup::new().write("writ-data/data-plane.sock", "precious");
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!((code, stderr.contains("is no socket")), (1, true), "{stderr}");
    assert_eq!(fs::read_to_string(setup.data("data-plane.sock")).unwrap(), "precious");
}

#[tokio::test]
async fn one_server_a_data_directory() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!((code, stderr.contains("is in use by another server")), (1, true), "{stderr}");
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let other = Setup::new();
    let taken = writ.http.to_string();
    let output = other.run(&["serve", "--http-addr", &taken]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("cannot listen on {taken}")));
    assert!(output.stdout.is_empty(), "no secret was shown");
    assert!(!other.data("").exists(), "nothing was made");
}
