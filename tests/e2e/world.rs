//! What tests share: the corpus's keys, policy, certificates and a directory for each test.

use harness::{
    Result,
    corpus::{Corpus, ISSUER, Preparer},
    forge::{Forge, Key},
    paths,
    pki::Pki,
    server::Setup,
};
use policy::{Namespaces, Policy};
use tempfile::TempDir;
use verdict::document::HostDocument;

/// Seeds of the keys that tests sign with.
const ISSUER_SEED: [u8; 32] = [1; 32];
const STRANGER_SEED: [u8; 32] = [2; 32];

/// Everything but running processes.
pub(crate) struct World {
    pub(crate) corpus: Corpus,
    pub(crate) forge: Forge,
    pub(crate) pki: Pki,
    pub(crate) directory: TempDir,
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

    /// The corpus policy, as the policy crate compiles it.
    pub(crate) fn hosts(&self) -> Vec<HostDocument> {
        let policy = Policy::load(&paths::corpus().join("policy"), &Namespaces::open());
        policy.unwrap_or_else(|errors| panic!("{errors}")).hosts().to_vec()
    }

    /// A server on the corpus policy with the corpus's key.
    pub(crate) fn setup(&self) -> Result<Setup> {
        let setup = Setup {
            data: self.directory.path().join("d"),
            policies: paths::corpus().join("policy"),
            config: Some(format!("issuer: {ISSUER}\n")),
        };
        setup.install_key(&self.forge.issuer)?;
        Ok(setup)
    }
}
