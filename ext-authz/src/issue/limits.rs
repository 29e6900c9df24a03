//! Ids of limited grants. The server gives them: uses are counted by id, so that what a client calls a grant counts for
//! nothing.

use verdict::grant::{Grant, GrantId};

use super::IssueError;

/// What the grants of a new token come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'g> {
    /// Nothing: the task is a root.
    Root,
    /// The grants of the same task: as long as they are limited alike, they are the same.
    Task(&'g [Grant]),
    /// The grants of a parent task, or of the token that is exchanged: what comes of them is counted apart, and of them.
    Above(&'g [Grant]),
}

/// Grants with their ids, and what begins to be counted with them.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) grants: Vec<Grant>,
    /// Ids that are new, with how often each may be used.
    pub(crate) begun: Vec<(GrantId, u32)>,
}

/// Names `grants`, each of which is covered by one of `origin`. Of several the first without a limit counts, else the
/// first.
pub(crate) fn name(grants: Vec<Grant>, origin: Origin<'_>) -> Result<Named, IssueError> {
    let mut begun = Vec::new();
    let mut roots = 0;
    let grants = grants.into_iter().map(|mut grant| {
        grant.id = None;
        let Some(limits) = grant.limits else { return Ok(grant) };
        let uses = limits.uses.get();
        let id = match (origin, limit_of(&grant, origin)) {
            (Origin::Root, _) => {
                roots += 1;
                format!("g{roots}")
            }
            (Origin::Task(_) | Origin::Above(_), None) => format!("g{}", random()?),
            (Origin::Task(_), Some((above, all))) if all == uses => {
                grant.id = Some(above.clone());
                return Ok(grant);
            }
            (Origin::Task(_) | Origin::Above(_), Some((above, _))) => {
                format!("{}.{}", above.as_str(), random()?)
            }
        };
        let id = GrantId::try_from(id).map_err(|error| IssueError::internal(&error))?;
        grant.id = Some(id.clone());
        begun.push((id, uses));
        Ok(grant)
    });
    let grants = grants.collect::<Result<_, IssueError>>()?;
    Ok(Named { grants, begun })
}

/// The limit that `grant` is under, and its uses; `None` where what it comes from has none.
fn limit_of<'g>(grant: &Grant, origin: Origin<'g>) -> Option<(&'g GrantId, u32)> {
    let (Origin::Task(above) | Origin::Above(above)) = origin else { return None };
    let mut covering = above.iter().filter(|wider| grant.covered_by(wider));
    let first = covering.clone().next()?;
    if covering.any(|wider| wider.limits.is_none()) {
        return None;
    }
    first.id.as_ref().zip(first.limits.map(|limits| limits.uses.get()))
}

/// What tells an id from others under the same: thirty bits. That another has the same is found at the commit, and a
/// second try has others.
fn random() -> Result<String, IssueError> {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 6];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|error| IssueError::internal(&error))?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(json: &str) -> Vec<Grant> {
        Grant::parse_list(json.as_bytes()).unwrap()
    }

    fn grant(resource: &str, uses: Option<u32>, id: Option<&str>) -> String {
        let limits = uses.map_or(String::new(), |uses| format!(r#","limits":{{"uses":{uses}}}"#));
        let id = id.map_or(String::new(), |id| format!(r#","id":"{id}""#));
        format!(r#"{{"type":"task_grant","actions":["f:book"],"resources":["f://{resource}"]{limits}{id}}}"#)
    }

    fn named(asked: &[String], origin: Origin<'_>) -> (Vec<Option<String>>, Vec<(String, u32)>) {
        let Named { grants, begun } = name(grants(&format!("[{}]", asked.join(","))), origin).unwrap();
        let ids = grants.into_iter().map(|grant| grant.id.map(String::from));
        (ids.collect(), begun.into_iter().map(|(id, uses)| (id.into(), uses)).collect())
    }

    #[test]
    fn a_root_counts_its_limited_grants_whatever_they_are_called() {
        let asked =
            [grant("a", Some(1), Some("mine")), grant("b", None, Some("g1")), grant("c", Some(2), None)];
        let (ids, begun) = named(&asked, Origin::Root);
        assert_eq!(ids, [Some("g1".into()), None, Some("g2".into())]);
        assert_eq!(begun, [("g1".into(), 1), ("g2".into(), 2)]);
    }

    #[test]
    fn further_tokens_use_the_limit_of_the_task_and_narrower_ones_one_below() {
        let task = grants(&format!("[{},{}]", grant("a", Some(3), Some("g1")), grant("b", None, None)));
        let (ids, begun) = named(&[grant("a", Some(3), None)], Origin::Task(&task));
        assert_eq!((ids, begun.len()), (vec![Some("g1".into())], 0));
        let (ids, begun) = named(&[grant("a", Some(2), Some("g1"))], Origin::Task(&task));
        let id = ids[0].clone().unwrap();
        assert!(id.starts_with("g1.") && begun == [(id.clone(), 2)], "{id} {begun:?}");
        // Of a grant without a limit: a limit of its own.
        let (ids, begun) = named(&[grant("b", Some(1), Some("g1"))], Origin::Task(&task));
        let id = ids[0].clone().unwrap();
        assert!(!id.contains('.') && id != "g1" && begun == [(id.clone(), 1)], "{id} {begun:?}");
    }

    #[test]
    fn what_is_delegated_is_always_below() {
        let above = grants(&format!("[{}]", grant("*", Some(3), Some("g1.x"))));
        let asked = [grant("a", Some(3), None), grant("b", Some(1), None)];
        let (ids, begun) = named(&asked, Origin::Above(&above));
        assert!(ids.iter().flatten().all(|id| id.starts_with("g1.x.")) && ids[0] != ids[1], "{ids:?}");
        assert_eq!(begun.len(), 2);
    }

    #[test]
    fn a_grant_without_a_limit_is_preferred() {
        let above = grants(&format!("[{},{}]", grant("*", Some(3), Some("g1")), grant("a", None, None)));
        let (ids, _) = named(&[grant("a", Some(1), None)], Origin::Above(&above));
        assert!(!ids[0].as_ref().unwrap().contains('.'), "{ids:?}");
    }

    #[test]
    fn the_longest_chain_has_an_id() {
        let mut above = grants(&format!("[{}]", grant("a", Some(1), Some("g64"))));
        for _ in 0..store::MAX_TASK_DEPTH + verdict::token::MAX_DEPTH as usize {
            above = name(above.clone(), Origin::Above(&above)).unwrap().grants;
        }
    }
}
