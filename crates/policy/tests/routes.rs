//! What is wrong with a route is found at its line, in the words of the verdict.

mod support;

use policy::{Namespaces, Policy};
use support::{compiled, errors, with_host, with_rules};
use verdict::document::{BodyDocument, Leniency, Mode, ParamType, Presence};

/// The places of errors, without reasons.
fn places(errors: &str) -> Vec<String> {
    errors.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect()
}

#[test]
fn a_rule_is_read_whole() {
    let policy =
        compiled(&with_rules(&[r#"{method: POST, path: "/{a}/{*b}", query: {q: required, r: optional},
          action: "n:{query.q}", resource: "n://{a}/{b}", body: opaque, upgrade: [websocket],
          params: {p: query.q, n: {from: query.r, type: number}, h: {from: header.x-y, type: boolean}}}"#]));
    let rule = &policy.hosts()[0].rules[0];
    assert_eq!((rule.method.as_str(), rule.path.as_str()), ("POST", "/{a}/{*b}"));
    assert_eq!((rule.query["q"], rule.query["r"]), (Presence::Required, Presence::Optional));
    assert_eq!((rule.action.as_str(), rule.resource.as_deref()), ("n:{query.q}", Some("n://{a}/{b}")));
    assert_eq!((rule.body, rule.upgrade.as_slice()), (BodyDocument::Opaque, &["websocket".to_owned()][..]));
    let param = |name: &str| (rule.params[name].from.as_str(), rule.params[name].kind);
    assert_eq!(param("p"), ("query.q", ParamType::String));
    assert_eq!(param("n"), ("query.r", ParamType::Number));
    assert_eq!(param("h"), ("header.x-y", ParamType::Boolean));
}

#[test]
fn a_placeholder_may_be_called_form() {
    let rule = r#"{method: GET, path: "/{form}", action: "n:A", resource: "n://{form}"}"#;
    assert_eq!(compiled(&with_rules(&[rule])).hosts().len(), 1);
}

#[test]
fn unknown_placeholders_and_undeclared_names_are_located() {
    for (rule, place) in [
        (
            r#"{method: GET, path: "/{a}", action: "n:A", resource: "n://{b}"}"#,
            "6:62: routes[0].rules[0].resource: `{b}`",
        ),
        (
            r#"{method: GET, path: "/{a}", action: "n:{b}", resource: "n://x"}"#,
            "6:45: routes[0].rules[0].action: `{b}`",
        ),
        (
            r#"{method: GET, path: "/{a}", action: "n:{query.b}", resource: "n://x"}"#,
            "6:45: routes[0].rules[0].action: `query.b` is not declared",
        ),
        (
            r#"{method: GET, path: "/{a}", action: "n:A", resource: "n://x", params: {p: path.b}}"#,
            "6:83: routes[0].rules[0].params.p: `b`",
        ),
        (
            r#"{method: GET, path: "/{a}", action: "n:A", resource: "n://x", params: {p: {from: path.b}}}"#,
            "6:90: routes[0].rules[0].params.p.from: `b`",
        ),
        (
            r#"{method: GET, path: "/{a}", action: "n:A", resource: "n://x", params: {p: cookie.b}}"#,
            "6:83: routes[0].rules[0].params.p: `cookie.b`",
        ),
        (r#"{method: GET, path: "/{a}", action: "n:A"}"#, "6:9: routes[0].rules[0].resource: missing"),
        (
            r#"{method: GET, path: "/", action: none, resource: "n://x"}"#,
            "6:58: routes[0].rules[0].resource: ",
        ),
        (r#"{method: GET, path: "a", action: none}"#, "6:29: routes[0].rules[0].path: "),
        (r#"{method: GET, path: "/a//b", action: none}"#, "6:29: routes[0].rules[0].path: "),
        (r#"{method: GET, path: "/{*a}/b", action: none}"#, "6:29: routes[0].rules[0].path: "),
    ] {
        let error = errors(&with_rules(&[rule]));
        assert!(error.starts_with(&format!("p.yaml:{place}")), "{rule}: {error}");
        assert!(!error.contains('\n'), "{rule}: {error}");
    }
}

#[test]
fn words_are_of_closed_sets() {
    for (rule, error) in [
        (
            r#"{method: GET, path: "/", query: {q: maybe}, action: none}"#,
            "6:45: routes[0].rules[0].query.q: `maybe` is unknown; known are `optional`, `required`",
        ),
        (
            r#"{method: GET, path: "/", body: xml, action: none}"#,
            "6:40: routes[0].rules[0].body: `xml` is unknown; known are `none`, `opaque`, `json`, `form`",
        ),
        (
            r#"{method: GET, path: "/{a}", action: "n:A", resource: "n://x", params: {p: {from: path.a, type: float}}}"#,
            "6:104: routes[0].rules[0].params.p.type: `float` is unknown; known are `string`, `number`, `boolean`",
        ),
    ] {
        assert_eq!(errors(&with_rules(&[rule])), format!("p.yaml:{error}"));
    }
}

#[test]
fn a_rule_that_can_never_match_is_an_error() {
    assert_eq!(
        errors(&with_rules(&[
            r#"{method: GET, path: "/a/{x}", action: none}"#,
            r#"{method: POST, path: "/a/{y}", action: none}"#,
            r#"{method: GET, path: "/a/{z}", action: none}"#,
        ])),
        "p.yaml:8:29: routes[0].rules[2].path: never matches: rule 0 has the same method and the same path shape"
    );
    for method in ["get", "CONNECT", "G T"] {
        let error = errors(&with_rules(&[&format!(r#"{{method: {method}, path: "/", action: none}}"#)]));
        assert!(error.starts_with("p.yaml:6:18: routes[0].rules[0].method: "), "{error}");
    }
}

#[test]
fn faults_of_several_rules_are_all_reported() {
    let error = errors(&with_rules(&[
        r#"{method: get, path: "/a", action: none}"#,
        r#"{method: GET, path: "/b", action: none}"#,
        r#"{method: GET, path: "c", action: none}"#,
        r#"{method: GET, path: "/d", action: none, header: x}"#,
    ]));
    assert_eq!(
        places(&error),
        [
            "p.yaml:6:18: routes[0].rules[0].method",
            "p.yaml:8:29: routes[0].rules[2].path",
            "p.yaml:9:49: routes[0].rules[3].header"
        ]
    );
}

#[test]
fn host_members_are_read() {
    let policy = compiled(&with_host(
        "max_staleness: 2m\n    allow: [semicolon, trailing_slash]\n    mode: shadow\n    until: 2026-05-10",
    ));
    let host = &policy.hosts()[0];
    assert_eq!(host.max_staleness, 120);
    assert_eq!(host.allow, [Leniency::Semicolon, Leniency::TrailingSlash]);
    assert_eq!(host.mode, Mode::Shadow { until: 1_778_371_200 });
    let plain = compiled(&with_host("mode: enforce"));
    assert_eq!((plain.hosts()[0].mode, plain.hosts()[0].max_staleness), (Mode::Enforce, 30));
}

#[test]
fn host_members_that_cannot_be_are_refused() {
    for (members, error) in [
        (
            "mode: shadow",
            "5:11: routes[0].mode: `shadow` needs `until`, the instant from which denials are enforced",
        ),
        ("until: 2026-05-10", "5:12: routes[0].until: has a meaning only with `mode: shadow`"),
        ("mode: off", "5:11: routes[0].mode: `off` is unknown; known are `enforce`, `shadow`"),
        ("max_staleness: 0s", "5:20: routes[0].max_staleness: `0s`: a duration must not be zero"),
        (
            "max_staleness: 30",
            "5:20: routes[0].max_staleness: must be a string, not a number: put it in quotes",
        ),
        (
            "allow: [slash]",
            "5:13: routes[0].allow[0]: `slash` is unknown; known are `trailing_slash`, `semicolon`",
        ),
        ("allow: [semicolon, semicolon]", "5:24: routes[0].allow[1]: is already listed"),
    ] {
        assert_eq!(errors(&with_host(members)), format!("p.yaml:{error}"));
    }
    let error = errors(&with_host("mode: shadow\n    until: soon"));
    assert!(error.starts_with("p.yaml:6:12: routes[0].until: `soon`: an instant is a date"), "{error}");
}

#[test]
fn each_host_name_that_is_none_is_located() {
    let text = "namespace: n\nroutes:\n  - hosts: [A.internal, ok.internal, \"a.internal:80\", \"a/b\"]\n    \
                audience: mesh\n    rules: [{method: GET, path: /, action: none}]\n";
    let error = errors(text);
    let places = places(&error);
    assert_eq!(
        places,
        [
            "p.yaml:3:13: routes[0].hosts[0]",
            "p.yaml:3:38: routes[0].hosts[2]",
            "p.yaml:3:55: routes[0].hosts[3]"
        ],
        "{error}"
    );
}

#[test]
fn exemptions_are_listed_with_their_lines() {
    let text = with_rules(&[
        r#"{method: GET, path: "/{a}", action: "n:A", resource: "n://{a}"}"#,
        r#"{method: GET, path: "/healthz", action: none}"#,
    ]);
    let policy = Policy::from_sources(&[("dir/p.yaml", &text)], &Namespaces::open()).unwrap();
    let open: Vec<_> = policy.exemptions().collect();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].file.as_str(), open[0].line), ("dir/p.yaml", 7));
    assert_eq!(
        (open[0].host.as_str(), open[0].method.as_str(), open[0].path.as_str()),
        ("a.internal", "GET", "/healthz")
    );
}
