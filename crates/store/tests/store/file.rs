//! SQLite: the file.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use store::{NewGeneration, Store, StoreLocation};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let location = StoreLocation::file(directory.path().join("writ.db"));
    let store = Store::open(location.clone()).await.unwrap();
    let sources = "{}";
    let generation = NewGeneration {
        number: 1,
        digest: "a",
        directory_digest: "a",
        sources,
        published_at: 1,
        published_by: "test",
    };
    store.publish(store.head().await.unwrap(), generation).await.unwrap();
    let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 1, "the write-ahead log is in use: {files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    drop(store);
    fs::set_permissions(directory.path().join("writ.db"), Permissions::from_mode(0o640)).unwrap();
    let error = Store::open(location).await.unwrap_err().to_string();
    assert!(error.contains("mode 640") && error.contains("writ.db"), "{error}");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("writ.db");
    fs::write(&path, "not a database, but long enough to have a header that says so".repeat(100)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert!(Store::open(StoreLocation::file(path)).await.is_err());
    let missing = directory.path().join("missing/writ.db");
    let error = Store::open(StoreLocation::file(missing)).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached: cannot make the file"), "{error}");
}

/// A file that is put in the place of another is the store from then on; one that is gone is no store.
#[tokio::test]
async fn a_replaced_file_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("writ.db");
    let store = Store::open(StoreLocation::file(path.clone())).await.unwrap();
    store.add_secret("a", "hash", 1, || Ok(())).await.unwrap();
    for name in ["writ.db", "writ.db-wal", "writ.db-shm"] {
        fs::rename(directory.path().join(name), directory.path().join(format!("old-{name}"))).unwrap();
    }
    let error = store.head().await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached"), "{error}");
    assert!(!path.exists(), "only a start makes a store");
    drop(Store::open(StoreLocation::file(path)).await.unwrap());
    assert!(store.secrets().await.unwrap().is_empty());
}
