//! What lint finds, and where.

mod support;

use policy::{
    Namespaces, Policy,
    lint::{Code, Level, lint},
};
use support::compiled;

/// Findings as `code:line`.
fn found(text: &str) -> Vec<String> {
    let place = |finding: &policy::lint::Finding| finding.place.as_ref().map_or(0, |place| place.line);
    lint(&compiled(text)).iter().map(|finding| format!("{}:{}", finding.code, place(finding))).collect()
}

/// The one finding of this code, in words.
fn sentence(text: &str, code: Code) -> String {
    let findings = lint(&compiled(text));
    let mut found = findings.iter().filter(|finding| finding.code == code);
    let sentence = found.next().unwrap_or_else(|| panic!("no {code}: {findings:?}")).what.clone();
    assert_eq!(found.next(), None);
    sentence
}

/// A policy with a client of these ceilings, the first on line 6, and a host of these rules.
fn policy(ceilings: &[&str], rules: &[&str]) -> String {
    let list = |items: &[&str]| items.iter().map(|item| format!("      - {item}\n")).collect::<String>();
    format!(
        "namespace: n\nclients:\n  c:\n    authenticate: {{generated: true}}\n    may_request:\n{}routes:\n  \
         - hosts: [a.internal]\n    audience: mesh\n    rules:\n{}",
        list(ceilings),
        list(rules)
    )
}

const GET: &str = r#"{method: GET, path: "/{b}/{*key}", action: "s3:Get", resource: "s3://{b}/{key}"}"#;
const LIST: &str = r#"{method: GET, path: "/{b}", query: {prefix: optional}, action: "s3:List", resource: "s3://{b}", params: {prefix: query.prefix}}"#;
const ONE: &str = r#"{actions: ["s3:Get"], resources: ["s3://b/**"]}"#;

#[test]
fn nothing_is_found_where_all_is_in_use() {
    let list = r#"{actions: ["s3:List"], resources: ["s3://b"], constraints: {prefix: {glob: "logs/*"}}, max_ttl: 1m}"#;
    assert_eq!(found(&policy(&[ONE, list], &[GET, LIST])), [""; 0]);
}

#[test]
fn the_shipped_policies_have_exemptions_only() {
    for directory in ["policies", "tests/corpus/policy"] {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(directory);
        let policy =
            Policy::load(&directory, &Namespaces::open()).unwrap_or_else(|errors| panic!("{errors}"));
        let warnings: Vec<_> = lint(&policy)
            .into_iter()
            .filter(|finding| finding.code.level() == Level::Warning)
            // The corpus tries rules without asking for tokens, so most of its hosts have no client.
            .filter(|finding| !(directory.ends_with("corpus/policy") && is_unasked(finding.code)))
            .collect();
        assert_eq!(warnings, [], "{}", directory.display());
    }
}

/// The policy of the manifests of a mesh is text of a ConfigMap.
#[test]
fn nothing_is_found_in_the_policy_of_the_mesh() {
    let manifests = include_str!("../../../envoy/istio/writ.yaml");
    let (_, after) = manifests.split_once("  logs.yaml: |\n").unwrap();
    let lines = after.lines().map_while(|line| line.strip_prefix("    "));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    assert!(text.contains("may_request"), "{text}");
    assert_eq!(found(&text), [""; 0]);
}

fn is_unasked(code: Code) -> bool {
    matches!(code, Code::HostUnreached | Code::RuleUngranted)
}

#[test]
fn exemptions_and_shadow_mode_are_listed() {
    let text = policy(
        &[ONE],
        &[
            GET,
            r#"{method: GET, path: "/healthz", action: none}"#,
            r#"{method: POST, path: "/hooks/{*any}", action: none, body: opaque}"#,
        ],
    );
    assert_eq!(found(&text), ["exempt:12", "exempt:13", "exempt-broad:13"]);
    assert_eq!(
        sentence(&text, Code::ExemptBroad),
        "the rule `POST /hooks/{*any}` of a.internal needs no token, and has many paths and does more than read and \
         takes a body"
    );
    let shadow = text.replace("audience: mesh", "audience: mesh\n    mode: shadow\n    until: 2999-01-01");
    assert!(found(&shadow).contains(&"shadow:8".to_owned()));
}

#[test]
fn a_rule_whose_paths_are_all_taken_never_matches() {
    let wide = r#"{method: GET, path: "/{*all}", action: "s3:Get", resource: "s3://b/{all}"}"#;
    let one = r#"{method: PUT, path: "/{one}", action: none}"#;
    let more = r#"{method: PUT, path: "/{one}/{*more}", action: none}"#;
    let code = |rules: &[&str]| found(&policy(&[ONE], rules)).contains(&"rule-shadowed:11".to_owned());
    assert!(code(&[wide, one, more]));
    assert!(!code(&[wide, one]) && !code(&[wide, more]));
    let literal = r#"{method: PUT, path: "/b/{x}", action: none}"#;
    assert!(!code(&[wide, one, literal]), "other first segments are left");
    assert_eq!(
        sentence(&policy(&[ONE], &[wide, one, more]), Code::RuleShadowed),
        "the rule `GET /{*all}` of a.internal never matches: narrower paths are tried first and take all of its paths: \
         `/{one}`, `/{one}/{*more}`"
    );
}

#[test]
fn a_rule_whose_requests_are_all_refused_never_matches() {
    let rule = r#"{method: GET, path: "/x", action: "s3:{header.x-original-url}", resource: "s3://b"}"#;
    assert_eq!(found(&policy(&[ONE], &[GET, rule])), ["rule-impossible:12"]);
    assert_eq!(
        sentence(&policy(&[ONE], &[GET, rule]), Code::RuleImpossible),
        "the rule `GET /x` of a.internal never matches: its action or its resource is made of a value that is refused \
         wherever it comes"
    );
    let deep = format!(r#"{{method: GET, path: "{}", action: none}}"#, "/a".repeat(129));
    assert!(found(&policy(&[ONE], &[GET, &deep])).contains(&"rule-impossible:12".to_owned()));
    assert!(
        !found(&policy(&[ONE], &[GET, &deep.replacen("/a", "", 1)]))
            .contains(&"rule-impossible:12".to_owned())
    );
    // A parameter that no request has is no bound that any meets.
    let param = LIST.replace("query.prefix", "header.x-method-override");
    let bounded = r#"{actions: ["s3:List"], resources: ["s3://b"], constraints: {prefix: {glob: "*"}}}"#;
    assert_eq!(found(&policy(&[bounded], &[&param])), ["ceiling-unreachable:6", "host-unreached:8"]);
}

#[test]
fn rules_and_hosts_that_no_ceiling_reaches_are_told_once() {
    assert_eq!(found(&policy(&[ONE], &[GET, LIST])), ["rule-ungranted:12"]);
    let other = r#"{actions: ["s3:Other"], resources: ["s3://b"]}"#;
    assert_eq!(found(&policy(&[other], &[GET, LIST])), ["ceiling-unreachable:6", "host-unreached:8"]);
    let health = r#"{method: GET, path: "/healthz", action: none}"#;
    assert_eq!(found(&policy(&[other], &[health])), ["ceiling-unreachable:6", "exempt:11"]);
}

#[test]
fn a_ceiling_that_opens_nothing_says_why() {
    for (ceiling, why) in [
        (r#"{actions: ["s3:Gett"], resources: ["s3://b/**"]}"#, "no rule yields any of its actions"),
        (
            r#"{actions: ["s3:List"], resources: ["s3://b/x"]}"#,
            "the rule `GET /{b}` of a.internal yields such an action, but on other resources",
        ),
        (
            r#"{actions: ["s3:Get"], resources: ["s3://b/**"], constraints: {prefix: {eq: a}}}"#,
            "the rule `GET /{b}/{*key}` of a.internal has no parameter `prefix`, which it constrains",
        ),
        (
            r#"{actions: ["s3:List"], resources: ["s3://b"], constraints: {prefix: {min: 1}}}"#,
            "no request of the rule `GET /{b}` of a.internal is within all of its constraints",
        ),
        (
            r#"{actions: ["s3:List"], resources: ["s3://b"], constraints: {prefix: {eq: a, in: [b, c]}}}"#,
            "no request of the rule `GET /{b}` of a.internal is within all of its constraints",
        ),
    ] {
        assert_eq!(
            sentence(&policy(&[ceiling], &[GET, LIST]), Code::CeilingUnreachable),
            format!("a ceiling of client `c` opens nothing: {why}")
        );
    }
    let write = GET.replace("method: GET", "method: PUT");
    let both = [GET, &write];
    for (ceiling, why) in [
        (
            r#"{actions: ["s3:Get"], resources: ["s3://b/**"], constraints: {nope: {eq: a}}}"#,
            "2 rules, such as `GET /{b}/{*key}` of a.internal, have no parameter `nope`, which it constrains",
        ),
        (
            r#"{actions: ["s3:Get"], resources: ["s3://b"]}"#,
            "2 rules, such as `GET /{b}/{*key}` of a.internal, yield such an action, but on other resources",
        ),
    ] {
        let sentence = sentence(&policy(&[ceiling], &both), Code::CeilingUnreachable);
        assert_eq!(sentence, format!("a ceiling of client `c` opens nothing: {why}"));
    }
    // Its one path is another rule's.
    let taken = r#"{actions: ["s3:List"], resources: ["s3://healthz"]}"#;
    let health = r#"{method: GET, path: "/healthz", action: none}"#;
    assert!(found(&policy(&[taken], &[LIST, health])).contains(&"ceiling-unreachable:6".to_owned()));
}

#[test]
fn a_credential_that_no_route_sends_is_told() {
    let credentials = "credentials:\n  key: {clusters: [a], inject: {header: x-key}, secret: {env: A}}\n";
    let unused = policy(&[ONE], &[GET]) + credentials;
    assert_eq!(found(&unused), ["credential-unused:13"]);
    assert_eq!(sentence(&unused, Code::CredentialUnused), "no route sends the credential `n/key`");
    let used = unused.replace("audience: mesh", "audience: mesh\n    credential: key");
    assert_eq!(found(&used), [""; 0]);
}

#[test]
fn a_pattern_without_use_is_told_beside_one_that_has_some() {
    let ceiling = r#"{actions: ["s3:Get", "s3:Gett"], resources: ["s3://b/**", "s3://c", "s3://b/x"]}"#;
    let text = policy(&[ceiling], &[GET]);
    assert_eq!(found(&text), ["pattern-unreachable:6", "pattern-unreachable:6", "pattern-covered:6"]);
    assert_eq!(
        sentence(&text, Code::PatternCovered),
        "`s3://b/x` in a ceiling of client `c` is within `s3://b/**` beside it"
    );
}

#[test]
fn ceilings_within_others_and_across_others_are_told() {
    let long = r#"{actions: ["s3:Get"], resources: ["s3://b/x/**"], max_ttl: 10m}"#;
    let short = r#"{actions: ["s3:Get"], resources: ["s3://b/*/y"], max_ttl: 1m}"#;
    let within = r#"{actions: ["s3:Get"], resources: ["s3://b/x/y"], max_ttl: 1m}"#;
    let apart = r#"{actions: ["s3:Get"], resources: ["s3://c/x/y"], max_ttl: 2m}"#;
    assert_eq!(found(&policy(&[long, within], &[GET])), ["ceiling-covered:7"]);
    assert_eq!(found(&policy(&[within, long], &[GET])), ["ceiling-covered:6"]);
    assert_eq!(found(&policy(&[long, long], &[GET])), ["ceiling-covered:7"]);
    assert_eq!(found(&policy(&[long, short], &[GET])), ["ceiling-overlap:7"]);
    assert_eq!(found(&policy(&[long, apart], &[GET])), [""; 0]);
    let equal = short.replace("1m", "10m");
    assert_eq!(found(&policy(&[long, &equal], &[GET])), [""; 0], "which of them counts makes no difference");
    assert_eq!(
        sentence(&policy(&[long, short], &[GET]), Code::CeilingOverlap),
        "a ceiling of client `c` and the one at p.yaml:6 cover requests of the rule `GET /{b}/{*key}` of a.internal in \
         common, with another `max_ttl`, `max_depth` or limit: for those the wider one counts"
    );
}

#[test]
fn what_is_too_broad_is_told() {
    let wide = r#"{actions: ["s3:*"], resources: ["s3://**"]}"#;
    assert_eq!(found(&policy(&[wide], &[GET])), ["action-broad:6", "resource-broad:6"]);
    let any = r#"{actions: ["s3:G*"], resources: ["s3://*/x/**", "s3://b*/**"]}"#;
    assert_eq!(found(&policy(&[any], &[GET])), ["resource-broad:6"]);
    let agents = "generated: true}\n    agents: [\"spiffe://*\", \"a*\"]\n    may_delegate: [{from: [\"*\"], to: [b]}]";
    let text = policy(&[ONE], &[GET]).replace("generated: true}", agents);
    assert_eq!(found(&text), ["agent-broad:3", "agent-broad:3"]);
}

#[test]
fn a_value_that_is_needed_is_required() {
    let rule =
        r#"{method: GET, path: "/", query: {Id: optional}, action: "s3:Get", resource: "s3://b/{query.Id}"}"#;
    assert_eq!(found(&policy(&[ONE], &[rule])), ["rule-optional:11"]);
    assert_eq!(found(&policy(&[ONE], &[&rule.replace("optional", "required")])), [""; 0]);
    let form = rule.replace("GET", "POST").replace("query", "form");
    assert_eq!(found(&policy(&[ONE], &[&form])), ["rule-optional:11"]);
}

#[test]
fn every_code_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    let documented = include_str!("../../../policies/README.md");
    for code in Code::ALL {
        let row = format!("| `{code}` | {} |", code.level().as_str());
        assert!(documented.contains(&row), "{row}");
    }
}
