//! One corpus, four surfaces, one verdict.

use std::io::Write;

use harness::corpus::{Corpus, Place, REQUIRED_ATTACKS, Report, VARIANTS, disagreement};

use crate::{surfaces::Surfaces, workers, world::World};

/// Fewer cases than this means that a file was lost.
const FEWEST_CASES: usize = 950;

#[test]
fn every_required_attack_has_variants() {
    let corpus = Corpus::load().unwrap();
    let variants = corpus.variants();
    let count = |number: &u8| variants.get(number).copied().unwrap_or(0);
    let few: Vec<u8> = REQUIRED_ATTACKS.into_iter().filter(|number| count(number) < VARIANTS).collect();
    assert!(few.is_empty(), "attacks with fewer than {VARIANTS} variants: {few:?}");
    assert!(corpus.cases().count() >= FEWEST_CASES);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_agrees() {
    let world = World::new().unwrap();
    let mut surfaces = Surfaces::start(&world).await.unwrap();
    let mut report = Report::default();
    for (family, case) in world.corpus.cases() {
        report.case(family);
        let prepared =
            world.preparer().prepare(case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let outcomes = surfaces.judge(&world, case, &prepared).await;
        for (place, outcome) in Place::ALL.into_iter().zip(outcomes) {
            let disagreement = outcome.and_then(|outcome| match outcome {
                Ok(outcome) => disagreement(case, &prepared, place, &outcome),
                Err(error) => Some(error.to_string()),
            });
            report.verdict(family, case, place, disagreement);
        }
    }
    // Past the test runner's capture: how much was tried belongs into the output of every run.
    writeln!(std::io::stdout(), "{report}").unwrap();
    assert!(report.disagreements().is_empty());

    let wasm = surfaces.wasm.envoy.stats().await.unwrap();
    assert_eq!(wasm.wasm_failures(), [], "counters of a filter that trapped or was refused");
    let ext_authz = surfaces.ext_authz.envoy.stats().await.unwrap();
    let errors: Vec<_> =
        ext_authz.matching(&["ext_authz", "error"]).filter(|(_, count)| *count > 0).collect();
    assert_eq!(errors, [], "Check calls that failed");
    for proxy in [&surfaces.wasm, &surfaces.ext_authz] {
        workers::all_took_part(proxy).await.unwrap();
        workers::all_answer(proxy, &world).await.unwrap();
    }
}
