//! `EnvoyFilter` patches, applied as istiod applies them, as far as the manifests use it.

use serde_json::{Map, Value};

use super::manifests::manifests;

/// The patches of the `EnvoyFilter` with this name.
pub(super) fn patches_of(name: &str) -> Vec<Value> {
    let all = manifests();
    let is_it = |value: &&Value| value["kind"] == "EnvoyFilter" && value["metadata"]["name"] == name;
    let filter = all.iter().map(|manifest| &manifest.value).find(is_it);
    filter.unwrap_or_else(|| panic!("no EnvoyFilter `{name}`"))["spec"]["configPatches"]
        .as_array()
        .unwrap()
        .clone()
}

/// Applies one patch. What it does not know, no manifest may use.
pub(super) fn apply(bootstrap: &mut Value, patch: &Value) {
    let value = &patch["patch"]["value"];
    let operation = patch["patch"]["operation"].as_str().unwrap();
    match (patch["applyTo"].as_str().unwrap(), operation) {
        // Served beside the listener: see `super::mesh`.
        ("EXTENSION_CONFIG", "ADD") => {}
        // Nothing merges into clusters of Istio's own, which requests of the application go through.
        ("CLUSTER", "ADD") => {
            assert_eq!(patch["match"], serde_json::json!({"context": "SIDECAR_OUTBOUND"}));
            bootstrap["static_resources"]["clusters"].as_array_mut().unwrap().push(value.clone());
        }
        ("NETWORK_FILTER", "MERGE") => {
            inbound(patch);
            merge(&mut filter(bootstrap)["typed_config"], &value["typed_config"]);
        }
        ("HTTP_FILTER", operation) => {
            let next_to = &inbound(patch)["subFilter"]["name"];
            let filters = filter(bootstrap)["typed_config"]["http_filters"].as_array_mut().unwrap();
            let at = filters.iter().position(|filter| filter["name"] == *next_to);
            match operation {
                "INSERT_FIRST" => filters.insert(0, value.clone()),
                "INSERT_BEFORE" => filters.insert(at.expect("the filter to stand before"), value.clone()),
                "MERGE" => merge(&mut filters[at.expect("the filter to merge with")], value),
                other => panic!("{other}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

/// The connection manager of the inbound listener.
fn filter(bootstrap: &mut Value) -> &mut Value {
    bootstrap.pointer_mut("/static_resources/listeners/0/filter_chains/0/filters/0").unwrap()
}

/// What a patch of inbound listeners is matched by.
fn inbound(patch: &Value) -> &Value {
    assert_eq!(patch["match"]["context"], "SIDECAR_INBOUND");
    let filter = &patch["match"]["listener"]["filterChain"]["filter"];
    assert_eq!(filter["name"], "envoy.filters.network.http_connection_manager");
    filter
}

/// Members that are messages of their own (`google.protobuf.BoolValue`), so that `false` is a value of theirs.
const WRAPPED: [&str; 1] = ["normalize_path"];

/// As protobuf merges: messages member by member, lists one after the other, scalars replaced. A scalar that is not a
/// message of its own is not there if it has its default, so it would replace nothing: no manifest may rely on one.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                let is_default = [Value::from(false), 0.into(), "".into()].contains(value);
                assert!(
                    !is_default || WRAPPED.contains(&name.as_str()),
                    "`{name}: {value}` merges to nothing"
                );
                merge(into.entry(name).or_insert(Value::Object(Map::new())), value);
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from.iter().cloned()),
        (into, from) => *into = from.clone(),
    }
}
