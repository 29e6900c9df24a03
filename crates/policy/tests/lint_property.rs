//! What lint calls unreachable, no request reaches; and a rule that no request reaches, lint calls unreachable.

mod support;

use std::{cell::Cell, collections::BTreeSet};

use policy::{
    Policy,
    lint::{Code, lint},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use support::{
    compiled,
    generated::{grant, policy, segments, value},
    judge::{Judge, Line},
    with_rules,
};
use verdict::Grant;

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

/// The lines of findings of this code.
fn lines(policy: &Policy, code: Code) -> BTreeSet<u32> {
    let of_code = |finding: &policy::lint::Finding| finding.code == code;
    lint(policy)
        .into_iter()
        .filter(of_code)
        .filter_map(|finding| finding.place.map(|place| place.line))
        .collect()
}

/// Every path of up to four of these segments, of which no rule has the last as a literal.
fn all_paths() -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut longest = paths.clone();
    for _ in 0..4 {
        longest =
            longest.iter().flat_map(|path| ["a", "b", "z"].map(|last| format!("{path}/{last}"))).collect();
        paths.extend(longest.iter().cloned());
    }
    paths.into_iter().map(|path| if path.is_empty() { "/".to_owned() } else { path }).collect()
}

#[test]
fn exactly_the_rules_that_no_path_comes_to_are_shadowed() {
    let step = prop_oneof![Just("a"), Just("b"), Just("{x}"), Just("{x}")];
    let path = (vec(step, 0..3), prop::bool::weighted(0.5)).prop_map(|(mut steps, deep)| {
        for (index, step) in steps.iter_mut().enumerate() {
            *step = if *step == "{x}" { ["{x}", "{y}"][index.min(1)] } else { step };
        }
        if deep {
            steps.push("{*r}");
        }
        format!("/{}", steps.join("/"))
    });
    let shadowed = Cell::new(0);
    runner(150)
        .run(&vec((any::<bool>(), path), 6..14), |rules| {
            let mut known = BTreeSet::new();
            let shape = |path: &str| path.replace("{y}", "{x}");
            let rules: Vec<_> =
                rules.into_iter().filter(|(get, path)| known.insert((*get, shape(path)))).collect();
            let written: Vec<String> = rules
                .iter()
                .enumerate()
                .map(|(index, (get, path))| {
                    let method = if *get { "GET" } else { "PUT" };
                    format!(r#"{{method: {method}, path: "{path}", action: "m:{index}", resource: "m://m"}}"#)
                })
                .collect();
            let written: Vec<&str> = written.iter().map(String::as_str).collect();
            let policy = compiled(&with_rules(&written));
            let judge = Judge::of(&policy);
            let grant = r#"[{"type":"task_grant","actions":["m:*"],"resources":["m://m"]}]"#;
            let token = judge.token(&Grant::parse_list(grant.as_bytes()).unwrap());
            let mut matched = BTreeSet::new();
            for path in all_paths() {
                for method in ["GET", "PUT"] {
                    let line = Line { method, host: "a.internal", path: &path, headers: &[] };
                    matched.extend(judge.decide(&token, &line).ok());
                }
            }
            let never: BTreeSet<u32> = (0..rules.len())
                .filter(|index| !matched.contains(&format!("m:{index}")))
                .map(|index| u32::try_from(index).unwrap() + 6)
                .collect();
            shadowed.set(shadowed.get() + never.len());
            prop_assert_eq!(lines(&policy, Code::RuleShadowed), never, "{:?}", rules);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(shadowed.get() > 20, "{}", shadowed.get());
}

#[test]
fn no_request_is_within_a_ceiling_that_opens_nothing() {
    let (unreachable, ungranted) = (Cell::new(0), Cell::new(0));
    let requests = vec((segments(), value(), value()), 16);
    runner(200)
        .run(&(policy(), vec(grant(), 1..4), requests), |(policy, grants, requests)| {
            let policy = with_ceilings(&policy, &grants);
            let judge = Judge::of(&policy);
            let closed = lines(&policy, Code::CeilingUnreachable);
            let unasked = lines(&policy, Code::RuleUngranted);
            let hosts = lines(&policy, Code::HostUnreached);
            unreachable.set(unreachable.get() + closed.len());
            ungranted.set(ungranted.get() + unasked.len());
            for (index, grant) in grants.iter().enumerate() {
                let token = judge.token(std::slice::from_ref(grant));
                let line = u32::try_from(index).unwrap() + FIRST_CEILING;
                for (segments, query, header) in &requests {
                    let query = query.as_ref().map(|value| format!("?q={value}")).unwrap_or_default();
                    let path = format!("/{}{query}", segments.join("/"));
                    let headers: Vec<_> =
                        header.iter().map(|value| ("h".to_owned(), value.clone())).collect();
                    for method in ["GET", "PUT"] {
                        let request = Line { method, host: "a.internal", path: &path, headers: &headers };
                        if judge.decide(&token, &request).is_ok() {
                            prop_assert!(!closed.contains(&line), "{} {} {:?}", method, path, grant);
                            prop_assert!(hosts.is_empty(), "{} {} {:?}", method, path, grant);
                            let rules = matching(&policy, method, segments);
                            prop_assert!(!rules.is_subset(&unasked), "{} {} {:?}", method, path, grant);
                        }
                    }
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(unreachable.get() > 50 && ungranted.get() > 50, "{} {}", unreachable.get(), ungranted.get());
}

/// The line of the first ceiling.
const FIRST_CEILING: u32 = 6;

/// The policy with a client that may request these.
fn with_ceilings(policy: &Policy, grants: &[Grant]) -> Policy {
    let ceilings = grants.iter().map(|grant| {
        let mut ceiling = serde_json::to_value(grant).unwrap();
        ceiling.as_object_mut().unwrap().remove("type");
        format!("      - {ceiling}\n")
    });
    let ceilings: String = ceilings.collect();
    let rules = policy.hosts()[0]
        .rules
        .iter()
        .map(|rule| format!("      - {}\n", serde_json::to_string(rule).unwrap()));
    let rules: String = rules.collect();
    compiled(&format!(
        "namespace: n\nclients:\n  c:\n    authenticate: {{generated: true}}\n    may_request:\n{ceilings}routes:\n  \
         - hosts: [a.internal]\n    audience: mesh\n    rules:\n{rules}"
    ))
}

/// The lines of all rules that have this method and a path of this shape, one of which is the request's.
fn matching(policy: &Policy, method: &str, segments: &[String]) -> BTreeSet<u32> {
    let fits = |path: &str| {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let deep = parts.last().is_some_and(|last| last.starts_with("{*"));
        let long_enough = if deep { segments.len() >= parts.len() } else { segments.len() == parts.len() };
        long_enough
            && parts.iter().zip(segments).all(|(part, segment)| part.starts_with('{') || part == segment)
    };
    let rules = policy.hosts()[0].rules.iter().enumerate();
    rules
        .filter(|(_, rule)| rule.method == method && fits(&rule.path))
        .filter_map(|(index, _)| policy.rule_place(0, index).map(|place| place.line))
        .collect()
}
