//! One Envoy with a listener for each variant, all alike but for their HTTP filters.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use harness::{
    Result,
    envoy::{Config, Shipped},
    error::unexpected,
    forge::Key,
};
use serde_json::{Value, json};
use writ_benches::{HOST, ISSUER};

use super::{parts::SECRET, variant::Variant};

/// Cluster of the server that answers OK.
const DO_NOTHING: &str = "do-nothing";

/// Cluster of the Writ server's feed.
pub(super) const FEED: &str = "feed";

/// What the listeners need.
pub(super) struct Inputs<'i> {
    pub(super) upstream: SocketAddr,
    /// Data directory of the Writ server.
    pub(super) data: &'i Path,
    /// The variants of the filter with their Envoy resources.
    pub(super) filters: &'i [(Variant, PathBuf)],
    /// Unix socket of the do-nothing server.
    pub(super) do_nothing: &'i Path,
    pub(super) key: &'i Key,
}

/// The shipped bootstrap for ext_authz with its listener copied and access logs off: they cost the same everywhere.
///
/// # Errors
/// The shipped file is missing or has another form.
pub(super) fn bootstrap(variants: &[Variant], inputs: &Inputs<'_>) -> Result<Config> {
    let mut config = Config::shipped(Shipped::ExtAuthz, inputs.data)?;
    config.upstream("upstream", inputs.upstream)?;
    let mut root = config.into_value();
    let listeners = list(&mut root, "/static_resources/listeners")?;
    let shipped = listeners.first().cloned().ok_or_else(|| unexpected("no listener"))?;
    *listeners =
        variants.iter().map(|&variant| listener(&shipped, variant, inputs)).collect::<Result<_>>()?;
    let clusters = list(&mut root, "/static_resources/clusters")?;
    let writ = clusters.iter().find(|cluster| cluster.get("name") == Some(&"writ".into()));
    let writ = writ.cloned().ok_or_else(|| unexpected("no cluster `writ`"))?;
    let on_socket = |name: &str, socket: &Path| {
        let mut cluster = writ.clone();
        cluster["name"] = name.into();
        cluster["load_assignment"] = json!({
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": socket}}}}]}],
        });
        cluster
    };
    let (do_nothing, feed) = (inputs.do_nothing, inputs.data.join("data-plane.sock"));
    clusters.extend([on_socket(DO_NOTHING, do_nothing), on_socket(FEED, &feed)]);
    // A filter that comes by a discovery service, if only from a file, needs to know who asks for it.
    root["static_resources"]["secrets"] =
        json!([{"name": "key", "generic_secret": {"secret": {"inline_string": format!("Bearer {SECRET}")}}}]);
    root["node"] = json!({"id": "bench", "cluster": "bench"});
    Ok(Config::from_value(root))
}

fn listener(shipped: &Value, variant: Variant, inputs: &Inputs<'_>) -> Result<Value> {
    let mut listener = shipped.clone();
    listener["name"] = variant.listener().into();
    let manager = listener
        .pointer_mut("/filter_chains/0/filters/0/typed_config")
        .ok_or_else(|| unexpected("no connection manager"))?;
    manager["access_log"] = json!([]);
    let shipped = list(manager, "/http_filters")?;
    let router = shipped.last().cloned().ok_or_else(|| unexpected("no router"))?;
    let mut filters = match variant {
        Variant::NoFilter | Variant::BodyNoFilter => Vec::new(),
        Variant::Jwt => vec![jwt(inputs.key, false)],
        Variant::JwtCached => vec![jwt(inputs.key, true), rbac()],
        Variant::DoNothing => vec![do_nothing()],
        Variant::Injector => vec![jwt(inputs.key, true), rbac(), injector()],
        Variant::ExtAuthz => shipped.iter().take(shipped.len() - 1).cloned().collect(),
        _ => {
            let resource = inputs.filters.iter().find(|(other, _)| *other == variant);
            let ours = filter(&resource.ok_or_else(|| unexpected("a filter without a resource"))?.1);
            if variant == Variant::FilterInjects { vec![ours, guard(inputs.data)?] } else { vec![ours] }
        }
    };
    filters.push(router);
    *shipped = filters;
    Ok(listener)
}

fn jwt(key: &Key, full: bool) -> Value {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": ["mesh"],
        "local_jwks": {"inline_string": json!({"keys": [key.jwk()]}).to_string()},
        "forward": !full,
    });
    if full {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 10_000});
        let claims = [("x-writ-task", "txn"), ("x-writ-agent", "sub"), ("x-writ-client", "client_id")];
        let claims = claims.map(|(header, claim)| json!({"header_name": header, "claim_name": claim}));
        provider["claim_to_headers"] = claims.into();
    }
    typed(
        "envoy.filters.http.jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        json!({
            "providers": {"writ": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "writ"}}],
        }),
    )
}

/// Client, host, method and path: what the filter's rule and the token's grant say together.
fn rbac() -> Value {
    let header = |name: &str, value: &str| json!({"name": name, "string_match": {"exact": value}});
    typed(
        "envoy.filters.http.rbac",
        "rbac.v3.RBAC",
        json!({
            "rules": {"action": "ALLOW", "policies": {"logs": {
                "permissions": [{"and_rules": {"rules": [
                    {"header": header(":authority", HOST)},
                    {"header": header(":method", "GET")},
                    {"url_path": {"path": {"prefix": "/my-bucket/logs/2026-05/"}}},
                ]}}],
                "principals": [{"header": header("x-writ-client", "log-janitor")}],
            }}},
        }),
    )
}

/// Envoy's own way to send a secret, from its configuration.
fn injector() -> Value {
    let generic = json!({
        "@type": "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic",
        "credential": {"name": "key"},
    });
    typed(
        "envoy.filters.http.credential_injector",
        "credential_injector.v3.CredentialInjector",
        json!({
            "overwrite": true,
            "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": generic},
        }),
    )
}

/// The rule behind the filter, as shipped.
fn guard(data: &Path) -> Result<Value> {
    let mut shipped = Config::shipped(Shipped::Wasm, data)?;
    let filters = list(shipped.connection_manager()?, "/http_filters")?;
    let rule = filters.iter().find(|filter| filter.get("name") == Some(&"envoy.filters.http.rbac".into()));
    rule.cloned().ok_or_else(|| unexpected("no rule behind the filter"))
}

/// The least that asks a server, over the same kind of socket as the Writ server's.
fn do_nothing() -> Value {
    typed(
        "envoy.filters.http.ext_authz",
        "ext_authz.v3.ExtAuthz",
        json!({
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": DO_NOTHING}, "timeout": "0.5s"},
        }),
    )
}

fn filter(resource: &Path) -> Value {
    json!({"name": "writ", "config_discovery": {
        "config_source": {"path_config_source": {"path": resource}, "resource_api_version": "V3"},
        "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
    }})
}

fn typed(name: &str, message: &str, mut config: Value) -> Value {
    config["@type"] = format!("type.googleapis.com/envoy.extensions.filters.http.{message}").into();
    json!({"name": name, "typed_config": config})
}

fn list<'v>(value: &'v mut Value, place: &str) -> Result<&'v mut Vec<Value>> {
    let found = value.pointer_mut(place).and_then(Value::as_array_mut);
    found.ok_or_else(|| unexpected(format!("no list at `{place}`")))
}
