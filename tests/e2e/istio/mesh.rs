//! A sidecar as Istio configures one, with the manifests' patches applied. It has the parts that the patches touch, the
//! connection manager of an inbound port and the filters of a policy with a provider, and those that they must not: the
//! application's way out to the server, through the cluster that Istio makes of its service.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use harness::{
    Result,
    envoy::Config,
    error::IoContext,
    paths,
    pki::{HOLDER, Pki},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    manifests::manifests,
    patches::{apply, patches_of},
};

/// What judges requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enforced {
    /// filter.yaml.
    Filter,
    /// filter.yaml without its last deny.
    FilterAlone,
    /// filter.yaml without its filter.
    FilterTakenOut,
    /// ext-authz.yaml.
    ExtAuthz,
}

/// What a sidecar finds around itself.
pub(super) struct Mesh<'m> {
    /// Where its files are.
    pub(super) data: PathBuf,
    /// The server's gRPC port.
    pub(super) writ: SocketAddr,
    /// The content of the mounted Secret.
    pub(super) secret: &'m str,
    /// The mesh's certificates: the server has that of `holder`, the sidecar that of `other`.
    pub(super) pki: &'m Pki,
}

/// What Istio makes of the server's service: requests of the application go here.
pub(super) const ISTIOS_CLUSTER: &str = "outbound|9000||writ.writ-system.svc.cluster.local";
/// What the manifests add.
pub(super) const OWN_CLUSTER: &str = "writ-data-plane";
/// Where the application's requests to port 9000 go in.
pub(super) const OUTBOUND: &str = "0.0.0.0_9000";
const SERVICE: &str = "writ.writ-system.svc.cluster.local";
const SERVER_IDENTITY: &str = "spiffe://cluster.local/ns/writ-system/sa/writ";

pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The extension that filter.yaml has istiod serve.
pub(super) fn extension() -> Value {
    let patches = patches_of("writ-filter");
    patches.iter().find(|patch| patch["applyTo"] == "EXTENSION_CONFIG").unwrap()["patch"]["value"].clone()
}

impl Mesh<'_> {
    /// The configuration, with its files written.
    pub(super) fn bootstrap(&self, enforced: Enforced) -> Result<Config> {
        let mut bootstrap = self.patched(enforced);
        self.place_files(&mut bootstrap)?;
        // The same mutual TLS as Istio's own clusters have.
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
        let socket = named(clusters, OWN_CLUSTER)["transport_socket"].clone();
        named(clusters, ISTIOS_CLUSTER)["transport_socket"] = socket;
        Ok(Config::new(bootstrap))
    }

    /// The configuration as istiod would serve it, before anything is put in place.
    pub(super) fn patched(&self, enforced: Enforced) -> Value {
        let mut bootstrap = self.as_istio_makes_it(enforced == Enforced::ExtAuthz);
        let mut patches = patches_of("writ-data-plane");
        patches.extend(match enforced {
            Enforced::ExtAuthz => patches_of("writ-ext-authz"),
            _ => patches_of("writ-filter"),
        });
        let taken_out = match enforced {
            Enforced::Filter | Enforced::ExtAuthz => None,
            Enforced::FilterAlone => Some("writ.granted"),
            Enforced::FilterTakenOut => Some("logs.writ"),
        };
        patches.retain(|patch| taken_out.is_none() || patch["patch"]["value"]["name"].as_str() != taken_out);
        for patch in &patches {
            apply(&mut bootstrap, patch);
        }
        bootstrap
    }

    /// What the sidecar's agent, istiod and the kubelet put in place.
    fn place_files(&self, bootstrap: &mut Value) -> Result<()> {
        let directory = self.data.join("mesh");
        fs::create_dir_all(&directory).context(|| "make the mesh's directory".to_owned())?;
        let write = |name: &str, content: &Value| {
            let path = directory.join(name);
            fs::write(&path, content.to_string()).context(|| format!("write `{}`", path.display()))?;
            Ok(path)
        };
        write(
            "sds.yaml",
            &json!({"resources": [{
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
                "name": "writ-bearer",
                "generic_secret": {"secret": {"inline_string": format!("Bearer {}", self.secret)}},
            }]}),
        )?;
        let mut extension = extension();
        let wasm = paths::filter()?;
        let config = &mut extension["typed_config"]["config"];
        // The agent fetches the file, and istiod's stream brings this: here a file does.
        config["vm_config"]["code"] = json!({"local": {"filename": wasm}});
        extension["@type"] = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig".into();
        let served = write("extension.yaml", &json!({"resources": [extension]}))?;
        self.place_identities(&directory)?;
        each(bootstrap, &mut |value| match value {
            Value::String(text) if text == SERVER_IDENTITY => HOLDER.clone_into(text),
            Value::Object(members) if members.get("address") == Some(&SERVICE.into()) => {
                members.insert("address".to_owned(), self.writ.ip().to_string().into());
                members.insert("port_value".to_owned(), self.writ.port().into());
            }
            Value::Object(members) if is_from_the_agent(members) => {
                let file = directory.join(members["name"].as_str().unwrap());
                members["sds_config"] = json!({"path_config_source": {"path": file}});
            }
            Value::String(text) if text.starts_with("/etc/writ") => {
                *text = text.replacen("/etc/writ", &directory.display().to_string(), 1);
            }
            Value::Object(members) if members.contains_key("ads") => {
                members.remove("ads");
                members.insert("path_config_source".to_owned(), json!({"path": served}));
            }
            _ => {}
        });
        Ok(())
    }

    /// What the sidecar's agent serves: here files do, named like the secrets.
    fn place_identities(&self, directory: &Path) -> Result<()> {
        let (certificate, key) = self.pki.save("other")?;
        let (certificate, key) = (json!({"filename": certificate}), json!({"filename": key}));
        for (name, kind, content) in [
            ("default", "tls_certificate", json!({"certificate_chain": certificate, "private_key": key})),
            ("ROOTCA", "validation_context", json!({"trusted_ca": {"filename": self.pki.authority_file}})),
        ] {
            let secret = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
            let resources = json!({"resources": [{"@type": secret, "name": name, kind: content}]});
            let path = directory.join(name);
            fs::write(&path, resources.to_string()).context(|| format!("write `{}`", path.display()))?;
        }
        Ok(())
    }

    fn as_istio_makes_it(&self, has_provider: bool) -> Value {
        let manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
        let router = json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        });
        let filters: Vec<Value> = if has_provider {
            provider_filters().into_iter().chain([router]).collect()
        } else {
            vec![router]
        };
        let http2 = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }});
        json!({
            "node": {"id": "sidecar~10.0.0.1~logs-0.logs~logs.svc.cluster.local", "cluster": "logs.logs"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {
                "listeners": [{
                    "name": "virtualInbound",
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
                    "filter_chains": [{"filters": [{
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": {
                            "@type": manager,
                            "stat_prefix": "inbound_0.0.0.0_8000",
                            "normalize_path": true,
                            "use_remote_address": false,
                            "server_name": "istio-envoy",
                            "forward_client_cert_details": "APPEND_FORWARD",
                            "set_current_client_cert_details": {"subject": true, "dns": true, "uri": true},
                            "upgrade_configs": [{"upgrade_type": "websocket"}],
                            "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
                            "http_filters": filters,
                            "route_config": {"name": "inbound|8000||", "virtual_hosts": [{
                                "name": "inbound|http|8000", "domains": ["*"],
                                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "inbound|8000||"}}],
                            }]},
                        },
                    }]}],
                }, outbound()],
                "clusters": [
                    {"name": "inbound|8000||", "type": "STATIC", "load_assignment": assignment("inbound|8000||", None)},
                    {
                        "name": ISTIOS_CLUSTER, "type": "STATIC", "connect_timeout": "10s",
                        "load_assignment": assignment(ISTIOS_CLUSTER, Some(self.writ)),
                        "typed_extension_protocol_options": http2,
                    },
                ],
            },
        })
    }
}

/// Where the application's requests go to: every service of the mesh that has the port, which here is one.
fn outbound() -> Value {
    let manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    json!({
        "name": OUTBOUND,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": manager,
                "stat_prefix": "outbound_0.0.0.0_9000",
                "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
                "route_config": {"name": "9000", "virtual_hosts": [{
                    "name": "writ.writ-system.svc.cluster.local:9000", "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": ISTIOS_CLUSTER, "timeout": "0s"}}],
                }]},
            },
        }]}],
    })
}

fn named<'c>(clusters: &'c mut [Value], name: &str) -> &'c mut Value {
    clusters
        .iter_mut()
        .find(|cluster| cluster["name"] == name)
        .unwrap_or_else(|| panic!("no cluster `{name}`"))
}

fn assignment(cluster: &str, address: Option<SocketAddr>) -> Value {
    let port = address.map_or(0, |address| address.port());
    let address = json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    json!({"cluster_name": cluster, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]})
}

/// The pair of filters that a policy with a provider becomes: one that marks the requests it is about, and the call.
/// What the provider says is taken from mesh-config.yaml.
fn provider_filters() -> [Value; 2] {
    let all = manifests();
    let mesh = all.iter().find(|manifest| manifest.value.get("meshConfig").is_some()).unwrap();
    let provider = &mesh.value["meshConfig"]["extensionProviders"][0]["envoyExtAuthzGrpc"];
    let body = &provider["includeRequestBodyInCheck"];
    let cluster = format!("outbound|{}||{}", provider["port"], provider["service"].as_str().unwrap());
    assert_eq!(cluster, ISTIOS_CLUSTER);
    let mark = json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "shadow_rules_stat_prefix": "istio_ext_authz_",
            "shadow_rules": {"action": "DENY", "policies": {"istio-ext-authz-ns[logs]-policy[writ]-rule[0]": {
                "permissions": [{"any": true}], "principals": [{"any": true}],
            }}},
        },
    });
    let call = json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "status_on_error": {"code": provider["statusOnError"].as_str().unwrap().parse::<u16>().unwrap()},
            "failure_mode_allow": provider["failOpen"],
            "grpc_service": {
                "envoy_grpc": {"cluster_name": cluster, "authority": provider["service"]},
                // A busy machine makes nobody wrong: that the shipped one is short is checked where manifests are.
                "timeout": "20s",
            },
            "with_request_body": {
                "max_request_bytes": body["maxRequestBytes"],
                "allow_partial_message": body["allowPartialMessage"],
                "pack_as_bytes": body["packAsBytes"],
            },
            "filter_enabled_metadata": {
                "filter": "envoy.filters.http.rbac",
                "path": [{"key": "istio_ext_authz_shadow_effective_policy_id"}],
                "value": {"string_match": {"prefix": "istio-ext-authz"}},
            },
        },
    });
    [mark, call]
}

/// A reference to a secret that the sidecar's agent serves, by Istio's name for the way to it.
fn is_from_the_agent(reference: &Map<String, Value>) -> bool {
    let services = reference.get("sds_config").map(|config| &config["api_config_source"]["grpc_services"]);
    services == Some(&json!([{"envoy_grpc": {"cluster_name": "sds-grpc"}}]))
}

pub(super) fn each(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    change(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each(member, change)),
        _ => {}
    }
}
