//! Envoy configurations: the shipped files, with addresses and paths of a test put in.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::{Value, json};

use crate::{
    error::{IoContext, Result, unexpected},
    paths,
    pki::Pki,
};

/// The data directory that the shipped files name.
const SHIPPED_DATA: &str = "writ-data/";

/// A bootstrap that ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shipped {
    /// `envoy/wasm.yaml`.
    Wasm,
    /// `envoy/ext-authz.yaml`.
    ExtAuthz,
    /// `envoy/chained.yaml`.
    Chained,
}

/// A bootstrap in the making.
#[derive(Debug, Clone)]
pub struct Config(Value);

impl Config {
    /// A configuration that was made elsewhere.
    pub fn new(bootstrap: Value) -> Self {
        Self(bootstrap)
    }

    /// Reads a shipped bootstrap; every port becomes 0, and paths in the data directory lead to `data`. The admin
    /// interface, shipped as a Unix socket, is on a port as well: [`Config::shipped_as_is`] leaves it.
    ///
    /// # Errors
    /// The file is missing or no YAML.
    pub fn shipped(which: Shipped, data: &Path) -> Result<Self> {
        let mut config = Self::shipped_as_is(which, data)?;
        let admin = config.0.pointer_mut("/admin/address").ok_or_else(|| unexpected("no admin interface"))?;
        *admin = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
        Ok(config)
    }

    /// Reads a shipped bootstrap; only the listeners' ports and paths in the data directory change.
    ///
    /// # Errors
    /// The file is missing or no YAML.
    pub fn shipped_as_is(which: Shipped, data: &Path) -> Result<Self> {
        let name = match which {
            Shipped::Wasm => "envoy/wasm.yaml",
            Shipped::ExtAuthz => "envoy/ext-authz.yaml",
            Shipped::Chained => "envoy/chained.yaml",
        };
        let text = fs::read_to_string(paths::repository().join(name)).context(|| format!("read `{name}`"))?;
        let mut root: Value = serde_saphyr::from_str(&text).map_err(unexpected)?;
        relocate(&mut root, &format!("{}/", data.display()));
        if let Some(listeners) = root.pointer_mut("/static_resources/listeners") {
            set_ports(listeners, 0);
        }
        Ok(Self(root))
    }

    /// The whole bootstrap, for measurements that put one together.
    pub fn into_value(self) -> Value {
        self.0
    }

    /// A bootstrap that was put together.
    pub fn from_value(bootstrap: Value) -> Self {
        Self(bootstrap)
    }

    /// Points the cluster `name` at `address`.
    ///
    /// # Errors
    /// There is no such cluster.
    pub fn upstream(&mut self, name: &str, address: SocketAddr) -> Result<()> {
        set_ports(self.cluster(name)?, address.port());
        Ok(())
    }

    /// Names this Envoy, as data planes are listed.
    pub fn node(&mut self, id: &str) {
        self.0["node"]["id"] = id.into();
    }

    /// Has the filter's resource read from `file` instead of `envoy/writ-filter.yaml`.
    ///
    /// # Errors
    /// No filter is discovered.
    pub fn filter_resource(&mut self, file: &Path) -> Result<()> {
        let filters = self.connection_manager()?.get_mut("http_filters").and_then(Value::as_array_mut);
        let place = "/config_discovery/config_source/path_config_source/path";
        let path = filters.into_iter().flatten().find_map(|filter| filter.pointer_mut(place));
        *path.ok_or_else(|| unexpected("no filter is discovered"))? = file.display().to_string().into();
        Ok(())
    }

    /// Makes `addresses` the endpoints of the cluster `name`, whatever they were.
    ///
    /// # Errors
    /// There is no such cluster.
    pub fn endpoints(&mut self, name: &str, addresses: &[SocketAddr]) -> Result<()> {
        let endpoint = |address: &SocketAddr| {
            let socket = json!({"address": address.ip().to_string(), "port_value": address.port()});
            json!({"endpoint": {"address": {"socket_address": socket}}})
        };
        let endpoints: Vec<Value> = addresses.iter().map(endpoint).collect();
        self.cluster(name)?["load_assignment"]["endpoints"] = json!([{"lb_endpoints": endpoints}]);
        Ok(())
    }

    /// The cluster `name`, to be changed at will.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn cluster(&mut self, name: &str) -> Result<&mut Value> {
        let clusters = self.list("/static_resources/clusters")?;
        let cluster = clusters.iter_mut().find(|cluster| cluster.get("name") == Some(&name.into()));
        cluster.ok_or_else(|| unexpected(format!("no cluster `{name}`")))
    }

    /// Has a cluster speak HTTP/2.
    ///
    /// # Errors
    /// There is no such cluster.
    pub fn speak_http2(&mut self, name: &str) -> Result<()> {
        self.cluster(name)?["typed_extension_protocol_options"] = http2();
        Ok(())
    }

    /// Adds a cluster that speaks HTTP/2 without TLS.
    ///
    /// # Errors
    /// There is no list of clusters.
    pub fn grpc_cluster(&mut self, name: &str, address: SocketAddr) -> Result<()> {
        let socket = json!({"address": address.ip().to_string(), "port_value": address.port()});
        let endpoint = json!({"endpoint": {"address": {"socket_address": socket}}});
        self.list("/static_resources/clusters")?.push(json!({
            "name": name,
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
            "typed_extension_protocol_options": http2(),
        }));
        Ok(())
    }

    /// Adds a copy of the cluster `from` under another name and address.
    ///
    /// # Errors
    /// There is no such cluster.
    pub fn copy_cluster(&mut self, from: &str, name: &str, address: SocketAddr) -> Result<()> {
        let clusters = self.list("/static_resources/clusters")?;
        let original = clusters.iter().find(|cluster| cluster.get("name") == Some(&from.into()));
        let mut copy = original.cloned().ok_or_else(|| unexpected(format!("no cluster `{from}`")))?;
        set_ports(&mut copy, address.port());
        rename(&mut copy, from, name);
        clusters.push(copy);
        Ok(())
    }

    /// Adds a copy of the first listener that speaks TLS and asks for a client certificate: `verified` refuses
    /// one that a stranger issued, otherwise it is taken and merely not validated.
    ///
    /// # Errors
    /// There is no listener.
    pub fn tls_listener(&mut self, name: &str, pki: &Pki, verified: bool) -> Result<()> {
        let chain = json!({
            "certificate_chain": {"filename": pki.server_file},
            "private_key": {"filename": pki.server_key_file},
        });
        let trust = if verified { "VERIFY_TRUST_CHAIN" } else { "ACCEPT_UNTRUSTED" };
        let socket = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "alpn_protocols": ["h2", "http/1.1"],
                    "tls_certificates": [chain],
                    "validation_context": {
                        "trusted_ca": {"filename": pki.authority_file},
                        "trust_chain_verification": trust,
                    },
                },
            },
        });
        let listeners = self.list("/static_resources/listeners")?;
        let mut listener = listeners.first().cloned().ok_or_else(|| unexpected("no listener"))?;
        listener["name"] = name.into();
        let chains = listener.get_mut("filter_chains").and_then(Value::as_array_mut);
        for chain in chains.into_iter().flatten() {
            chain["transport_socket"] = socket.clone();
        }
        listeners.push(listener);
        Ok(())
    }

    /// Everything in the first listener's HTTP connection manager, to be changed at will.
    ///
    /// # Errors
    /// There is none where it should be.
    pub fn connection_manager(&mut self) -> Result<&mut Value> {
        self.0
            .pointer_mut("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config")
            .ok_or_else(|| unexpected("no connection manager in the first listener"))
    }

    /// Has Envoy wait for Check for as long as a busy machine may take: a time-out that is meant for a server that is
    /// gone would be taken for a verdict.
    ///
    /// # Errors
    /// No filter asks.
    pub fn patient(&mut self) -> Result<()> {
        let filters = self.connection_manager()?.get_mut("http_filters").and_then(Value::as_array_mut);
        let places =
            ["/typed_config/grpc_service", "/typed_config/extension_config/typed_config/grpc_service"];
        let asks = |filter: &&mut Value| places.iter().any(|place| filter.pointer(place).is_some());
        let filter = filters.into_iter().flatten().find(asks).ok_or_else(|| unexpected("no filter asks"))?;
        for service in places {
            // The second is what Envoy gives one try.
            for patience in ["timeout", "retry_policy/retry_back_off/max_interval"] {
                if let Some(patience) = filter.pointer_mut(&format!("{service}/{patience}")) {
                    *patience = "20s".into();
                }
            }
        }
        Ok(())
    }

    /// The bytes of heap at which the overload manager is under full pressure.
    ///
    /// # Errors
    /// There is no such monitor.
    pub fn max_heap(&mut self) -> Result<&mut Value> {
        let monitors = self.list("/overload_manager/resource_monitors")?;
        let heap =
            monitors.iter_mut().find_map(|monitor| monitor.pointer_mut("/typed_config/max_heap_size_bytes"));
        heap.ok_or_else(|| unexpected("no monitor of the heap"))
    }

    /// The path of the admin interface, where it is a Unix socket.
    pub fn admin_socket(&self) -> Option<&str> {
        self.0.pointer("/admin/address/pipe/path")?.as_str()
    }

    /// Names of all listeners.
    pub(super) fn listener_names(&self) -> Vec<String> {
        let listeners = self.0.pointer("/static_resources/listeners").and_then(Value::as_array);
        let names = listeners.into_iter().flatten().filter_map(|listener| listener.get("name")?.as_str());
        names.map(str::to_owned).collect()
    }

    /// The name of the first listener, the one that ships.
    ///
    /// # Errors
    /// There is no listener.
    pub fn first_listener(&self) -> Result<String> {
        self.listener_names().into_iter().next().ok_or_else(|| unexpected("no listener"))
    }

    pub(super) fn to_json(&self) -> String {
        self.0.to_string()
    }

    fn list(&mut self, place: &str) -> Result<&mut Vec<Value>> {
        self.0
            .pointer_mut(place)
            .and_then(Value::as_array_mut)
            .ok_or_else(|| unexpected(format!("no list at `{place}`")))
    }
}

fn http2() -> Value {
    json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        },
    })
}

fn relocate(value: &mut Value, data: &str) {
    each_text(value, &mut |text| {
        if let Some(rest) = text.strip_prefix(SHIPPED_DATA) {
            *text = format!("{data}{rest}");
        } else if *text == SHIPPED_DATA.trim_end_matches('/') {
            *text = data.trim_end_matches('/').to_owned();
        }
    });
}

fn rename(value: &mut Value, from: &str, to: &str) {
    each_text(value, &mut |text| {
        if text == from {
            *text = to.to_owned();
        }
    });
}

fn each_text(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text(member, change)),
        _ => {}
    }
}

fn set_ports(value: &mut Value, port: u16) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set_ports(item, port)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if name == "port_value" {
                    *member = port.into();
                } else {
                    set_ports(member, port);
                }
            }
        }
        _ => {}
    }
}
