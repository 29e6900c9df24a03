//! "Covered by" never says yes wrongly: whatever the covered one allows, the covering one allows. Alphabets are
//! tiny so that coverings and matches are frequent; a count proves that yes was said often enough to mean something.

use std::cell::Cell;

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use verdict::grant::{ActionPattern, Grant, Predicates, ResourcePattern, Scalar, glob::Glob};

fn action_text() -> impl Strategy<Value = String> {
    "(s|rds):[AB]{1,3}"
}

fn action_pattern() -> impl Strategy<Value = String> {
    prop_oneof![action_text(), "(s|rds):[AB]{0,2}\\*"]
}

fn resource_text() -> impl Strategy<Value = String> {
    vec("[ab]{1,3}", 1..4).prop_map(|segments| format!("s://{}", segments.join("/")))
}

fn resource_pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof!["[ab]{1,2}", "[ab]{0,1}\\*[ab]{0,1}"];
    (vec(segment, 0..3), any::<bool>()).prop_filter_map("a resource has a segment", |(mut segments, deep)| {
        if deep {
            segments.push("**".into());
        }
        (!segments.is_empty()).then(|| format!("s://{}", segments.join("/")))
    })
}

fn glob() -> impl Strategy<Value = String> {
    "[ab/]{0,2}\\*?[ab/]{0,2}\\*?[ab]{0,1}".prop_filter("a glob", |text| Glob::try_from(text.clone()).is_ok())
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab/.]{0,4}".prop_map(|text| format!("{text:?}")),
        "-?[0-3](\\.[05])?",
        Just("true".to_owned()),
        Just("false".to_owned()),
    ]
}

fn predicates() -> impl Strategy<Value = String> {
    let list = vec(value(), 1..4);
    let one = prop_oneof![
        value().prop_map(|value| format!(r#""eq":{value}"#)),
        list.prop_map(|values| format!(r#""in":[{}]"#, values.join(","))),
        glob().prop_map(|glob| format!(r#""glob":{glob:?}"#)),
        "[0-3](\\.[05])?".prop_map(|min| format!(r#""min":{min}"#)),
        "[0-3](\\.[05])?".prop_map(|max| format!(r#""max":{max}"#)),
    ];
    vec(one, 1..3).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn grant() -> impl Strategy<Value = String> {
    let constraints = prop::option::of(vec(("[xy]", predicates()), 1..3));
    let limits = prop::option::of(1u32..3);
    (vec(action_pattern(), 1..3), vec(resource_pattern(), 1..3), constraints, limits).prop_map(
        |(actions, resources, constraints, limits)| {
            let constraints = constraints.map_or(String::new(), |list| {
                let members: Vec<String> = list.iter().map(|(name, all)| format!("{name:?}:{all}")).collect();
                format!(r#","constraints":{{{}}}"#, members.join(","))
            });
            let limits = limits.map_or(String::new(), |uses| format!(r#","limits":{{"uses":{uses}}}"#));
            format!(r#"[{{"type":"task_grant","actions":{actions:?},"resources":{resources:?}{constraints}{limits}}}]"#)
        },
    )
}

/// Runs `check` on many samples; it returns whether the covering was claimed, and at least `wanted` must be.
fn claimed_at_least<S: Strategy>(
    wanted: usize,
    strategy: &S,
    check: impl Fn(S::Value) -> Result<bool, TestCaseError>,
) {
    let claimed = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 8_000,
        max_global_rejects: 80_000,
        ..ProptestConfig::default()
    });
    runner
        .run(strategy, |sample| {
            claimed.set(claimed.get() + usize::from(check(sample)?));
            Ok(())
        })
        .unwrap();
    assert!(claimed.get() >= wanted, "covering was claimed in only {} samples", claimed.get());
}

#[test]
fn actions() {
    claimed_at_least(
        200,
        &(action_pattern(), action_pattern(), vec(action_text(), 8)),
        |(narrow, wide, samples)| {
            let (narrow, wide): (ActionPattern, ActionPattern) =
                (narrow.parse().unwrap(), wide.parse().unwrap());
            let claimed = narrow.covered_by(&wide);
            for action in samples {
                prop_assert!(
                    !claimed || !narrow.matches(&action) || wide.matches(&action),
                    "{narrow} {wide} {action}"
                );
            }
            Ok(claimed)
        },
    );
}

#[test]
fn resources() {
    claimed_at_least(
        200,
        &(resource_pattern(), resource_pattern(), vec(resource_text(), 12)),
        |(narrow, wide, samples)| {
            let (narrow, wide): (ResourcePattern, ResourcePattern) =
                (narrow.parse().unwrap(), wide.parse().unwrap());
            let claimed = narrow.covered_by(&wide);
            for resource in samples {
                prop_assert!(
                    !claimed || !narrow.matches(&resource) || wide.matches(&resource),
                    "{narrow} {wide} {resource}"
                );
            }
            Ok(claimed)
        },
    );
}

#[test]
fn constraints() {
    claimed_at_least(80, &(predicates(), predicates(), vec(value(), 12)), |(narrow, wide, samples)| {
        let parse = |json: &str| serde_json::from_str::<Predicates>(json);
        let (Ok(narrow), Ok(wide)) = (parse(&narrow), parse(&wide)) else {
            return Ok(false);
        };
        let claimed = narrow.covered_by(&wide);
        for sample in samples {
            let value: Scalar = serde_json::from_str(&sample).unwrap();
            prop_assert!(
                !claimed || !narrow.hold(&value) || wide.hold(&value),
                "{narrow:?} {wide:?} {value}"
            );
        }
        Ok(claimed)
    });
}

#[test]
fn grants() {
    let request = (action_text(), resource_text(), prop::option::of(value()), prop::option::of(value()));
    claimed_at_least(20, &(grant(), grant(), vec(request, 12)), |(narrow, wide, samples)| {
        let parse = |json: &str| Grant::parse_list(json.as_bytes()).map(|mut grants| grants.remove(0));
        let (Ok(narrow), Ok(wide)) = (parse(&narrow), parse(&wide)) else {
            return Ok(false);
        };
        let claimed = narrow.covered_by(&wide);
        for (action, resource, x, y) in samples {
            let read = |json: Option<String>| json.map(|json| serde_json::from_str::<Scalar>(&json).unwrap());
            let (x, y) = (read(x), read(y));
            let parameter = |name: &str| if name == "x" { x.as_ref() } else { y.as_ref() };
            let allows = |grant: &Grant| grant.covers(&action, &resource, parameter).is_ok();
            prop_assert!(
                !claimed || !allows(&narrow) || allows(&wide),
                "{narrow:?} {wide:?} {action} {resource}"
            );
            prop_assert!(
                !claimed
                    || wide.limits.is_none()
                    || narrow
                        .limits
                        .is_some_and(|ours| Some(ours.uses) <= wide.limits.map(|theirs| theirs.uses))
            );
        }
        Ok(claimed)
    });
}

proptest! {
    #[test]
    fn everything_covers_itself(grant in grant()) {
        if let Ok(grants) = Grant::parse_list(grant.as_bytes()) {
            prop_assert!(grants[0].covered_by(&grants[0]));
        }
    }
}
