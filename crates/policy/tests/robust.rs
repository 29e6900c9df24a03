//! Whatever a file holds, compiling it ends in a policy or in errors that say where.

mod support;

use policy::{Namespaces, Policy};
use proptest::{prelude::*, sample::Index};
use support::errors;

const EXAMPLES: [&str; 2] =
    [include_str!("../../../policies/logs.yaml"), include_str!("../../../policies/flights.yaml")];

/// What a slip of the hand, or somebody who looks for holes, would put into a file.
const SCRAPS: [&str; 16] =
    ["", " ", "\n", "\t", "*", "&a ", "*a", "{", "]", ": ", "- ", "'", "\0", "null", "1e999", "{query.x}"];

proptest! {
    #[test]
    fn a_damaged_file_is_refused_in_place(
        example in 0..EXAMPLES.len(),
        damage in prop::collection::vec((any::<Index>(), 0..20_usize, 0..SCRAPS.len()), 1..4),
    ) {
        let mut text: Vec<char> = EXAMPLES[example].chars().collect();
        for (at, removed, scrap) in damage {
            let at = at.index(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, SCRAPS[scrap].chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(errors) = Policy::from_sources(&[("p.yaml", &text)], &Namespaces::open()) {
            let lines = u32::try_from(text.lines().count()).unwrap() + 1;
            prop_assert!(!errors.0.is_empty());
            for error in &errors.0 {
                prop_assert!((1..=lines).contains(&error.line), "{error}");
                prop_assert!(!error.reason.is_empty());
            }
            prop_assert_eq!(errors.to_string().lines().count(), errors.0.len());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Policy::from_sources(&[("p.yaml", &text)], &Namespaces::open());
    }
}

#[test]
fn a_key_cannot_write_a_line_of_its_own() {
    let error = errors("namespace: n\n\"x\\nq.yaml:1:1: all is well\": 1\n");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with(r"p.yaml:2:1: x\nq.yaml:1:1: all is well: unknown field"), "{error}");
}

#[test]
fn long_values_and_many_errors_are_cut() {
    let long = "x".repeat(100_000);
    assert!(errors(&support::with_host(&format!("mode: {long}"))).len() < 1_000);
    let many: String = (0..5_000).map(|index| format!("x{index}: 1\n")).collect();
    assert_eq!(errors(&format!("namespace: n\n{many}")).lines().count(), 1_000);
}
