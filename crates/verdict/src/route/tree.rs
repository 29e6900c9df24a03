//! A tree of path segments: at each step a literal is tried before a capture, and a capture before the rest.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use super::pattern::{PathPattern, Segment};

/// Rules by path shape and method.
#[derive(Debug, Default)]
pub(super) struct Tree {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<String, Node>,
    capture: Option<alloc::boxed::Box<Node>>,
    /// Rules whose path ends here.
    ends: Methods,
    /// Rules whose `{*rest}` begins here.
    rests: Methods,
}

/// Method to rule index, for one path shape.
type Methods = Vec<(String, usize)>;

impl Tree {
    /// Adds a rule; returns the rule that has its shape and method already.
    pub(super) fn insert(&mut self, pattern: &PathPattern, method: &str, rule: usize) -> Option<usize> {
        let mut node = &mut self.root;
        for segment in &pattern.segments {
            node = match segment {
                Segment::Literal(literal) => node.literals.entry(literal.clone()).or_default(),
                Segment::Capture(_) => node.capture.get_or_insert_default(),
            };
        }
        let methods = if pattern.rest.is_some() { &mut node.rests } else { &mut node.ends };
        let earlier = find(methods, method);
        if earlier.is_none() {
            methods.push((method.into(), rule));
        }
        earlier
    }

    /// The rule for these segments and this method, under the most specific shape that fits the segments.
    pub(super) fn find<S: AsRef<str>>(&self, segments: &[S], method: &str) -> Option<usize> {
        self.root.find(segments).and_then(|methods| find(methods, method))
    }

    /// Whether two readings of a path lead to the same shape.
    pub(super) fn agree<S: AsRef<str>, T: AsRef<str>>(&self, one: &[S], other: &[T]) -> bool {
        match (self.root.find(one), self.root.find(other)) {
            // Each shape has one list of its own, so the same list is the same shape.
            (Some(one), Some(other)) => core::ptr::eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Node {
    /// Each node is visited at most once: there is one way from the root to it.
    fn find<S: AsRef<str>>(&self, segments: &[S]) -> Option<&Methods> {
        let Some((first, others)) = segments.split_first() else {
            return (!self.ends.is_empty()).then_some(&self.ends);
        };
        let literal = self.literals.get(first.as_ref()).and_then(|node| node.find(others));
        literal
            .or_else(|| self.capture.as_ref().and_then(|node| node.find(others)))
            .or_else(|| (!self.rests.is_empty()).then_some(&self.rests))
    }
}

fn find(methods: &Methods, wanted: &str) -> Option<usize> {
    methods.iter().find(|(method, _)| method == wanted).map(|(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(rules: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (index, (method, path)) in rules.iter().enumerate() {
            assert_eq!(tree.insert(&PathPattern::parse(path).unwrap(), method, index), None);
        }
        tree
    }

    #[test]
    fn the_most_specific_path_decides_before_the_method() {
        let tree = tree(&[
            ("GET", "/{*all}"),
            ("GET", "/{a}"),
            ("POST", "/admin"),
            ("GET", "/{a}/x/{b}"),
            ("GET", "/"),
        ]);
        assert_eq!(tree.find(&["admin"], "POST"), Some(2));
        assert_eq!(tree.find(&["admin"], "GET"), None, "no fall-through to `/{{a}}`");
        assert_eq!(tree.find(&["other"], "GET"), Some(1));
        assert_eq!(
            tree.find(&["admin", "x", "1"], "GET"),
            Some(3),
            "a literal that leads nowhere is left again"
        );
        assert_eq!(tree.find(&["a", "b"], "GET"), Some(0));
        assert_eq!(tree.find(&[""; 0], "GET"), Some(4));
        assert_eq!(tree.find(&["other"], "get"), None);
    }

    #[test]
    fn twins_are_found() {
        let mut tree = tree(&[("GET", "/{a}/b")]);
        assert_eq!(tree.insert(&PathPattern::parse("/{other}/b").unwrap(), "GET", 1), Some(0));
        assert_eq!(tree.insert(&PathPattern::parse("/{other}/b").unwrap(), "PUT", 2), None);
    }
}
