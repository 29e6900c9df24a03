//! What `serde_json` and a plain reading of the rules make of a JSON text. Slow, and written to be seen through: the
//! scanner must agree with it on every input.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use verdict::json::{Fault, MAX_DEPTH, Pointer, Scalar, scan};

/// What is looked for.
const POINTERS: [&str; 8] = ["/a", "/a/b", "/passenger/id", "/0", "/a/0/b", "/a~1b", "/~0", "/"];

/// Panics unless the scanner and the oracle agree on `bytes`.
pub(crate) fn compare(bytes: &[u8]) {
    let pointers: Vec<Pointer> = POINTERS.iter().map(|text| text.parse().expect("a pointer")).collect();
    let scanned = scan(bytes, &pointers);
    let shown = bytes.escape_ascii();
    match read(bytes) {
        None => assert!(scanned.is_err(), "not JSON to serde_json: {shown}"),
        Some(tree) => match judge(&tree) {
            None => {
                let kinds = [Fault::Syntax, Fault::Utf8, Fault::Surrogate];
                let fault = scanned.expect_err(&format!("strict reading refuses: {shown}"));
                assert!(!kinds.contains(&fault), "{fault:?}, and JSON to serde_json: {shown}");
            }
            Some(found) => {
                let scanned = scanned.unwrap_or_else(|fault| panic!("{fault:?}: {shown}"));
                assert_eq!(scanned, found, "{shown}");
            }
        },
    }
}

/// A JSON value with every member in its place, repeated ones too.
enum Tree {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

fn read(bytes: &[u8]) -> Option<Tree> {
    let text = std::str::from_utf8(bytes).ok()?;
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    tree(raw)
}

/// Through raw values, because only those keep numbers as they are written.
fn tree(raw: &RawValue) -> Option<Tree> {
    let text = raw.get();
    Some(match text.as_bytes().first()? {
        b'n' => Tree::Null,
        b't' => Tree::Boolean(true),
        b'f' => Tree::Boolean(false),
        b'"' => Tree::Text(serde_json::from_str(text).ok()?),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Tree::Array(items.into_iter().map(tree).collect::<Option<_>>()?)
        }
        b'{' => {
            let Members(members) = serde_json::from_str(text).ok()?;
            let members = members.into_iter().map(|(name, value)| Some((name, tree(value)?)));
            Tree::Object(members.collect::<Option<_>>()?)
        }
        _ => Tree::Number(text.to_owned()),
    })
}

struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}

/// What the pointers find; `None` where two readers might find something else.
fn judge(tree: &Tree) -> Option<Vec<Option<Scalar<'static>>>> {
    if !is_strict(tree, 0) {
        return None;
    }
    POINTERS.iter().map(|pointer| find(tree, pointer)).collect()
}

fn is_strict(tree: &Tree, depth: usize) -> bool {
    match tree {
        Tree::Array(items) => depth < MAX_DEPTH && items.iter().all(|item| is_strict(item, depth + 1)),
        Tree::Object(members) => {
            let folded: BTreeMap<String, ()> = members.iter().map(|(name, _)| (fold(name), ())).collect();
            depth < MAX_DEPTH
                && folded.len() == members.len()
                && members.iter().all(|(name, _)| !name.chars().any(char::is_control))
                && members.iter().all(|(_, member)| is_strict(member, depth + 1))
        }
        Tree::Null | Tree::Boolean(_) | Tree::Number(_) | Tree::Text(_) => true,
    }
}

/// `None`: ambiguous. `Some(None)`: absent.
fn find(tree: &Tree, pointer: &str) -> Option<Option<Scalar<'static>>> {
    let mut tree = tree;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match tree {
            Tree::Object(members) => {
                let alike = members.iter().find(|(name, _)| fold(name) == fold(&step));
                if alike.is_some_and(|(name, _)| *name != step) {
                    return None;
                }
                alike.map(|(_, member)| member)
            }
            Tree::Array(items) => {
                let index = step.parse::<usize>().ok().filter(|index| index.to_string() == step);
                index.and_then(|index| items.get(index))
            }
            _ => None,
        };
        let Some(next) = next else { return Some(None) };
        tree = next;
    }
    match tree {
        Tree::Text(text) if text.chars().any(char::is_control) => None,
        Tree::Text(text) => Some(Some(Scalar::Text(text.clone().into()))),
        Tree::Number(text) => Some(Some(Scalar::Number(text.clone().leak()))),
        Tree::Boolean(value) => Some(Some(Scalar::Boolean(*value))),
        Tree::Null | Tree::Array(_) | Tree::Object(_) => Some(None),
    }
}

fn fold(name: &str) -> String {
    name.replace('\u{17f}', "s").replace('\u{212a}', "k").to_ascii_lowercase()
}
