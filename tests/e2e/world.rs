//! What tests share: the corpus's keys, policy and certificates, a directory each, and how to start parts.

use std::path::{Path, PathBuf};

use harness::{
    Result,
    corpus::{Corpus, ISSUER, Preparer},
    envoy::{Config, Envoy, Shipped},
    forge::{Forge, Key, TokenSpec, Values},
    http::{Payload, RawRequest},
    paths,
    pki::Pki,
    server::{Release, Server, Setup},
    surface::Proxy,
    upstream::Echo,
};
use policy::{Namespaces, Policy};
use serde_json::{Map, Value};
use tempfile::TempDir;
use verdict::document::HostDocument;

/// An object that the default token may read.
pub(crate) const OBJECT: &str = "/my-bucket/logs/2026-05/app.log";
/// One that it may not.
pub(crate) const OTHER_OBJECT: &str = "/my-bucket/logs/2026-06/app.log";

/// Seeds of the keys that tests sign with.
const ISSUER_SEED: [u8; 32] = [1; 32];
const STRANGER_SEED: [u8; 32] = [2; 32];

/// Everything but running processes.
pub(crate) struct World {
    pub(crate) corpus: Corpus,
    pub(crate) forge: Forge,
    pub(crate) pki: Pki,
    directory: TempDir,
}

impl World {
    pub(crate) fn new() -> Result<Self> {
        let corpus = Corpus::load()?;
        // Short, because the path of a Unix socket has at most 108 bytes.
        let directory = tempfile::Builder::new().prefix("w").tempdir().expect("a directory");
        let forge = Forge {
            issuer: Key::from_seed(ISSUER_SEED),
            stranger: Key::from_seed(STRANGER_SEED),
            claims: corpus.tokens.claims.clone(),
            grants: corpus.tokens.grants.clone(),
            default_grants: "logs".to_owned(),
        };
        let pki = Pki::new(directory.path())?;
        Ok(Self { corpus, forge, pki, directory })
    }

    pub(crate) fn preparer(&self) -> Preparer<'_> {
        Preparer { forge: &self.forge, pki: &self.pki }
    }

    /// The data directory of the server.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("d")
    }

    /// The corpus policy, as the policy crate compiles it.
    pub(crate) fn hosts(&self) -> Vec<HostDocument> {
        let policy = Policy::load(&paths::corpus().join("policy"), &Namespaces::open());
        policy.unwrap_or_else(|errors| panic!("{errors}")).hosts().to_vec()
    }

    /// A server on the corpus policy with the corpus's key, not yet started.
    pub(crate) fn setup(&self) -> Result<Setup> {
        let setup = Setup {
            data: self.data(),
            policies: paths::corpus().join("policy"),
            config: Some(format!("issuer: {ISSUER}\nleeway: 0s\n")),
            release: Release::Current,
        };
        setup.install_key(&self.forge.issuer)?;
        Ok(setup)
    }

    /// A started server.
    pub(crate) async fn server(&self) -> Result<Server> {
        Server::start(&self.setup()?).await
    }

    /// Envoy with the filter and a fresh snapshot.
    pub(crate) async fn wasm(&self) -> Result<Proxy> {
        self.export().await?;
        self.proxy(Shipped::Wasm, |_| Ok(())).await
    }

    /// Writes the snapshot for the filter below the data directory.
    pub(crate) async fn export(&self) -> Result<PathBuf> {
        export(&self.setup()?).await
    }

    /// Envoy with the filter as it ships: on the feed of the server, which may be there or not.
    pub(crate) async fn fed(&self) -> Result<Proxy> {
        self.fed_with(|_| Ok(())).await
    }

    /// As [`World::fed`], and whatever `change` does.
    pub(crate) async fn fed_with(&self, change: impl FnOnce(&mut Config) -> Result<()>) -> Result<Proxy> {
        let shipped = paths::repository().join("envoy/writ-filter.yaml");
        self.proxy(Shipped::Wasm, |config| {
            config.filter_resource(&shipped)?;
            change(config)
        })
        .await
    }

    /// Envoy with ext_authz; the server may be there or not.
    pub(crate) async fn ext_authz(&self) -> Result<Proxy> {
        self.proxy(Shipped::ExtAuthz, Config::patient).await
    }

    /// As [`World::ext_authz`], with the shipped patience for a server that does not answer.
    pub(crate) async fn impatient_ext_authz(&self) -> Result<Proxy> {
        self.proxy(Shipped::ExtAuthz, |_| Ok(())).await
    }

    /// A shipped Envoy, with TLS listeners added, an echo upstream behind it and whatever `change` does.
    pub(crate) async fn proxy(
        &self,
        which: Shipped,
        change: impl FnOnce(&mut Config) -> Result<()>,
    ) -> Result<Proxy> {
        let echo = Echo::start("upstream").await?;
        let mut config = self.config(which, &echo)?;
        change(&mut config)?;
        self.start(config, echo, &self.envoy_directory(which)).await
    }

    /// An Envoy on any configuration, with TLS listeners added.
    pub(crate) async fn start(&self, mut config: Config, echo: Echo, directory: &Path) -> Result<Proxy> {
        config.tls_listener(Proxy::VERIFIED, &self.pki, true)?;
        config.tls_listener(Proxy::PRESENTED, &self.pki, false)?;
        let plain = config.first_listener()?;
        let envoy = Envoy::start(&config, directory).await?;
        Ok(Proxy { envoy, echo, plain })
    }

    /// A shipped configuration with `echo` as its upstream. The filter has its snapshot by export.
    pub(crate) fn config(&self, which: Shipped, echo: &Echo) -> Result<Config> {
        let mut config = Config::shipped(which, &self.data())?;
        config.upstream("upstream", echo.address)?;
        if which != Shipped::ExtAuthz {
            config.filter_resource(&self.data().join("envoy/writ-filter.yaml"))?;
        }
        Ok(config)
    }

    /// Where an Envoy keeps its files.
    pub(crate) fn envoy_directory(&self, which: Shipped) -> PathBuf {
        self.directory.path().join(format!("{which:?}"))
    }

    /// A token with these claims besides the usual ones.
    pub(crate) fn token(&self, claims: &Value) -> Vec<u8> {
        let claims: Map<String, Value> = claims.as_object().cloned().unwrap_or_default();
        let spec = TokenSpec { claims, ..TokenSpec::default() };
        self.forge.make(&spec, &Values { now: now(), ..Values::default() }).expect("a token")
    }
}

/// As [`World::export`], with another setup.
pub(crate) async fn export(setup: &Setup) -> Result<PathBuf> {
    // A server takes the key up when it starts for the first time.
    if !setup.data.join("writ.db").exists() {
        Server::start(setup).await?.stop().await?;
    }
    setup.export_snapshot()
}

/// Unix seconds.
pub(crate) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

/// A `GET` with a bearer token.
pub(crate) fn get(host: &str, target: &str, token: &[u8]) -> RawRequest {
    RawRequest {
        method: b"GET".to_vec(),
        target: target.into(),
        authority: Some(host.into()),
        headers: vec![(b"authorization".to_vec(), [b"Bearer ".as_slice(), token].concat())],
        payload: Payload::None,
    }
}

/// The denial code and status of a response; the code is empty where the response is not ours.
pub(crate) async fn answer(proxy: &Proxy, request: &RawRequest) -> Result<(u16, String)> {
    let response = proxy.send(request).await?.unwrap_or_default();
    let code = response.json().and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
    Ok((response.status, code.unwrap_or_default()))
}
