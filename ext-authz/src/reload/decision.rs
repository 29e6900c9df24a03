//! What follows from a policy directory, held against the store.
//!
//! Replicas see an edit at different times, and some are started with an old directory. What the store has seen before
//! tells them apart from an operator who means it: going back is an edit, being behind is not.

use policy::{Compiled, Edit, Namespaces, Policy, PolicyErrors};

use super::{Rejection, found::Found, shared::Latest};

/// Why the directory is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The server starts. A directory that the store knows as an older one is an old directory.
    Start,
    /// As [`Occasion::Start`], by an operator who says that the directory counts.
    Republish,
    /// The directory changed. It held this generation before, if that is known.
    Edit {
        /// See [`Reloader`](super::Reloader).
        before: Option<u64>,
    },
}

/// What to do.
#[derive(Debug)]
pub(super) enum Decision {
    /// The store's latest generation is the policy.
    Latest {
        /// Why that is not all of what the directory holds.
        rejection: Option<Rejection>,
        /// The generation that the directory holds, if it is one.
        held: Option<u64>,
    },
    /// A new generation.
    Publish {
        /// Of this.
        compiled: Compiled,
        /// Why that is not all of what the directory holds.
        rejection: Option<Rejection>,
    },
}

/// Decides. `known` is the generation under which the store knows what was found.
///
/// # Errors
/// Every fault of every file, where the store holds no policy to go on with.
pub(super) fn decide(
    found: &Found,
    known: Option<u64>,
    latest: Option<&Latest>,
    occasion: Occasion,
    namespaces: &Namespaces,
) -> Result<Decision, PolicyErrors> {
    let sources = match (&found.sources, latest) {
        (Ok(sources), _) => sources,
        (Err(errors), None) => return Err(errors.clone()),
        (Err(errors), Some(_)) => return Ok(rejected(errors)),
    };
    let Some(latest) = latest else {
        let policy = Policy::compile(sources, namespaces)?;
        let compiled = Compiled { policy, sources: sources.clone() };
        return Ok(Decision::Publish { compiled, rejection: None });
    };
    match known {
        Some(number) if number == latest.number => {
            // Where bad files were left out, they are still bad.
            let is_whole = found.digest.as_ref() == Some(&latest.digest);
            let errors = if is_whole { None } else { Policy::compile(sources, namespaces).err() };
            let rejection = errors.map(|errors| Rejection::new(&errors));
            return Ok(Decision::Latest { rejection, held: known });
        }
        Some(number) if is_behind(number, occasion) => {
            let rejection = Some(Rejection::behind(number, latest.number));
            return Ok(Decision::Latest { rejection, held: known });
        }
        _ => {}
    }
    Ok(match Edit::compile(sources.clone(), &latest.sources, namespaces) {
        Edit::Good(compiled) => Decision::Publish { compiled, rejection: None },
        Edit::Partly(compiled, errors) => {
            Decision::Publish { compiled, rejection: Some(Rejection::new(&errors)) }
        }
        Edit::Bad(errors) => rejected(&errors),
    })
}

fn rejected(errors: &PolicyErrors) -> Decision {
    Decision::Latest { rejection: Some(Rejection::new(errors)), held: None }
}

/// Whether a directory that holds the older generation `number` is behind, rather than set back on purpose: it came
/// there from an older one still, or nobody knows from where.
fn is_behind(number: u64, occasion: Occasion) -> bool {
    match occasion {
        Occasion::Start => true,
        Occasion::Republish => false,
        Occasion::Edit { before } => before.is_none_or(|before| number >= before),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::shared::digest, *};

    fn sources(path: &str) -> policy::Sources {
        let text = format!(
            "namespace: a\nroutes:\n  - hosts: [a.internal]\n    audience: mesh\n    rules:\n      \
             - {{method: GET, path: {path}, action: none}}\n"
        );
        [("policies/a.yaml", text)].into_iter().collect()
    }

    fn latest(number: u64) -> Latest {
        let sources = sources("/latest");
        let digest = digest(&sources);
        Latest { number, digest, sources, published_at: 1 }
    }

    fn told(known: Option<u64>, occasion: Occasion) -> Decision {
        let found = Found::new(Ok(sources("/found")));
        decide(&found, known, Some(&latest(5)), occasion, &Namespaces::open()).unwrap()
    }

    fn is_published(decision: &Decision) -> bool {
        matches!(decision, Decision::Publish { rejection: None, .. })
    }

    #[test]
    fn an_older_generation_is_published_again_only_on_purpose() {
        let edit = |before| Occasion::Edit { before };
        for (occasion, publishes) in [
            (Occasion::Start, false),
            (Occasion::Republish, true),
            // From a later generation: a rollback.
            (edit(Some(4)), true),
            (edit(Some(5)), true),
            // From an earlier one, or a bad edit taken back: a replica that lags.
            (edit(Some(2)), false),
            (edit(Some(3)), false),
            (edit(None), false),
        ] {
            let decision = told(Some(3), occasion);
            assert_eq!(is_published(&decision), publishes, "{occasion:?} {decision:?}");
            if let Decision::Latest { rejection, held } = decision {
                let said = format!("{rejection:?}");
                assert!(said.contains("generation 3") && said.contains("generation 5"), "{said}");
                assert_eq!(held, Some(3));
            }
        }
    }

    #[test]
    fn what_the_store_never_saw_is_an_edit() {
        for occasion in [Occasion::Start, Occasion::Republish, Occasion::Edit { before: None }] {
            assert!(is_published(&told(None, occasion)), "{occasion:?}");
        }
    }

    #[test]
    fn what_is_served_already_is_not_published_again() {
        for occasion in [Occasion::Start, Occasion::Republish, Occasion::Edit { before: Some(9) }] {
            let decision = told(Some(5), occasion);
            assert!(matches!(decision, Decision::Latest { rejection: None, held: Some(5) }), "{decision:?}");
        }
    }

    #[test]
    fn a_bad_directory_needs_a_store_to_go_on_with() {
        let bad = Found::new(Ok([("policies/a.yaml", "namespace: [")].into_iter().collect()));
        let decide = |latest| decide(&bad, None, latest, Occasion::Start, &Namespaces::open());
        assert!(decide(None).is_err());
        let decision = decide(Some(&latest(5))).unwrap();
        assert!(matches!(decision, Decision::Latest { rejection: Some(_), held: None }), "{decision:?}");
    }
}
