//! The JSON scanner: what it finds, what it refuses, and that `serde_json` sees the same on many inputs.

#[path = "common/json_oracle.rs"]
mod oracle;

use proptest::prelude::*;
use verdict::json::{Fault, Pointer, PointerError, Scalar, scan};

fn find(text: &str, pointer: &str) -> Result<Option<Scalar<'static>>, Fault> {
    oracle::compare(text.as_bytes());
    let pointer: Pointer = pointer.parse().unwrap();
    let found = scan(text.as_bytes(), &[pointer])?.remove(0);
    Ok(found.map(|scalar| match scalar {
        Scalar::Text(text) => Scalar::Text(text.into_owned().into()),
        Scalar::Number(text) => Scalar::Number(text.to_owned().leak()),
        Scalar::Boolean(value) => Scalar::Boolean(value),
    }))
}

fn text(text: &str) -> Result<Option<Scalar<'static>>, Fault> {
    Ok(Some(Scalar::Text(text.to_owned().into())))
}

#[test]
fn pointers_find_scalars() {
    assert_eq!(find(r#"{"a": "x"}"#, "/a"), text("x"));
    assert_eq!(find(r#" {"passenger": {"id": "u7"}, "b": [1, {"id": 2}]} "#, "/passenger/id"), text("u7"));
    assert_eq!(find(r#"{"a": [0, {"b": true}]}"#, "/a/1/b"), Ok(Some(Scalar::Boolean(true))));
    assert_eq!(find(r#"{"a": [0, {"b": true}]}"#, "/a/0"), Ok(Some(Scalar::Number("0"))));
    assert_eq!(find(r#"{"a/b": "x"}"#, "/a~1b"), text("x"));
    assert_eq!(find(r#"{"~1": "x"}"#, "/~01"), text("x"));
    assert_eq!(find(r#"{"": "x"}"#, "/"), text("x"));
    assert_eq!(find(r#"{"\u0061": "\ud83d\ude00\/"}"#, "/a"), text("\u{1f600}/"));
    for number in ["-0", "0.10", "9007199254740993", "1e5", "-1.5E+3"] {
        assert_eq!(
            find(&format!("{{\"a\":{number}}}"), "/a"),
            Ok(Some(Scalar::Number(number.to_owned().leak())))
        );
    }
}

#[test]
fn what_is_no_scalar_is_absent() {
    for json in [
        "{}",
        r#"{"a":null}"#,
        r#"{"a":{}}"#,
        r#"{"a":[]}"#,
        r#"[{"a":1}]"#,
        "7",
        r#""a""#,
        r#"{"b":{"a":1}}"#,
    ] {
        assert_eq!(find(json, "/a"), Ok(None), "{json}");
    }
    for pointer in ["/00", "/-", "/1", "/+0", "/0x0"] {
        assert_eq!(find("[5]", pointer), Ok(None), "{pointer}");
    }
}

#[test]
fn two_readings_are_a_fault() {
    for (json, fault) in [
        (r#"{"a":1,"a":2}"#, Fault::Duplicate),
        (r#"{"a":1,"\u0061":1}"#, Fault::Duplicate),
        (r#"{"z":[{"b":{"c":1,"c":1}}]}"#, Fault::Duplicate),
        (r#"{"a":1,"A":2}"#, Fault::Case),
        (r#"{"A":2}"#, Fault::Case),
        (r#"{"z":{"Name":1,"name":1}}"#, Fault::Case),
        (r#"{"z":{"user":1,"u\u017fer":1}}"#, Fault::Case),
        ("{\"z\":{\"k\":1,\"\u{212a}\":1}}", Fault::Case),
        (r#"{"a":"x\u0000"}"#, Fault::Control),
        (r#"{"a":"x\n"}"#, Fault::Control),
        (r#"{"a\u0000":"x"}"#, Fault::Control),
        (r#"{"b":"\ud800"}"#, Fault::Surrogate),
        (r#"{"b":"\ud800\u0041"}"#, Fault::Surrogate),
        (r#"{"b":"\udc00"}"#, Fault::Surrogate),
        (r#"{"\ud800":1}"#, Fault::Surrogate),
    ] {
        assert_eq!(find(json, "/a"), Err(fault), "{json}");
    }
    // Where nothing is looked for, a string may say what it likes.
    assert_eq!(find(r#"{"b":"x\u0000\n","a":1}"#, "/a"), Ok(Some(Scalar::Number("1"))));
}

#[test]
fn what_is_no_json_is_a_fault() {
    for json in [
        "",
        " ",
        "{",
        "}",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{a:1}"#,
        r#"{'a':1}"#,
        "01",
        "-",
        "+1",
        ".5",
        "5.",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "tru",
        "truee",
        "nul",
        "True",
        r#"""#,
        r#""\"#,
        r#""\x""#,
        r#""\u00g0""#,
        r#""\u+061""#,
        r#""\u12"#,
        "1 2",
        "{} {}",
        "{}x",
        "[1]]",
        "/**/1",
        "1//",
        "\u{feff}{}",
        "\u{a0}1",
        "\"\n\"",
        "\"\u{0}\"",
        "[1\u{c}]",
        "\u{1e}{}",
    ] {
        assert_eq!(find(json, "/a"), Err(Fault::Syntax), "{json:?}");
    }
    assert_eq!(scan(b"\"\xff\"", &[]), Err(Fault::Utf8));
    assert_eq!(scan(b"\"\xed\xa0\x80\"", &[]), Err(Fault::Utf8));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize, open: &str, close: &str| open.repeat(depth) + "1" + &close.repeat(depth);
    for (open, close) in [("[", "]"), (r#"{"z":"#, "}")] {
        assert_eq!(find(&nested(32, open, close), "/a"), Ok(None));
        assert_eq!(find(&nested(33, open, close), "/a"), Err(Fault::Depth));
    }
    // Long before the end, and without a stack that grows with it.
    assert_eq!(scan("[".repeat(1_000_000).as_bytes(), &[]), Err(Fault::Depth));
}

#[test]
fn many_names_take_no_longer_than_they_must() {
    // Comparing each with each would take minutes.
    let members: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
    assert_eq!(scan(format!("{{{}}}", members.join(",")).as_bytes(), &[]), Ok(Vec::new()));
    assert_eq!(scan(format!("{{{},\"K5\":0}}", members.join(",")).as_bytes(), &[]), Err(Fault::Case));
}

#[test]
fn a_pointer_is_what_rfc_6901_says() {
    for (text, error) in [
        ("", PointerError::Root),
        ("a", PointerError::Root),
        ("/~", PointerError::Escape),
        ("/a~2", PointerError::Escape),
        ("/a\u{0}", PointerError::Control),
    ] {
        assert_eq!(text.parse::<Pointer>(), Err(error), "{text:?}");
    }
    assert_eq!("/a".repeat(33).parse::<Pointer>(), Err(PointerError::Depth));
}

/// JSON, and text that is nearly JSON.
fn texts() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("a"),
        Just("A"),
        Just("\\u0061"),
        Just("b"),
        Just("passenger"),
        Just("pa\\u017fsenger"),
        Just("id"),
        Just("ID"),
        Just("0"),
        Just("a/b"),
        Just("~"),
        Just(""),
        Just("\\n"),
        Just("\u{212a}"),
        Just("k"),
    ];
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        "\"[ -!#-\\[\\]-~é\u{1f600}]{0,4}(\\\\(u[0-9a-fA-Fd]{4}|[\"\\\\/bfnrtx]))?\"",
    ];
    let space = prop_oneof![Just(""), Just(""), Just(""), Just(" "), Just("\n\t")];
    scalar.prop_recursive(5, 24, 4, move |inner| {
        let member = (name.clone(), space.clone(), inner.clone())
            .prop_map(|(name, space, value)| format!("\"{name}\"{space}:{space}{value}"));
        prop_oneof![
            (prop::collection::vec(inner, 0..4), space.clone())
                .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(","))),
            (prop::collection::vec(member, 0..4), space.clone())
                .prop_map(|(members, space)| format!("{{{space}{}{space}}}", members.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_oracle_agrees_on_json(text in texts()) {
        oracle::compare(text.as_bytes());
    }

    #[test]
    fn the_oracle_agrees_on_what_is_nearly_json(
        text in texts(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![Just(b'"'), Just(b'\\'), Just(b','), Just(b'}'), Just(b'0'), Just(b'u'), any::<u8>()],
        how in 0..3,
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len() + 1);
        match how {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => bytes[at] = byte,
            _ => bytes.truncate(at),
        }
        oracle::compare(&bytes);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        oracle::compare(&bytes);
    }
}
