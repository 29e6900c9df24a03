//! The example that is built in.

use policy::{EXAMPLE, Namespaces, Policy};

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
