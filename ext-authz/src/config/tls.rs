//! Where certificates are.

use std::path::PathBuf;

use super::file::TlsFile;

/// PEM files of the HTTP and gRPC listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Roots of the certificates that clients of the gRPC listener may show. Without it none is asked for.
    pub client_ca: Option<PathBuf>,
}

impl From<TlsFile> for TlsFiles {
    fn from(TlsFile { certificate, key, client_ca }: TlsFile) -> Self {
        Self { certificate, key, client_ca }
    }
}
