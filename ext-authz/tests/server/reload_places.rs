//! Ways in which a policy directory changes without anyone writing to a file in it.

use std::{fs, os::unix::fs::symlink};

use crate::support::{
    Setup,
    policy::{FOUND_SOON, opening},
};

/// As the kubelet does it: files are links through `..data`, which is set to another directory by a rename.
#[tokio::test]
async fn a_config_map_is_swapped() {
    let setup = Setup::bare().config(FOUND_SOON);
    let version = |number: u8| format!("policies/..2026_05_10_08_00_00.{number}");
    let setup = setup.write(&format!("{}/logs.yaml", version(1)), &opening("/one"));
    symlink("..2026_05_10_08_00_00.1", setup.path("policies/..data")).unwrap();
    symlink("..data/logs.yaml", setup.path("policies/logs.yaml")).unwrap();
    let writ = setup.serve().await;
    let mut before = writ.generation().await;
    for (number, path) in [(2, "/two"), (3, "/three")] {
        fs::create_dir(setup.path(&version(number))).unwrap();
        fs::write(setup.path(&format!("{}/logs.yaml", version(number))), opening(path)).unwrap();
        symlink(format!("..2026_05_10_08_00_00.{number}"), setup.path("policies/..data_tmp")).unwrap();
        fs::rename(setup.path("policies/..data_tmp"), setup.path("policies/..data")).unwrap();
        fs::remove_dir_all(setup.path(&version(number - 1))).unwrap();
        before = writ.reloaded(before).await;
        assert!(writ.is_open(path).await);
    }
}

/// As git-sync does it.
#[tokio::test]
async fn the_directory_itself_is_a_link_that_is_set_anew() {
    let setup = Setup::bare().config(FOUND_SOON).write("releases/1/logs.yaml", &opening("/one"));
    symlink("releases/1", setup.path("policies")).unwrap();
    let writ = setup.serve().await;
    let before = writ.generation().await;
    let setup = setup.write("releases/2/logs.yaml", &opening("/two"));
    symlink("releases/2", setup.path("link")).unwrap();
    fs::rename(setup.path("link"), setup.path("policies")).unwrap();
    let before = writ.reloaded(before).await;
    assert!(writ.is_open("/two").await);
    // The new directory is watched in its place.
    fs::write(setup.path("releases/2/logs.yaml"), opening("/three")).unwrap();
    writ.reloaded(before).await;
    assert!(writ.is_open("/three").await);
}

#[tokio::test]
async fn the_directory_is_replaced_again_and_again() {
    let setup = Setup::new().config(FOUND_SOON);
    let writ = setup.serve().await;
    let mut before = writ.generation().await;
    for path in ["/one", "/two", "/three"] {
        fs::create_dir(setup.path("next")).unwrap();
        fs::write(setup.path("next/logs.yaml"), opening(path)).unwrap();
        fs::remove_dir_all(setup.path("policies")).unwrap();
        fs::rename(setup.path("next"), setup.path("policies")).unwrap();
        before = writ.reloaded(before).await;
        assert!(writ.is_open(path).await);
    }
    fs::write(setup.path("policies/logs.yaml"), opening("/last")).unwrap();
    writ.reloaded(before).await;
    assert!(writ.is_open("/last").await);
}

/// Nobody is told of this change: the file is elsewhere.
#[tokio::test]
async fn what_nobody_is_told_of_is_found_by_reading() {
    let setup =
        Setup::bare().config("policy_poll_interval: 1s\n").write("elsewhere/logs.yaml", &opening("/one"));
    fs::create_dir(setup.path("policies")).unwrap();
    symlink("../elsewhere/logs.yaml", setup.path("policies/logs.yaml")).unwrap();
    let writ = setup.serve().await;
    let before = writ.generation().await;
    fs::write(setup.path("elsewhere/logs.yaml"), opening("/two")).unwrap();
    writ.reloaded(before).await;
    assert!(writ.is_open("/two").await);
}
