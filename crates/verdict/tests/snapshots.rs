//! A document that is not fully understood is no snapshot, and the error says where.

mod common;

use common::{document, encode};
use serde_json::{Value, json};
use verdict::Snapshot;

fn error(change: impl FnOnce(&mut Value)) -> String {
    let mut document = document();
    change(&mut document);
    Snapshot::from_json(document.to_string().as_bytes()).expect_err("must be refused").to_string()
}

#[test]
fn versions_and_features_this_reader_does_not_know() {
    assert_eq!(
        error(|document| {
            document["format"] = json!(2);
            document["later"] = json!(1);
        }),
        "snapshot: format 2 is not known to this version, which reads format 1"
    );
    assert_eq!(
        error(|document| document["requires"] = json!(["leases"])),
        "snapshot: requires `leases`, which this version does not have"
    );
}

#[test]
fn the_place_is_named() {
    for (wanted, change) in [
        (
            "snapshot: keys[0].x: not 32 bytes",
            &(|d: &mut Value| d["keys"][0]["x"] = json!("AAAA")) as &dyn Fn(&mut Value),
        ),
        ("snapshot: keys[0].x: a point of small order", &|d| {
            let mut identity = [0; 32];
            identity[0] = 1;
            d["keys"][0]["x"] = json!(encode(identity));
        }),
        ("snapshot: keys[0].alg: `ES256` is not `EdDSA`", &|d| d["keys"][0]["alg"] = json!("ES256")),
        ("snapshot: keys[1].kid: `key-1` is listed twice", &|d| {
            d["keys"] = json!([d["keys"][0], d["keys"][0]]);
        }),
        ("snapshot: leeway: 6 s is over the largest, 5 s", &|d| d["leeway"] = json!(6)),
        ("snapshot: revocations[0]: not base64url (RFC 4648 section 5, unpadded) of 16 bytes", &|d| {
            d["revocations"] = json!(["x"]);
        }),
        ("snapshot: hosts[1].names: `logs.internal` is listed twice", &|d| {
            d["hosts"] = json!([d["hosts"][0], d["hosts"][0]]);
        }),
        ("snapshot: hosts[0].hosts: `Logs:80` is not a lower-case host name without port", &|d| {
            d["hosts"][0]["names"] = json!(["Logs:80"]);
        }),
        (
            "snapshot: hosts[0].rules[0].path: never matches: write literals decoded, without `%`, `\\`, `?`, `#` and `;`",
            &|d| d["hosts"][0]["rules"][0]["path"] = json!("/a%20b"),
        ),
        (
            "snapshot: hosts[0].rules[4].method: a method has upper-case letters; another one never matches",
            &|d| d["hosts"][0]["rules"][4]["method"] = json!("get"),
        ),
        (
            "snapshot: hosts[0].rules[5].path: never matches: rule 0 has the same method and the same path shape",
            &|d| {
                d["hosts"][0]["rules"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"method": "GET", "path": "/{x}", "action": "none"}));
            },
        ),
        (
            "snapshot: hosts[0].rules[1].resource: `{nokey}` is no placeholder of the path, no `{query.name}`, `{header.name}`, `{form.name}` or `{body./pointer}`",
            &|d| d["hosts"][0]["rules"][1]["resource"] = json!("s3://{bucket}/{nokey}"),
        ),
        ("snapshot: hosts[0].rules[3].action: `query.Verb` is not declared under `query`", &|d| {
            d["hosts"][0]["rules"][3]["action"] = json!("rds:{query.Verb}");
        }),
    ] {
        assert_eq!(error(change), wanted);
    }
}

#[test]
fn unknown_and_repeated_members() {
    assert!(error(|d| d["extra"] = json!(1)).contains("unknown field `extra`"));
    assert!(error(|d| d["hosts"][0]["extra"] = json!(1)).contains("unknown field `extra`"));
    assert!(
        error(|d| d["hosts"][0]["rules"][0]["credential"] = json!("x"))
            .contains("unknown field `credential`")
    );
    assert!(error(|d| d["hosts"][0]["mode"] = json!("open")).contains("unknown variant `open`"));
    let twice = document().to_string().replacen('{', r#"{"leeway":0,"#, 1);
    assert!(
        Snapshot::from_json(twice.as_bytes()).unwrap_err().to_string().contains("duplicate field `leeway`")
    );
}
