//! Path templates by their shape: which paths one has, and which of two is asked first.

use std::cmp::Ordering;

/// A path template, taken apart. Only templates that the verdict compiled get here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) steps: Vec<Step>,
    /// The name of a final `{*name}`.
    pub(super) rest: Option<String>,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Literal(String),
    Capture(String),
}

impl Shape {
    pub(crate) fn of(path: &str) -> Self {
        let mut shape = Self { steps: Vec::new(), rest: None };
        for part in path.split('/').filter(|part| !part.is_empty()) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => shape.steps.push(Step::Literal(part.to_owned())),
                Some(name) => match name.strip_prefix('*') {
                    None => shape.steps.push(Step::Capture(name.to_owned())),
                    Some(name) => shape.rest = Some(name.to_owned()),
                },
            }
        }
        shape
    }

    /// Whether a path of these segments has this shape.
    pub(crate) fn fits(&self, segments: &[impl AsRef<str>]) -> bool {
        let long_enough = match self.rest {
            Some(_) => segments.len() > self.steps.len(),
            None => segments.len() == self.steps.len(),
        };
        long_enough
            && self.steps.iter().zip(segments).all(|(step, segment)| match step {
                Step::Literal(literal) => literal == segment.as_ref(),
                Step::Capture(_) => true,
            })
    }

    /// Whether some path has both shapes.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.steps.len(), other.steps.len());
        let lengths_meet = match (&self.rest, &other.rest) {
            (Some(_), Some(_)) => true,
            (Some(_), None) => theirs > ours,
            (None, Some(_)) => ours > theirs,
            (None, None) => ours == theirs,
        };
        lengths_meet
            && self.steps.iter().zip(&other.steps).all(|steps| match steps {
                (Step::Literal(ours), Step::Literal(theirs)) => ours == theirs,
                (Step::Capture(_), _) | (_, Step::Capture(_)) => true,
            })
    }

    /// Whether a path of both shapes goes to `self`: at the first segment where they differ a literal is tried before
    /// a capture, and a capture before the rest. Not so for two of one shape, which differ in the method only.
    pub(crate) fn is_tried_before(&self, other: &Self) -> bool {
        let length = self.steps.len().max(other.steps.len()).saturating_add(1);
        let differing = (0..length).map(|at| self.rank(at).cmp(&other.rank(at))).find(|order| order.is_ne());
        differing == Some(Ordering::Less)
    }

    /// The names it captures, each as a source of a parameter.
    pub(crate) fn sources(&self) -> impl Iterator<Item = String> {
        let captures = self.steps.iter().filter_map(|step| match step {
            Step::Literal(_) => None,
            Step::Capture(name) => Some(name),
        });
        captures.chain(&self.rest).map(|name| format!("path.{name}"))
    }

    /// Segments of the longest path that can have this shape and no other with as many.
    pub(super) fn depth(&self) -> usize {
        self.steps.len().saturating_add(usize::from(self.rest.is_some()))
    }

    fn rank(&self, at: usize) -> u8 {
        match (self.steps.get(at), &self.rest) {
            (Some(Step::Literal(_)), _) => 0,
            (Some(Step::Capture(_)), _) => 1,
            (None, Some(_)) if at == self.steps.len() => 2,
            (None, _) => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(one: &str, other: &str) -> bool {
        Shape::of(one).is_tried_before(&Shape::of(other))
    }

    #[test]
    fn the_more_specific_is_tried_first() {
        for (narrow, wide) in [
            ("/a", "/{x}"),
            ("/{x}", "/{*x}"),
            ("/a/{x}/c", "/a/{x}/{y}"),
            ("/a/{*x}", "/{x}/b"),
            ("/{x}/b", "/{x}/{*y}"),
        ] {
            assert!(before(narrow, wide) && !before(wide, narrow), "{narrow} {wide}");
            assert!(Shape::of(narrow).meets(&Shape::of(wide)), "{narrow} {wide}");
        }
        assert!(!before("/{a}/b", "/{other}/b") && !before("/{other}/b", "/{a}/b"));
    }

    #[test]
    fn shapes_that_share_no_path_do_not_meet() {
        for (one, other) in [("/a", "/b"), ("/", "/{*x}"), ("/{x}", "/a/b"), ("/a/{*x}", "/b/{*x}")] {
            assert!(!Shape::of(one).meets(&Shape::of(other)), "{one} {other}");
        }
    }

    #[test]
    fn a_rest_is_a_segment_at_least() {
        let shape = Shape::of("/a/{*rest}");
        assert!(shape.fits(&["a", "b"]) && shape.fits(&["a", "b", "c"]));
        assert!(!shape.fits(&["a"]) && !shape.fits(&["b", "c"]));
        assert!(Shape::of("/").fits(&[""; 0]) && !Shape::of("/").fits(&["a"]));
    }
}
