//! The manifests, read one document at a time.

use std::fs;

use harness::paths;
use serde_json::Value;

/// One document.
pub(super) struct Manifest {
    /// File and number, for messages.
    name: String,
    pub(super) text: String,
    pub(super) value: Value,
}

/// What the `spec` of each kind of Istio may have, of what is used here. The schemas themselves are Istio's; a word
/// that is not listed here is a typing error, or wants to be looked up.
const SPECS: [(&str, &str, &[&str]); 4] = [
    (
        "extensions.istio.io/v1alpha1",
        "WasmPlugin",
        &[
            "selector",
            "url",
            "sha256",
            "imagePullPolicy",
            "failStrategy",
            "phase",
            "priority",
            "match",
            "pluginName",
            "pluginConfig",
        ],
    ),
    ("networking.istio.io/v1alpha3", "EnvoyFilter", &["workloadSelector", "priority", "configPatches"]),
    ("security.istio.io/v1", "AuthorizationPolicy", &["selector", "action", "provider", "rules"]),
    ("security.istio.io/v1", "PeerAuthentication", &["selector", "mtls"]),
];

/// Kinds of Kubernetes, and the namespace's own.
const KUBERNETES: [(&str, &str); 6] = [
    ("v1", "Namespace"),
    ("v1", "ServiceAccount"),
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("apps/v1", "StatefulSet"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
];

/// Every document of every file but the mesh's configuration, which is none of a cluster's resources.
pub(super) fn manifests() -> Vec<Manifest> {
    let directory = paths::repository().join("envoy/istio");
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let yaml = |path: &&std::path::PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let mut all = Vec::new();
    for path in files.iter().filter(yaml) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let content = fs::read_to_string(path).unwrap();
        for (index, text) in content.split("\n---\n").enumerate() {
            let name = format!("{name}[{index}]");
            let options = serde_saphyr::options! {
                duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
                strict_booleans: true,
            };
            let value = serde_saphyr::from_str_with_options(text, options);
            let value = value.unwrap_or_else(|error| panic!("{name}: {error}"));
            all.push(Manifest { name, text: text.to_owned(), value });
        }
    }
    all
}

impl Manifest {
    pub(super) fn check(&self) {
        let Self { name, text: _, value } = self;
        if name.starts_with("mesh-config.yaml") {
            let provider = &value["meshConfig"]["extensionProviders"][0]["envoyExtAuthzGrpc"];
            assert_eq!((&provider["failOpen"], &provider["statusOnError"]), (&false.into(), &"503".into()));
            assert_eq!(provider["timeout"], "0.5s");
            return;
        }
        let text = |member: &str| value[member].as_str().unwrap_or_else(|| panic!("{name}: no {member}"));
        let (version, kind) = (text("apiVersion"), text("kind"));
        let named = value["metadata"]["name"].is_string();
        let placed = value["metadata"]["namespace"].is_string() || kind == "Namespace";
        assert!(named && placed, "{name}: without a name or a namespace");
        if KUBERNETES.contains(&(version, kind)) {
            return;
        }
        let spec =
            SPECS.iter().find(|(own_version, own_kind, _)| (*own_version, *own_kind) == (version, kind));
        let (_, _, members) = spec.unwrap_or_else(|| panic!("{name}: `{kind}` of `{version}`"));
        for member in value["spec"].as_object().unwrap().keys() {
            assert!(members.contains(&member.as_str()), "{name}: `{member}`");
        }
        if kind == "WasmPlugin" {
            let spec = &value["spec"];
            assert_eq!((&spec["failStrategy"], &spec["phase"]), (&"FAIL_RELOAD".into(), &"AUTHN".into()));
        }
    }
}
