//! The same crates, at the same versions, with the same features, under the server and under the filter. Cargo
//! unifies features for each build: one that changes how JSON numbers or base64 are read would make two verdicts
//! of one.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// Features that add ways to use a crate and change nothing that `verdict` calls.
const HARMLESS: [(&str, &str); 8] = [
    ("std", "more trait implementations; parsing and arithmetic are the same code"),
    ("default", "names other features"),
    ("alloc", "needed by `std`"),
    ("derive", "a macro"),
    ("zeroize_derive", "a macro"),
    ("result", "implementations for `Result`"),
    ("mac", "another trait of `digest`"),
    ("i128", "implementations for 128-bit integers"),
];
/// Build-time only: nothing of it is in either binary.
const MACROS: [&str; 8] = [
    "syn",
    "quote",
    "proc-macro2",
    "unicode-ident",
    "serde_derive",
    "thiserror-impl",
    "curve25519-dalek-derive",
    "autocfg",
];

type Tree = BTreeMap<String, BTreeSet<String>>;

/// Every crate below `package` with its version, and its features there.
fn tree(package: &str, target: &str) -> Tree {
    let arguments =
        ["tree", "--locked", "--edges", "normal", "--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--package", package, "--target", target])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut crates = Tree::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (name, features) = line.split_once('|').unwrap();
        let mut words = name.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        if !MACROS.contains(&name) {
            crates
                .entry(format!("{name} {version}"))
                .or_default()
                .extend(features.split(',').map(str::to_owned));
        }
    }
    crates
}

#[test]
fn both_targets_build_the_same_verdict() {
    let wasm = "wasm32-unknown-unknown";
    let server = tree("writ-ext-authz", "x86_64-unknown-linux-gnu");
    let filter = tree("writ-wasm-filter", wasm);
    let own = tree("writ-verdict", wasm);
    assert!(own.len() > 10, "only {own:?}");
    for name in own.keys() {
        let (Some(in_server), Some(in_filter)) = (server.get(name), filter.get(name)) else {
            panic!("`{name}` is not in both builds: two versions of one crate?");
        };
        let differing: Vec<&String> = in_server
            .symmetric_difference(in_filter)
            .filter(|feature| !feature.is_empty() && HARMLESS.iter().all(|(harmless, _)| harmless != feature))
            .collect();
        assert!(
            differing.is_empty(),
            "`{name}` has other features in the server than in the filter: {differing:?}"
        );
    }
}
