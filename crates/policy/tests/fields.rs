//! No field is ignored: an unknown one is an error, and so is one that this version cannot honour.

mod support;

use support::{errors, with_authenticate, with_ceiling, with_host, with_rules};

const ACTION: &str = r#"actions: ["s3:*"], resources: ["s3://b"]"#;

#[test]
fn unknown_fields_are_located_at_every_level() {
    assert_eq!(
        errors("namespace: n\nroute: []\n"),
        "p.yaml:2:1: route: unknown field; known are `namespace`, `clients`, `credentials`, `routes`"
    );
    assert_eq!(
        errors("namespace: n\nclients:\n  c: {agent: a}\n"),
        "p.yaml:3:6: clients.c: `authenticate` is missing\n\
         p.yaml:3:6: clients.c: `may_request` is missing\n\
         p.yaml:3:7: clients.c.agent: unknown field; known are `authenticate`, `agents`, `may_request`, \
         `may_delegate`"
    );
    assert_eq!(
        errors(&with_authenticate("{secret: x}")),
        "p.yaml:4:20: clients.c.authenticate.secret: unknown field; \
         known are `generated`, `secret_sha256`, `secret_argon2`"
    );
    assert_eq!(
        errors(&with_ceiling(&format!("{{{ACTION}, ttl: 1h}}"))),
        "p.yaml:6:52: clients.c.may_request[0].ttl: unknown field; \
         known are `actions`, `resources`, `constraints`, `max_ttl`, `max_depth`"
    );
    assert_eq!(
        errors(&with_host("max_stale: 30s")),
        "p.yaml:5:5: routes[0].max_stale: unknown field; known are `hosts`, `audience`, `rules`, `mode`, `until`, \
         `allow`, `max_staleness`, `require_token`, `credential`"
    );
    assert_eq!(
        errors(&with_rules(&["{method: GET, path: /, action: none, header: x}"])),
        "p.yaml:6:46: routes[0].rules[0].header: unknown field; known are `method`, `path`, `query`, `action`, \
         `resource`, `params`, `body`, `form`, `max_body`, `upgrade`"
    );
    assert_eq!(
        errors(&with_rules(&[r#"{method: GET, path: "/{a}", action: "n:A", resource: "n://{a}",
         params: {a: {from: path.a, kind: number}}}"#])),
        "p.yaml:7:37: routes[0].rules[0].params.a.kind: unknown field; known are `from`, `type`"
    );
}

#[test]
fn what_this_version_lacks_is_refused() {
    for (text, error) in [
        (with_host("mcp: {path: /mcp, server: github}"), "5:5: routes[0].mcp: `mcp` is"),
        (with_host("rego: [m]"), "5:5: routes[0].rego: `rego` is"),
        (with_host("require_token: {from: [a]}"), "5:20: routes[0].require_token: anything but `always` is"),
        (with_host("require_token: never"), "5:20: routes[0].require_token: anything but `always` is"),
        (
            with_rules(&["{method: GET, path: /, action: none, rego: [m]}"]),
            "6:46: routes[0].rules[0].rego: `rego` is",
        ),
        (
            with_ceiling(&format!("{{{ACTION}, limits: {{uses: 1}}}}")),
            "6:52: clients.c.may_request[0].limits: `limits` is",
        ),
        (with_authenticate("{jwks: {}}"), "4:20: clients.c.authenticate.jwks: `jwks` is"),
        (with_authenticate("{spiffe: x}"), "4:20: clients.c.authenticate.spiffe: `spiffe` is"),
        (with_authenticate("{federated: {}}"), "4:20: clients.c.authenticate.federated: `federated` is"),
    ] {
        assert_eq!(errors(&text), format!("p.yaml:{error} not supported by this version"));
    }
}

#[test]
fn requiring_a_token_always_is_the_default_and_may_be_said() {
    assert_eq!(support::compiled(&with_host("require_token: always")).hosts().len(), 1);
}

#[test]
fn missing_fields_are_located_at_what_lacks_them() {
    assert_eq!(errors("clients:\n  c: {}\n").lines().next(), Some("p.yaml:1:1: `namespace` is missing"));
    assert_eq!(
        errors("namespace: n\nroutes:\n  - hosts: [a.internal]\n"),
        "p.yaml:3:5: routes[0]: `audience` is missing\np.yaml:3:5: routes[0]: `rules` is missing"
    );
    assert_eq!(
        errors(&with_rules(&["{}"])),
        "p.yaml:6:9: routes[0].rules[0]: `action` is missing\n\
         p.yaml:6:9: routes[0].rules[0]: `method` is missing\n\
         p.yaml:6:9: routes[0].rules[0]: `path` is missing"
    );
}

#[test]
fn empty_lists_and_mappings_say_nothing_and_are_refused() {
    assert_eq!(errors("namespace: n\nroutes: []\n"), "p.yaml:2:9: routes: must not be an empty list");
    assert_eq!(errors("namespace: n\nclients: {}\n"), "p.yaml:2:10: clients: must not be an empty mapping");
    assert_eq!(errors("namespace: n\nclients:\n"), "p.yaml:2:8: clients: must be a mapping, not nothing");
    assert_eq!(
        errors(&with_ceiling(r#"{actions: [], resources: ["s3://b"]}"#)),
        "p.yaml:6:19: clients.c.may_request[0].actions: must not be an empty list"
    );
}
