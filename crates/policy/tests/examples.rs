//! The example policies decide what their `*.cases.yaml` say.

mod cases;

use std::{collections::BTreeSet, path::Path};

use cases::{CaseFile, Forge};
use policy::{EXAMPLE, Namespaces, Policy};

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");

fn policies() -> Policy {
    Policy::load(Path::new(POLICIES), &Namespaces::open()).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn each_case_is_decided_as_it_says() {
    let policy = policies();
    let forge = Forge::new(&policy);
    let mut wrong = Vec::new();
    let mut decided = 0;
    for (file, cases) in CaseFile::all(Path::new(POLICIES)) {
        let grants = cases.grants();
        for case in &cases.cases {
            let decision = forge.decide(&cases.client, &grants, case);
            if decision != case.expect {
                wrong.push(format!("{file}: {}: expected {}, got {decision}", case.name, case.expect));
            }
            decided += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(decided >= 30, "only {decided} cases were found");
}

#[test]
fn each_grant_of_a_case_is_within_its_clients_ceilings() {
    let policy = policies();
    for (file, cases) in CaseFile::all(Path::new(POLICIES)) {
        let client = &policy.clients()[&cases.client];
        for grant in cases.grants() {
            let covered = client.may_request.iter().any(|ceiling| grant.covered_by(&ceiling.grant));
            assert!(covered, "{file}: {grant:?}");
        }
    }
}

#[test]
fn every_policy_has_cases_and_every_host_is_tried() {
    let policy = policies();
    let files = CaseFile::all(Path::new(POLICIES));
    let tried: BTreeSet<String> = files
        .iter()
        .flat_map(|(_, file)| file.cases.iter().map(|case| case.request.host.to_lowercase()))
        .map(|host| host.split(':').next().unwrap_or_default().to_owned())
        .collect();
    for host in policy.hosts().iter().flat_map(|host| &host.names) {
        assert!(tried.contains(host), "no case for {host}");
    }
}

#[test]
fn the_embedded_example_is_the_file() {
    let embedded =
        Policy::from_sources(EXAMPLE, &Namespaces::open()).unwrap_or_else(|errors| panic!("{errors}"));
    let janitor = &embedded.clients()["log-janitor"];
    assert_eq!(janitor.namespace, "logs");
    assert!(janitor.agents.iter().any(|agent| agent.matches("spiffe://example.org/agent/janitor-7")));
    let exempt: Vec<_> = embedded.exemptions().map(|open| (open.host.as_str(), open.path.as_str())).collect();
    assert_eq!(exempt, [("logs.internal", "/healthz"), ("logs.ns.svc.cluster.local", "/healthz")]);
    assert_eq!(embedded.audiences().into_iter().collect::<Vec<_>>(), ["mesh"]);
}
