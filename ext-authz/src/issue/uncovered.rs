//! What of a grant does not fit, where nothing covers it.

use std::fmt;

use verdict::Grant;

/// Where a grant that nothing covers differs from the nearest of what could: by nothing that is worth a word where no
/// action and resource fits.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uncovered(Vec<Difference>);

#[derive(Debug, PartialEq, Eq)]
enum Difference {
    /// It says no limit, and may be used so often.
    Unlimited(u32),
    /// It may be used more often than that.
    Uses(u32),
    /// It lacks the constraint on a parameter.
    Unconstrained(String),
    /// Its constraint on a parameter allows more.
    Wider(String),
}

impl Uncovered {
    /// Holds `grant` against those of `by` that have its actions and resources, of which none covers it.
    pub(crate) fn of<'g>(grant: &Grant, by: impl Iterator<Item = &'g Grant>) -> Self {
        let in_scope = |wider: &&Grant| {
            let bare = Grant { constraints: Default::default(), limits: None, ..(*wider).clone() };
            grant.covered_by(&bare)
        };
        let nearest = by.filter(in_scope).map(|wider| differences(grant, wider)).min_by_key(Vec::len);
        Self(nearest.unwrap_or_default())
    }
}

fn differences(grant: &Grant, wider: &Grant) -> Vec<Difference> {
    let limits = wider.limits.and_then(|theirs| match grant.limits {
        None => Some(Difference::Unlimited(theirs.uses.get())),
        Some(ours) => (ours.uses > theirs.uses).then(|| Difference::Uses(theirs.uses.get())),
    });
    let constraints =
        wider.constraints.iter().filter_map(|(name, theirs)| match grant.constraints.get(name) {
            None => Some(Difference::Unconstrained(name.clone())),
            Some(ours) => (!ours.covered_by(theirs)).then(|| Difference::Wider(name.clone())),
        });
    limits.into_iter().chain(constraints).collect()
}

impl fmt::Display for Uncovered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, difference) in self.0.iter().enumerate() {
            formatter.write_str(if index == 0 { "; the nearest wants " } else { ", and " })?;
            match difference {
                Difference::Unlimited(most) => {
                    write!(formatter, "`limits`, with `uses` of at most {most}, which the grant lacks")
                }
                Difference::Uses(most) => write!(formatter, "`limits.uses` of at most {most}"),
                Difference::Unconstrained(name) => {
                    write!(formatter, "a constraint on `{name}`, which the grant lacks")
                }
                Difference::Wider(name) => write!(formatter, "a narrower constraint on `{name}`"),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(action: &str, rest: &str) -> Grant {
        let json =
            format!(r#"[{{"type":"task_grant","actions":["f:{action}"],"resources":["f://a"]{rest}}}]"#);
        Grant::parse_list(json.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn what_does_not_fit_is_named_where_actions_and_resources_do() {
        let by = [
            grant("book", r#","limits":{"uses":3},"constraints":{"from":{"eq":"JFK"},"price":{"max":9}}"#),
            grant("search", ""),
        ];
        for (asked, rest, expected) in [
            ("other", "", ""),
            (
                "book",
                r#","constraints":{"from":{"eq":"JFK"},"price":{"max":9}}"#,
                "; the nearest wants `limits`, with `uses` of at most 3, which the grant lacks",
            ),
            (
                "book",
                r#","limits":{"uses":4},"constraints":{"from":{"eq":"JFK"},"price":{"max":8}}"#,
                "; the nearest wants `limits.uses` of at most 3",
            ),
            (
                "book",
                r#","limits":{"uses":1},"constraints":{"price":{"max":10}}"#,
                "; the nearest wants a constraint on `from`, which the grant lacks, and a narrower constraint on `price`",
            ),
        ] {
            assert_eq!(Uncovered::of(&grant(asked, rest), by.iter()).to_string(), expected, "{rest}");
        }
    }
}
