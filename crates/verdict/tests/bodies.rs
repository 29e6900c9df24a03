//! Rules that read bodies: when a body is asked for, how it is read, and what is refused.

mod common;

use common::{NOW, code, document, judge_at, request, snapshot, token};
use serde_json::{Value, json};
use verdict::{Body, BodyNeed, Snapshot, Verdict, document::required_by};

const JSON: (&str, &[u8]) = ("content-type", b"application/json");
const FORM: (&str, &[u8]) = ("content-type", b"application/x-www-form-urlencoded");

fn bodies() -> Value {
    let mut document = document();
    document["requires"] = json!(["bodies"]);
    document["hosts"][0]["rules"] = json!([
        {"method": "POST", "path": "/book", "action": "flights:book", "resource": "flights://offers/{body./offer}",
         "body": "json", "max_body": 200,
         "params": {"user": {"from": "body./passenger/id"}, "price": {"from": "body./price", "type": "number"},
                    "direct": {"from": "body./direct", "type": "boolean"}}},
        {"method": "POST", "path": "/rds", "query": {"Action": "optional", "Version": "optional"},
         "form": {"Action": "required", "Version": "optional", "n": "optional"}, "body": "form",
         "action": "rds:{form.Action}", "resource": "rds://db", "params": {"n": {"from": "form.n", "type": "number"}}},
        {"method": "POST", "path": "/checked", "action": "any:Json", "resource": "any://json", "body": "json"},
        {"method": "POST", "path": "/blob", "action": "any:Blob", "resource": "any://blob", "body": "opaque"},
        {"method": "GET", "path": "/healthz", "action": "none"}
    ]);
    document
}

fn grants() -> String {
    let mut claims = common::claims();
    claims["authorization_details"] = json!([
        {"type": "task_grant", "actions": ["flights:book"], "resources": ["flights://offers/*"],
         "constraints": {"user": {"eq": "u7"}, "price": {"max": 900}}},
        {"type": "task_grant", "actions": ["flights:book"], "resources": ["flights://offers/*"],
         "constraints": {"direct": {"eq": true}}},
        {"type": "task_grant", "actions": ["rds:Describe*", "any:*"], "resources": ["rds://db", "any://*"],
         "constraints": {}}
    ]);
    claims["authorization_details"][2].as_object_mut().unwrap().remove("constraints");
    token(&claims)
}

struct World {
    snapshot: Snapshot,
    token: String,
}

impl World {
    fn new() -> Self {
        Self { snapshot: snapshot(&bodies()), token: grants() }
    }

    fn verdict(&self, path: &str, body: Body<'_>, more: &[(&str, &[u8])]) -> Verdict {
        judge_at(&self.snapshot, &request("POST", path, Some(&self.token), more), body, NOW)
    }

    fn code(&self, path: &str, body: Body<'_>, more: &[(&str, &[u8])]) -> &'static str {
        code(&self.verdict(path, body, more))
    }

    fn book(&self, body: &str) -> &'static str {
        self.code("/book", Body::Whole(body.as_bytes()), &[JSON])
    }

    fn rds(&self, path: &str, body: &str) -> &'static str {
        self.code(path, Body::Whole(body.as_bytes()), &[FORM])
    }
}

#[test]
fn a_body_is_asked_for_only_when_nothing_else_is_left() {
    let world = World::new();
    assert_eq!(world.verdict("/book", Body::Present, &[JSON]), Verdict::NeedsBody(BodyNeed { most: 200 }));
    assert_eq!(world.verdict("/rds", Body::Present, &[FORM]), Verdict::NeedsBody(BodyNeed { most: 65_536 }));
    assert_eq!(world.code("/blob", Body::Present, &[JSON]), "allow");
    for (more, wanted) in [
        (&[][..], "body_invalid"),
        (&[FORM], "body_invalid"),
        (&[JSON, JSON], "body_invalid"),
        (&[JSON, ("content_type", b"text/plain")], "body_invalid"),
        (&[JSON, ("content-encoding", b"gzip")], "body_invalid"),
        (&[JSON, ("content-encoding", b"identity")], "body_invalid"),
        (&[JSON, ("content-length", b"201")], "body_too_large"),
        (&[JSON, ("content-length", b"9999999999999999999")], "body_too_large"),
        (&[JSON, ("content-length", b"200")], "needs_body"),
    ] {
        assert_eq!(world.code("/book", Body::Present, more), wanted, "{more:?}");
    }
    // A stranger makes nobody read a body, and learns nothing of the rule.
    let stranger = |more: &[(&str, &[u8])]| {
        code(&judge_at(&world.snapshot, &request("POST", "/book", None, more), Body::Present, NOW))
    };
    assert_eq!((stranger(&[JSON]), stranger(&[FORM])), ("missing_token", "missing_token"));
    let expired = request("POST", "/book", Some(&world.token), &[JSON]);
    assert_eq!(code(&judge_at(&world.snapshot, &expired, Body::Present, NOW + 600)), "expired");
}

#[test]
fn json_is_held_against_constraints_by_its_types() {
    let world = World::new();
    assert_eq!(world.book(r#"{"offer":"o1","passenger":{"id":"u7"},"price":899.99}"#), "allow");
    assert_eq!(world.book(r#"{"offer":"o1","passenger":{"id":"u7"},"price":900.00}"#), "allow");
    assert_eq!(world.book(r#"{"offer":"o1","direct":true}"#), "allow");
    for body in [
        r#"{"offer":"o1","passenger":{"id":"u8"},"price":1}"#,
        r#"{"offer":"o1","passenger":{"id":"u7"},"price":900.0000000000000000001}"#,
        r#"{"offer":"o1","passenger":{"id":"u7"},"price":9e2}"#,
        r#"{"offer":"o1","passenger":{"id":"u7"},"price":"1"}"#,
        r#"{"offer":"o1","passenger":{"id":"u7"},"price":null}"#,
        r#"{"offer":"o1","passenger":{"id":"u7"},"price":[1]}"#,
        r#"{"offer":"o1","passenger":{"id":["u7"]},"price":1}"#,
        r#"{"offer":"o1","passenger":[{"id":"u7"}],"price":1}"#,
        r#"{"offer":"o1","passenger":"u7","price":1}"#,
        r#"{"offer":"o1","price":1}"#,
        r#"{"offer":"o1","direct":"true"}"#,
        r#"{"offer":"o1","direct":1}"#,
    ] {
        assert_eq!(world.book(body), "constraint_violated", "{body}");
    }
    // A placeholder has no type to be of but a string's.
    for body in
        [r#"{"offer":7,"direct":true}"#, r#"{"direct":true}"#, r#"{"offer":"a/b","direct":true}"#, r#"[]"#]
    {
        assert_eq!(world.book(body), "ambiguous_request", "{body}");
    }
}

#[test]
fn what_reads_two_ways_or_not_at_all_is_refused() {
    let world = World::new();
    for (body, wanted) in [
        (r#"{"offer":"o1","direct":true,"direct":true}"#, "body_invalid"),
        (r#"{"offer":"o1","direct":true,"x":{"a":1,"a":1}}"#, "body_invalid"),
        (r#"{"offer":"o1","direct":true,"Direct":false}"#, "ambiguous_request"),
        (r#"{"offer":"o1","direct":true,"x":{"a":1,"A":1}}"#, "ambiguous_request"),
        (r#"{"Offer":"o1","direct":true}"#, "ambiguous_request"),
        (r#"{"offer":"o1","direct":true}{}"#, "body_invalid"),
        (r#"{"offer":"o1","direct":true"#, "body_invalid"),
        ("\u{feff}{\"offer\":\"o1\",\"direct\":true}", "body_invalid"),
        (r#"{"offer":"o\u0000","direct":true}"#, "body_invalid"),
        ("offer=o1&direct=true", "body_invalid"),
    ] {
        assert_eq!(world.book(body), wanted, "{body}");
    }
    assert_eq!(world.book(""), "body_invalid");
    assert_eq!(world.code("/book", Body::Absent, &[]), "body_invalid");
    let long = format!(r#"{{"offer":"o1","direct":true{:1$}}}"#, "", 200 - 28);
    assert_eq!((long.len(), world.book(&long)), (200, "allow"));
    assert_eq!(world.book(&(long + " ")), "body_too_large");
}

#[test]
fn a_body_that_is_not_whole_is_judged_by_nobody() {
    let world = World::new();
    for path in ["/book", "/rds", "/checked"] {
        let own = if path == "/rds" { FORM } else { JSON };
        assert_eq!(world.code(path, Body::TooLarge, &[own]), "body_too_large");
        assert_eq!(world.code(path, Body::Cut, &[own]), "body_invalid");
        assert_eq!(world.code(path, Body::Unread, &[own]), "server_unavailable");
    }
    for body in [Body::TooLarge, Body::Cut, Body::Unread, Body::Whole(b"x")] {
        assert_eq!(world.code("/blob", body, &[]), "allow", "a rule that reads none");
    }
    let whole = Body::Whole(b"[]");
    assert_eq!(world.code("/checked", whole, &[JSON, ("content-length", b"2")]), "allow");
    assert_eq!(world.code("/checked", whole, &[JSON, ("content-length", b"1")]), "malformed_request");
    assert_eq!(world.code("/checked", whole, &[JSON, ("content-length", b"3")]), "malformed_request");
}

#[test]
fn a_form_is_read_like_a_query() {
    let world = World::new();
    assert_eq!(world.rds("/rds", "Action=DescribeInstances"), "allow");
    assert_eq!(world.rds("/rds", "Action=Describe%49nstances&n=1"), "allow");
    assert_eq!(world.rds("/rds?Version=1", "Action=DescribeInstances"), "allow");
    assert_eq!(world.rds("/rds", "Action=DeleteInstance"), "not_granted");
    for (path, body) in [
        ("/rds?Action=DescribeInstances", "Action=DescribeInstances"),
        ("/rds?Action=DescribeInstances", "Action=DeleteInstance"),
        ("/rds?Action=DescribeInstances", ""),
        ("/rds?Version=1", "Action=DescribeInstances&Version=1"),
        ("/rds", "Action=DescribeInstances&Action=DeleteInstance"),
        ("/rds", "Action=DescribeInstances&action=DeleteInstance"),
        ("/rds", "Action=DescribeInstances&Action[]=DeleteInstance"),
        ("/rds", "Action=DescribeInstances&acl"),
        ("/rds", "Action=DescribeInstances&"),
        ("/rds", "Action=DescribeInstances;n=1"),
        ("/rds", "Action=DescribeInstances\n"),
        ("/rds", "Action=%ff"),
        ("/rds", "Action="),
        ("/rds", "n=1"),
        ("/rds", ""),
        ("/rds", "{\"Action\":\"DescribeInstances\"}"),
    ] {
        assert_eq!(world.rds(path, body), "ambiguous_request", "{path} {body}");
    }
    assert_eq!(world.code("/rds", Body::Whole(b"Action=DescribeInstances"), &[JSON]), "body_invalid");
}

#[test]
fn shadow_forwards_what_it_would_deny() {
    let mut document = bodies();
    document["hosts"][0]["mode"] = json!({"shadow": {"until": NOW + 60}});
    let world = World { snapshot: snapshot(&document), token: grants() };
    for body in [Body::Whole(b"{"), Body::TooLarge, Body::Cut, Body::Unread] {
        let Verdict::Allow(permit) = world.verdict("/checked", body, &[JSON]) else { panic!("{body:?}") };
        assert!(permit.shadowed_denial().is_some() && permit.edits().set.is_empty());
    }
    assert_eq!(world.code("/checked", Body::Present, &[JSON]), "needs_body");
}

#[test]
fn rules_say_how_a_body_is_read() {
    let refusal = |change: &dyn Fn(&mut Value)| {
        let mut document = bodies();
        change(&mut document["hosts"][0]["rules"]);
        let text = document.to_string();
        Snapshot::from_json(text.as_bytes()).unwrap_err().to_string()
    };
    for (change, wanted) in [
        (
            &(|rules: &mut Value| rules[0]["body"] = json!("opaque")) as &dyn Fn(&mut Value),
            "rules[0].resource: reads JSON",
        ),
        (
            &|rules| rules[0]["params"]["user"]["from"] = json!("body.passenger"),
            "rules[0].params.user.from: `passenger`",
        ),
        (&|rules| rules[0]["max_body"] = json!(0), "rules[0].max_body: 1 to 1048576 bytes"),
        (&|rules| rules[0]["max_body"] = json!(1_048_577), "rules[0].max_body: 1 to 1048576 bytes"),
        (&|rules| rules[1]["body"] = json!("json"), "rules[1].form: names of a form"),
        (
            &|rules| rules[1]["form"] = json!({"Version": "optional"}),
            "rules[1].action: `form.Action` is not declared",
        ),
        (
            &|rules| rules[1]["form"]["access_token"] = json!("optional"),
            "rules[1].form.access_token: this name",
        ),
        (&|rules| rules[3]["max_body"] = json!(1), "rules[3].max_body: only a body"),
        (&|rules| rules[4]["body"] = json!("json"), "rules[4].body: an exempt rule reads no body"),
    ] {
        let refused = refusal(change);
        assert!(refused.contains(wanted), "{refused}");
    }
}

#[test]
fn a_document_says_that_it_needs_readers_of_bodies() {
    let hosts = |document: &Value| serde_json::from_value::<Vec<_>>(document["hosts"].clone()).unwrap();
    assert_eq!(required_by(&hosts(&bodies())), ["bodies"]);
    assert_eq!(required_by(&hosts(&document())), [""; 0]);
}
