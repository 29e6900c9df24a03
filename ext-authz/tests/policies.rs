//! The example policies decide what their `*.cases.yaml` say.

use std::{collections::BTreeSet, path::Path};

use ext_authz::trial::{CaseFile, Trial};
use policy::{Namespaces, Policy};

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");

fn policies() -> (Policy, Vec<CaseFile>) {
    let directory = Path::new(POLICIES);
    let policy = Policy::load(directory, &Namespaces::open()).unwrap_or_else(|errors| panic!("{errors}"));
    let paths = CaseFile::list(directory).unwrap().into_iter();
    let files = paths.map(|path| CaseFile::read(path, &policy).unwrap_or_else(|error| panic!("{error}")));
    let files = files.collect();
    (policy, files)
}

#[test]
fn each_case_is_decided_as_it_says() {
    let (policy, files) = policies();
    let trial = Trial::new(policy.hosts().to_vec()).unwrap();
    let outcomes: Vec<_> = files.iter().flat_map(|file| file.run(&trial).unwrap()).collect();
    let wrong: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_expected()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(outcomes.len() >= 30, "only {} cases were found", outcomes.len());
}

#[test]
fn every_host_is_tried() {
    let (policy, files) = policies();
    let tried: BTreeSet<String> = files
        .iter()
        .flat_map(|file| file.cases().map(|case| case.request.host.to_lowercase()))
        .map(|host| host.split(':').next().unwrap_or_default().to_owned())
        .collect();
    for host in policy.hosts().iter().flat_map(|host| &host.names) {
        assert!(tried.contains(host), "no case for {host}");
    }
}
