//! One corpus, four surfaces, one verdict.

use std::io::Write;

use harness::{
    corpus::{Corpus, Place, REQUIRED_ATTACKS, Report, VARIANTS, disagreement},
    surface::Library,
};

use crate::world::World;

#[test]
fn every_required_attack_has_variants() {
    let corpus = Corpus::load().unwrap();
    let variants = corpus.variants();
    let few: Vec<u8> = REQUIRED_ATTACKS
        .into_iter()
        .filter(|number| variants.get(number).copied().unwrap_or(0) < VARIANTS)
        .collect();
    assert!(few.is_empty(), "attacks with fewer than {VARIANTS} variants: {few:?}");
    assert!(corpus.cases().count() >= 250);
}

#[test]
fn the_library_agrees() {
    let world = World::new().unwrap();
    let library = Library::new(world.hosts(), world.forge.issuer.clone());
    let mut report = Report::default();
    for (family, case) in world.corpus.cases() {
        report.case(family);
        let prepared =
            world.preparer().prepare(case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let outcome = library.judge(case, &prepared, &world.preparer()).unwrap();
        report.verdict(family, case, Place::Verdict, disagreement(case, &prepared, Place::Verdict, &outcome));
    }
    say(&report);
    assert!(report.disagreements().is_empty());
}

/// Past the test runner's capture: how much was tried belongs into every run's output.
fn say(report: &Report) {
    let _ = writeln!(std::io::stdout(), "{report}");
}
