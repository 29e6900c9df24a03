//! Templates of actions and resources: text with `{placeholders}`.

use super::shape::Shape;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    /// A value, by its source: `path.bucket`, `query.Action`, or whatever else a rule may read.
    Value(String),
}

/// The pieces of `text` in a rule whose path has `shape`.
pub(crate) fn parts(text: &str, shape: &Shape) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, (source, after))) =
        rest.split_once('{').and_then(|(literal, after)| Some((literal, after.split_once('}')?)))
    {
        if !literal.is_empty() {
            parts.push(Part::Text(literal.to_owned()));
        }
        let captured = format!("path.{source}");
        let is_captured = shape.sources().any(|known| known == captured);
        parts.push(Part::Value(if is_captured { captured } else { source.to_owned() }));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    parts
}

/// Cuts a resource's pieces after its scheme at every `/` of the text. A source may have slashes of its own.
pub(crate) fn segments(parts: &[Part]) -> Vec<Vec<Part>> {
    let mut segments = vec![Vec::new()];
    let mut push = |part: Part, begins: bool| {
        if begins {
            segments.push(Vec::new());
        }
        let is_empty = matches!(&part, Part::Text(text) if text.is_empty());
        if let Some(segment) = segments.last_mut().filter(|_| !is_empty) {
            segment.push(part);
        }
    };
    for part in parts {
        match part {
            Part::Value(_) => push(part.clone(), false),
            Part::Text(text) => {
                for (index, piece) in text.split('/').enumerate() {
                    push(Part::Text(piece.to_owned()), index > 0);
                }
            }
        }
    }
    segments
}

/// The sources of the values.
pub(crate) fn sources(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|part| match part {
        Part::Text(_) => None,
        Part::Value(source) => Some(source.as_str()),
    })
}

/// The text with every value in the place of its placeholder. `None` where `value` does not know one.
pub(crate) fn fill<'v>(parts: &[Part], value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
    let mut filled = String::new();
    for part in parts {
        filled.push_str(match part {
            Part::Text(text) => text,
            Part::Value(source) => value(source)?,
        });
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_may_have_slashes() {
        let shape = Shape::of("/{bucket}/x");
        let resource = parts("{bucket}-{query.q}/a/{body./a/b}", &shape);
        let text = |text: &str| Part::Text(text.to_owned());
        let value = |source: &str| Part::Value(source.to_owned());
        assert_eq!(
            segments(&resource),
            [
                vec![value("path.bucket"), text("-"), value("query.q")],
                vec![text("a")],
                vec![value("body./a/b")]
            ]
        );
    }
}
