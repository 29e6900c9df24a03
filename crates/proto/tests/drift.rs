//! The generated code is what its proto says. `WRIT_UPDATE_PROTO=1 cargo test -p writ-proto` makes it anew.

use std::{env, fs, path::Path};

use prost::Message as _;

#[test]
fn generated_code_follows_the_proto() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked_in = package.join("src/generated");
    let fresh = tempfile::tempdir().unwrap();
    generate(package, fresh.path());
    for name in ["writ.v1.rs", "writ.v1.tasks.rs", "writ.v1.binpb"] {
        let made = fs::read(fresh.path().join(name)).unwrap();
        if env::var_os("WRIT_UPDATE_PROTO").is_some() {
            fs::create_dir_all(&checked_in).unwrap();
            fs::write(checked_in.join(name), &made).unwrap();
        }
        let kept = fs::read(checked_in.join(name)).unwrap_or_default();
        assert!(
            made == kept,
            "`{name}` is not what the proto says: run `WRIT_UPDATE_PROTO=1 cargo test -p writ-proto` and commit"
        );
    }
}

/// The feed's messages are for the sandbox too, and those of tasks are not: each has a file of its own.
fn generate(package: &Path, into: &Path) {
    let compile = |files: &[&str]| protox::compile(files, [package.join("proto")]).unwrap();
    let mut all = compile(&["writ/v1/data_plane.proto", "writ/v1/tasks.proto"]);
    // Reflection shows names and types; comments and positions would only make the program larger.
    for file in &mut all.file {
        file.source_code_info = None;
    }
    fs::write(into.join("writ.v1.binpb"), all.encode_to_vec()).unwrap();
    for (file, name) in
        [("writ/v1/tasks.proto", "writ.v1.tasks.rs"), ("writ/v1/data_plane.proto", "writ.v1.rs")]
    {
        tonic_prost_build::configure()
            .out_dir(into)
            .client_mod_attribute(".", "#[cfg(feature = \"tonic\")]")
            .server_mod_attribute(".", "#[cfg(feature = \"tonic\")]")
            .compile_fds(compile(&[file]))
            .unwrap();
        fs::rename(into.join("writ.v1.rs"), into.join(name)).unwrap();
    }
}
