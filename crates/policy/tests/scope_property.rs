//! What `opens` lists is what the verdict allows: no more, and no less. Alphabets are tiny, so that rules, grants and
//! requests often meet; counts prove that they did.

mod support;

use std::cell::Cell;

use policy::{
    Policy,
    scope::{Opening, opens},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use support::{
    generated::{grant, policy, segments, value},
    judge::{Judge, Line},
};
use verdict::Grant;

/// Whether a path is one of an opening's.
fn fits(pattern: &str, segments: &[String]) -> bool {
    let mut patterns: Vec<&str> = pattern.split('/').skip(1).filter(|part| !part.is_empty()).collect();
    let deep = patterns.last().is_some_and(|last| last.starts_with("{*"));
    if deep {
        patterns.pop();
    }
    let long_enough = if deep { segments.len() > patterns.len() } else { segments.len() == patterns.len() };
    long_enough && patterns.iter().zip(segments).all(|(pattern, segment)| fits_segment(pattern, segment))
}

fn fits_segment(pattern: &str, segment: &str) -> bool {
    match pattern.split_once('*') {
        _ if pattern.starts_with('{') => true,
        None => pattern == segment,
        Some((before, after)) => {
            segment.len() >= before.len() + after.len()
                && segment.starts_with(before)
                && segment.ends_with(after)
        }
    }
}

/// Whether an opening says all about its paths: nothing else of it is about a segment.
fn says_all(opening: &Opening<'_>) -> bool {
    let of_path = |source: &str| source.starts_with("path.");
    let in_text = |text: &str| text.contains('{');
    opening.params.iter().all(|param| param.must.is_none() || !of_path(param.from))
        && opening.conditions.iter().all(|condition| !of_path(&condition.of) && !in_text(&condition.of))
        && !opening.rule.action.contains("{x}")
}

fn run(
    cases: u32,
    test: impl Fn(Policy, Grant, &[(Vec<String>, Option<String>, Option<String>)]) -> Result<(), TestCaseError>,
) {
    let requests = vec((segments(), value(), value()), 24);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&(policy(), grant(), requests), |(policy, grant, requests)| test(policy, grant, &requests))
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_example_is_allowed_and_mostly_there_is_one() {
    let (found, missing) = (Cell::new(0), Cell::new(0));
    run(250, |policy, grant, _| {
        let judge = Judge::of(&policy);
        let token = judge.token(std::slice::from_ref(&grant));
        for opening in opens(&policy, &grant) {
            let Some(example) = &opening.example else {
                missing.set(missing.get() + 1);
                continue;
            };
            let line = Line {
                method: &example.method,
                host: &example.host,
                path: &example.path,
                headers: &example.headers,
            };
            let decided = judge.decide(&token, &line);
            prop_assert!(decided.is_ok(), "{decided:?}: {opening:#?} {grant:?}");
            found.set(found.get() + 1);
        }
        Ok(())
    });
    assert!(found.get() > 100 && missing.get() * 5 < found.get(), "{} {}", found.get(), missing.get());
}

#[test]
fn every_path_that_is_listed_is_allowed() {
    let tried = Cell::new(0);
    run(250, |policy, grant, requests| {
        let judge = Judge::of(&policy);
        let token = judge.token(std::slice::from_ref(&grant));
        for opening in opens(&policy, &grant).iter().filter(|opening| says_all(opening)) {
            let Some(example) = &opening.example else { continue };
            let query =
                example.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
            for (segments, ..) in requests {
                // A segment that a strict host does not take, and a lenient one only where no other rule is near.
                if segments.iter().any(|segment| segment.contains(';')) {
                    continue;
                }
                if !fits(&opening.path, segments) || opening.except.iter().any(|path| fits(path, segments)) {
                    continue;
                }
                let path = format!("/{}{query}", segments.join("/"));
                let line = Line {
                    method: &example.method,
                    host: &example.host,
                    path: &path,
                    headers: &example.headers,
                };
                let decided = judge.decide(&token, &line);
                prop_assert!(decided.is_ok(), "{path}: {decided:?}: {opening:#?} {grant:?}");
                tried.set(tried.get() + 1);
            }
        }
        Ok(())
    });
    assert!(tried.get() > 100, "{}", tried.get());
}

#[test]
fn nothing_else_is_allowed() {
    let (allowed, closed) = (Cell::new(0), Cell::new(0));
    run(250, |policy, grant, requests| {
        let judge = Judge::of(&policy);
        let token = judge.token(std::slice::from_ref(&grant));
        let openings = opens(&policy, &grant);
        closed.set(closed.get() + usize::from(openings.is_empty()));
        for (segments, query, header) in requests {
            let query = query.as_ref().map(|value| format!("?q={value}")).unwrap_or_default();
            let path = format!("/{}{query}", segments.join("/"));
            let headers: Vec<_> = header.iter().map(|value| ("h".to_owned(), value.clone())).collect();
            for method in ["GET", "PUT"] {
                let line = Line { method, host: "a.internal", path: &path, headers: &headers };
                if judge.decide(&token, &line).is_err() {
                    continue;
                }
                allowed.set(allowed.get() + 1);
                let is_listed = openings.iter().any(|opening| {
                    opening.rule.method == method
                        && fits(&opening.path, segments)
                        && !opening.except.iter().any(|path| fits(path, segments))
                });
                prop_assert!(is_listed, "{method} {path} {headers:?}: {openings:#?} {grant:?}");
            }
        }
        Ok(())
    });
    assert!(allowed.get() > 100 && closed.get() > 20, "{} {}", allowed.get(), closed.get());
}
