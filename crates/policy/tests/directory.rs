//! Which files of a directory are policy.

use std::{fs, path::Path};

use policy::{Namespaces, Policy, PolicyErrors};

fn load(dir: &Path) -> Result<Policy, PolicyErrors> {
    Policy::load(dir, &Namespaces::open())
}

fn host(name: &str) -> String {
    let rules = "[{method: GET, path: /, action: none}]";
    format!("namespace: n\nroutes: [{{hosts: [{name}], audience: mesh, rules: {rules}}}]\n")
}

fn names(policy: &Policy) -> Vec<&str> {
    policy.hosts().iter().flat_map(|host| &host.names).map(String::as_str).collect()
}

/// The errors without the directory, which has another name each time.
fn errors(dir: &Path) -> String {
    load(dir).unwrap_err().to_string().replace(&format!("{}/", dir.display()), "")
}

#[test]
fn policy_files_are_read_by_name_and_others_are_not() {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("b.yaml", host("b.internal")),
        ("a.yml", host("a.internal")),
        ("a.cases.yaml", "cases".to_owned()),
        (".a.yaml.swp.yaml", "[".to_owned()),
        ("README.md", "# Policies".to_owned()),
        ("a.yaml~", "[".to_owned()),
    ] {
        fs::write(dir.path().join(file), text).unwrap();
    }
    assert_eq!(names(&load(dir.path()).unwrap()), ["a.internal", "b.internal"]);
}

#[cfg(unix)]
#[test]
fn a_mounted_config_map_is_read_once() {
    use std::os::unix::fs::symlink;

    let dir = tempfile::tempdir().unwrap();
    let version = dir.path().join("..2026_05_10_08_00_00.1");
    fs::create_dir(&version).unwrap();
    fs::write(version.join("a.yaml"), host("a.internal")).unwrap();
    symlink("..2026_05_10_08_00_00.1", dir.path().join("..data")).unwrap();
    symlink("..data/a.yaml", dir.path().join("a.yaml")).unwrap();
    assert_eq!(names(&load(dir.path()).unwrap()), ["a.internal"]);
}

#[test]
fn errors_name_the_file_in_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), "namespace: n\nx: 1\n").unwrap();
    let path = dir.path().join("a.yaml");
    let error = load(dir.path()).unwrap_err();
    assert_eq!(error.0.len(), 1);
    assert_eq!(
        (error.0[0].file.as_str(), error.0[0].line, error.0[0].column),
        (path.to_str().unwrap(), 2, 1)
    );
}

#[test]
fn what_looks_like_policy_and_is_not_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("deny.rego"), "package writ").unwrap();
    fs::create_dir(dir.path().join("team")).unwrap();
    fs::write(dir.path().join("binary.yaml"), b"namespace: n\nx: \xff\n").unwrap();
    fs::write(dir.path().join("large.yaml"), vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert_eq!(
        errors(dir.path()),
        "binary.yaml:2:4: not UTF-8\n\
         deny.rego: Rego modules are not supported by this version\n\
         large.yaml: larger than 1048576 bytes\n\
         team: a directory inside the policy directory is not read; policy files stand side by side"
    );
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("nowhere.yaml", dir.path().join("a.yaml")).unwrap();
    assert_eq!(errors(dir.path()), "a.yaml: is not a regular file");
}

#[test]
fn files_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    for index in 0..257 {
        fs::write(dir.path().join(format!("{index}.yaml")), "").unwrap();
    }
    let error = load(dir.path()).unwrap_err().to_string();
    assert_eq!(error, format!("{}: more than 256 policy files", dir.path().display()));
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = load(&dir.path().join("none")).unwrap_err().to_string();
    assert!(error.contains("/none: cannot be read: "), "{error}");
}

#[test]
fn a_directory_without_policy_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.cases.yaml"), "cases").unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with(": holds no policy file: none is named `*.yaml` or `*.yml`"), "{error}");
}
