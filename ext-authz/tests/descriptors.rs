//! The checked-in descriptors are those of the protos that `envoy-types` was made from.
//!
//! After an update of that crate, `WRIT_UPDATE=1 cargo test -p writ-ext-authz --test descriptors` writes them anew.

use std::{fs, path::PathBuf, process::Command};

use prost::Message as _;

/// The folders of the crate's protos that imports start from.
const ROOTS: &[&str] = &["data-plane-api", "googleapis", "protoc-gen-validate", "xds"];

fn crate_directory() -> PathBuf {
    let output =
        Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--locked"]).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "envoy-types").unwrap();
    PathBuf::from(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

#[test]
fn descriptors_are_current() {
    let protos = crate_directory().join("proto");
    let roots = ROOTS.iter().map(|root| protos.join(root));
    let set = protox::compile(["envoy/service/auth/v3/external_auth.proto"], roots).unwrap();
    // Comments and positions make most of a set, and reflection has no use for them.
    let mut set = prost_types::FileDescriptorSet { ..set };
    for file in &mut set.file {
        file.source_code_info = None;
    }
    let fresh = set.encode_to_vec();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/proto/external_auth.binpb");
    if std::env::var_os("WRIT_UPDATE").is_some() {
        fs::write(path, &fresh).unwrap();
    }
    assert!(fs::read(path).unwrap() == fresh, "run this test with WRIT_UPDATE=1");
}
