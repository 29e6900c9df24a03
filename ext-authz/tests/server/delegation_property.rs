//! No exchange yields a token that allows a request its parent does not.

use proptest::{
    prelude::{Just, Strategy, prop_oneof},
    sample::select,
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use verdict::grant::{Grant, Scalar};

use crate::support::{
    Setup,
    clients::{claims, text},
    sha256,
};

/// Exchanges that are tried.
const ROUNDS: usize = 300;

const POLICY: &str = r#"
namespace: shop
clients:
  boss:
    authenticate: {secret_sha256: "BOSS"}
    agents: ["*"]
    may_request:
      - {actions: ["shop:*"], resources: ["shop://**", "shop://*"], max_ttl: 15m, max_depth: 8}
    may_delegate:
      - {from: ["*"], to: ["*"]}
routes:
  - hosts: [shop.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/healthz", action: none}
"#;

const ACTIONS: [&str; 4] = ["shop:Get", "shop:GetAll", "shop:Put", "shop:P"];
const RESOURCES: [&str; 6] =
    ["shop://a", "shop://b", "shop://a/x", "shop://a/x/y", "shop://a/xy", "shop://b/x"];
const NAMES: [&str; 4] = ["x", "x/y", "xy", "z"];

fn predicate() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(&NAMES[..]).prop_map(|name| json!({ "eq": name })),
        Just(json!({"in": ["x", "z"]})),
        select(vec!["x*", "*", "x/*", "*y"]).prop_map(|glob| json!({ "glob": glob })),
        (0..4).prop_map(|max| json!({ "max": max })),
        (0..4, 0..4).prop_map(|(min, max)| json!({"min": min, "max": max})),
    ]
}

fn grant() -> impl Strategy<Value = Value> {
    let action = select(vec!["shop:*", "shop:Get*", "shop:Get", "shop:GetAll", "shop:P*", "shop:Put"]);
    let resource = select(vec![
        "shop://**",
        "shop://*",
        "shop://a",
        "shop://a/**",
        "shop://a/*",
        "shop://a/x*",
        "shop://a/x/*",
        "shop://*/x",
        "shop://b",
    ]);
    let constraints = proptest::collection::btree_map(select(vec!["p", "q"]), predicate(), 0..3);
    let (actions, resources) =
        (proptest::collection::vec(action, 1..3), proptest::collection::vec(resource, 1..3));
    (actions, resources, constraints).prop_map(|(actions, resources, constraints)| {
        let mut grant = json!({"type": "task_grant", "actions": actions, "resources": resources});
        if !constraints.is_empty() {
            grant["constraints"] = json!(constraints);
        }
        grant
    })
}

/// Every request of a small world: action, resource and parameters.
fn requests() -> Vec<(&'static str, &'static str, [Option<Scalar>; 2])> {
    let text = |name: &str| serde_json::from_value::<Scalar>(json!(name)).unwrap();
    let number = |number: u32| serde_json::from_value::<Scalar>(json!(number)).unwrap();
    let values: Vec<Option<Scalar>> = NAMES
        .iter()
        .map(|name| Some(text(name)))
        .chain((0..4).map(|n| Some(number(n))))
        .chain([None])
        .collect();
    let mut requests = Vec::new();
    for action in ACTIONS {
        for resource in RESOURCES {
            for p in &values {
                for q in &values {
                    requests.push((action, resource, [p.clone(), q.clone()]));
                }
            }
        }
    }
    requests
}

fn grants(token: &str) -> Vec<Grant> {
    serde_json::from_value(claims(token)["authorization_details"].clone()).unwrap()
}

fn allow(grants: &[Grant], (action, resource, [p, q]): &(&str, &str, [Option<Scalar>; 2])) -> bool {
    let value = |name: &str| if name == "p" { p.as_ref() } else { q.as_ref() };
    grants.iter().any(|grant| grant.covers(action, resource, value).is_ok())
}

/// A grant of the parent with some of its members as `drawn` has them; as drawn where there is no parent.
fn edited(parent: &Value, drawn: Value, edit: u8, of: usize) -> Value {
    let Some(grants) = parent.as_array().filter(|grants| !grants.is_empty()) else { return drawn };
    let mut grant = grants[of % grants.len()].clone();
    for (bit, member) in [(1, "actions"), (2, "resources"), (4, "constraints")] {
        if edit & bit != 0 && !drawn[member].is_null() {
            grant[member] = drawn[member].clone();
        }
    }
    if edit & 8 != 0 {
        // One more to hold.
        grant["constraints"]["q"] = json!({"eq": "x"});
    }
    grant
}

#[tokio::test]
async fn no_exchange_widens() {
    let setup = Setup::bare().write("policies/shop.yaml", &POLICY.replace("BOSS", &sha256("boss-secret")));
    let writ = setup.serve().await;
    let boss = writ.client("boss");
    let requests = requests();
    let mut runner = TestRunner::deterministic();
    let edits = proptest::collection::vec((grant(), 0..16_u8, 0..2_usize), 1..3);
    let mut draw = |parent: &Value| {
        let edits = edits.new_tree(&mut runner).unwrap().current();
        edits
            .into_iter()
            .map(|(drawn, edit, of)| edited(parent, drawn, edit, of))
            .collect::<Value>()
            .to_string()
    };
    let (mut passed, mut refused, mut narrowed) = (0, 0, 0);
    let mut parent = None;
    while passed + refused < ROUNDS {
        let Some(token) = parent.take() else {
            let started = boss.post("/v1/tasks", &format!(r#"{{"grants":{}}}"#, draw(&json!([])))).await;
            // Constraints that contradict themselves and grants that repeat one another are refused.
            parent = started.status.is_success().then(|| text(&started.json()["access_token"]));
            continue;
        };
        let asked = draw(&claims(&token)["authorization_details"]);
        let answer = boss.exchange(&token, &[("agent", "worker"), ("authorization_details", &asked)]).await;
        if !answer.status.is_success() {
            refused += 1;
            // From the same parent again, now and then.
            parent = (refused % 8 != 0).then_some(token);
            continue;
        }
        passed += 1;
        let child = text(&answer.json()["access_token"]);
        let (of_child, of_parent) = (grants(&child), grants(&token));
        for request in &requests {
            let (allowed, before) = (allow(&of_child, request), allow(&of_parent, request));
            assert!(
                !allowed || before,
                "{request:?} by {asked}, out of {}",
                claims(&token)["authorization_details"]
            );
            narrowed += usize::from(before && !allowed);
        }
        let (of_child, of_parent) = (claims(&child), claims(&token));
        assert!(of_child["exp"].as_u64() <= of_parent["exp"].as_u64());
        assert!(of_child["writ"]["max_depth"].as_u64() <= of_parent["writ"]["max_depth"].as_u64());
        parent = (of_child["writ"]["depth"].as_u64() < Some(8)).then_some(child);
    }
    // Both outcomes, and tokens that allow less: else this would have shown nothing.
    assert!(passed > ROUNDS / 20 && refused > ROUNDS / 20 && narrowed > 0, "{passed} {refused} {narrowed}");
}
