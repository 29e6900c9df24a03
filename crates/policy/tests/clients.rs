//! Clients: how they prove who they are, and the most they may request.

mod support;

use std::time::Duration;

use policy::Authenticate;
use support::{compiled, errors, with_authenticate, with_ceiling};

const PHC: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                   tBTFZ1QbBuwGZ3oUZsxLLqYQ+bZnXrXIRPoEFyCkXxg";

#[test]
fn a_ceiling_is_read_whole() {
    let policy = compiled(&with_ceiling(
        r#"{actions: ["s3:Get*"], resources: ["s3://b/**"], max_ttl: 15m, max_depth: 2, limits: {uses: 3},
          constraints: {price: {max: 0.10000000000000000000001}, p: {glob: "logs/*"}, q: {in: [1, 2.50]}}}"#,
    ));
    let client = &policy.clients()["c"];
    assert_eq!((client.namespace.as_str(), client.agents.len()), ("n", 0));
    let ceiling = &client.may_request[0];
    assert_eq!((ceiling.max_ttl, ceiling.max_depth), (Some(Duration::from_secs(900)), 2));
    assert_eq!(
        serde_json::to_string(&ceiling.grant).unwrap(),
        r#"{"type":"task_grant","actions":["s3:Get*"],"resources":["s3://b/**"],"constraints":{"#.to_owned()
            + r#""p":{"glob":"logs/*"},"price":{"max":0.10000000000000000000001},"q":{"in":[1,2.5]}},"limits":{"uses":3}}"#
    );
}

#[test]
fn a_ceiling_without_a_ttl_has_the_servers_and_is_not_delegated() {
    let policy = compiled(&with_ceiling(r#"{actions: ["s3:Get"], resources: ["s3://b"]}"#));
    let ceiling = &policy.clients()["c"].may_request[0];
    assert_eq!((ceiling.max_ttl, ceiling.max_depth), (None, 0));
}

#[test]
fn what_a_grant_could_not_say_is_located() {
    let ceiling = |members: &str| {
        with_ceiling(&format!(r#"{{actions: ["s3:Get"], resources: ["s3://b"], {members}}}"#))
    };
    for (text, error) in [
        (
            with_ceiling(r#"{actions: ["s3:Get", "Get"], resources: ["s3://b"]}"#),
            "6:30: clients.c.may_request[0].actions[1]: `Get`: an action begins with its namespace, as in `s3:GetObject`",
        ),
        (
            with_ceiling(r#"{actions: ["s3:Get"], resources: ["s3://b/../c"]}"#),
            "6:43: clients.c.may_request[0].resources[0]: `s3://b/../c`: \
             a resource has no empty segment and no segment `.` or `..`",
        ),
        (ceiling("limits: {uses: 0}"), "6:69: clients.c.may_request[0].limits.uses: must be at least 1"),
        (
            ceiling("limits: {uses: null}"),
            "6:69: clients.c.may_request[0].limits.uses: must be a whole number of 1 to 4294967295",
        ),
        (
            ceiling("limits: {uses: 1, per: day}"),
            "6:72: clients.c.may_request[0].limits.per: unknown field; known are `uses`",
        ),
        (
            ceiling("constraints: {p: {like: x}}"),
            "6:72: clients.c.may_request[0].constraints.p.like: \
             unknown field `like`, expected one of `eq`, `in`, `glob`, `min`, `max`",
        ),
        (
            ceiling("constraints: {p: {}}"),
            "6:71: clients.c.may_request[0].constraints.p: must not be an empty mapping",
        ),
        (
            ceiling("constraints: {p: x}"),
            "6:71: clients.c.may_request[0].constraints.p: must be a mapping, not a string",
        ),
        (
            ceiling("constraints: {p: {in: [1, a]}}"),
            "6:72: clients.c.may_request[0].constraints.p.in: values of different types",
        ),
        (
            ceiling("constraints: {p: {max: 1e3}}"),
            "6:77: clients.c.may_request[0].constraints.p.max: \
             `1e3`: a number here is a plain decimal such as `900` or `12.50`; text goes in quotes",
        ),
        (
            ceiling("constraints: {p: {eq: null}}"),
            "6:76: clients.c.may_request[0].constraints.p.eq: must be a scalar or a list of scalars, not nothing",
        ),
        (
            ceiling("constraints: {\"p q\": {eq: 1}}"),
            "6:68: clients.c.may_request[0].constraints.p q: a parameter name has 1 to 64 letters, digits and `_.-`",
        ),
        (
            ceiling("max_ttl: 15"),
            "6:63: clients.c.may_request[0].max_ttl: must be a string, not a number: put it in quotes",
        ),
        (
            ceiling("max_ttl: 15 minutes"),
            "6:63: clients.c.may_request[0].max_ttl: `15 minutes`: \
             a duration is a whole number and a unit, such as `90s`, `15m`, `1h` or `7d`",
        ),
        (ceiling("max_depth: 9"), "6:65: clients.c.may_request[0].max_depth: must be at most 8"),
        (
            ceiling("max_depth: -1"),
            "6:65: clients.c.may_request[0].max_depth: must be a whole number of 0 to 8",
        ),
    ] {
        assert_eq!(errors(&text), format!("p.yaml:{error}"));
    }
}

#[test]
fn lists_are_capped_as_those_of_a_grant_are() {
    let actions = vec![r#""s3:Get""#; 33].join(", ");
    assert_eq!(
        errors(&with_ceiling(&format!(r#"{{actions: [{actions}], resources: ["s3://b"]}}"#))),
        "p.yaml:6:19: clients.c.may_request[0].actions: has more than 32 values"
    );
}

#[test]
fn every_way_to_authenticate_is_read_and_none_is_shown() {
    let hex = "0123456789abcdef".repeat(4);
    let policy = compiled(&with_authenticate(&format!(
        "[{{generated: true}}, {{secret_sha256: \"{hex}\"}}, {{secret_argon2: \"{PHC}\"}}]"
    )));
    let client = &policy.clients()["c"];
    assert!(matches!(
        client.authenticate.as_slice(),
        [Authenticate::Generated, Authenticate::SecretSha256([0x01, 0x23, .., 0xef]), Authenticate::Argon2id(phc)]
            if phc == PHC
    ));
    let shown = format!("{policy:?}");
    assert!(shown.contains("[Generated, SecretSha256(..), Argon2id(..)]"), "{shown}");
}

#[test]
fn a_wrong_hash_is_located_and_not_repeated() {
    for (way, place) in [
        (
            "{secret_sha256: hunter2}",
            "4:35: clients.c.authenticate.secret_sha256: must be 64 hexadecimal digits",
        ),
        ("{secret_argon2: hunter2}", "4:35: clients.c.authenticate.secret_argon2: must be an Argon2id hash"),
        ("[{secret_sha256: hunter2}]", "4:36: clients.c.authenticate[0].secret_sha256: must be 64"),
    ] {
        let error = errors(&with_authenticate(way));
        assert!(error.starts_with(&format!("p.yaml:{place}")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_way_to_authenticate_is_one_way() {
    for way in ["{}", "{generated: true, secret_sha256: \"00\"}"] {
        let error = errors(&with_authenticate(way));
        let expected =
            "clients.c.authenticate: must be exactly one of `generated`, `secret_sha256`, `secret_argon2`";
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(
        errors(&with_authenticate("{generated: false}")),
        "p.yaml:4:31: clients.c.authenticate.generated: must be `true`, or the member left out"
    );
}

#[test]
fn names_and_agents_are_checked() {
    let text = "namespace: n\nclients:\n  \"a:b\":\n    authenticate: {generated: true}\n    agents: [\"x*y\", \"a b\"]\n    \
                may_request: [{actions: [\"s3:*\"], resources: [\"s3://b\"]}]\n";
    assert_eq!(
        errors(text),
        "p.yaml:3:3: clients.a:b: a name has 1 to 64 letters, digits and `_.-`\n\
         p.yaml:5:14: clients.a:b.agents[0]: `x*y`: a pattern has at most one `*`, at its end\n\
         p.yaml:5:21: clients.a:b.agents[1]: `a b`: a pattern has only visible ASCII characters"
    );
}

/// A client with these delegations, in flow style, on line 5.
fn with_delegation(delegation: &str) -> String {
    format!(
        "namespace: n\nclients:\n  c:\n    authenticate: {{generated: true}}\n    may_delegate: [{delegation}]\n    \
         may_request: [{{actions: [\"s3:*\"], resources: [\"s3://b\"]}}]\n"
    )
}

#[test]
fn who_may_delegate_to_whom_is_stated_or_nobody() {
    let policy = compiled(&with_delegation(
        r#"{from: ["a-*"], to: [b, "c-*"]}, {from: [d], to: [e], clients: [other]}"#,
    ));
    let client = &policy.clients()["c"];
    for (starter, from, to, allowed) in [
        ("c", "a-1", "b", true),
        ("c", "a-1", "c-2", true),
        ("c", "a-1", "b2", false),
        ("c", "b", "a-1", false),
        ("c", "a-1", "e", false),
        ("other", "a-1", "b", false),
        ("other", "d", "e", true),
        // Its own need not be listed.
        ("c", "d", "e", true),
        ("third", "d", "e", false),
    ] {
        assert_eq!(client.may_exchange("c", starter, from, to), allowed, "{starter}: {from} to {to}");
    }
    let silent = compiled(&with_authenticate("{generated: true}"));
    assert!(!silent.clients()["c"].may_exchange("c", "c", "a", "a"));
}

#[test]
fn a_delegation_that_says_too_little_or_too_much_is_located() {
    for (delegation, error) in [
        ("{from: [a]}", "5:20: clients.c.may_delegate[0]: `to` is missing"),
        ("{to: [a]}", "5:20: clients.c.may_delegate[0]: `from` is missing"),
        ("{from: [], to: [a]}", "5:27: clients.c.may_delegate[0].from: must not be an empty list"),
        (
            "{from: [\"*a\"], to: [a]}",
            "5:28: clients.c.may_delegate[0].from[0]: `*a`: a pattern has at most one `*`, at its end",
        ),
        (
            "{from: [a], to: [b], clients: [\"a:b\"]}",
            "5:51: clients.c.may_delegate[0].clients[0]: `a:b`: a name has 1 to 64 letters, digits and `_.-`",
        ),
        (
            "{from: [a], to: [b], by: [c]}",
            "5:41: clients.c.may_delegate[0].by: unknown field; known are `from`, `to`, `clients`",
        ),
    ] {
        assert_eq!(errors(&with_delegation(delegation)), format!("p.yaml:{error}"));
    }
}
