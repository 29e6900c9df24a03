//! Why there is no TLS.

use std::{io, path::PathBuf};

use rustls::{pki_types::pem, server::VerifierBuilderError};
use thiserror::Error;

use crate::files::FileError;

/// Why certificate files cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{member}: {source}")]
    File {
        /// What of the configuration names it.
        member: &'static str,
        /// Why not.
        source: FileError,
    },
    /// It is no PEM.
    #[error("`{}`: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// It is PEM of something else.
    #[error("`{}`: holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// A root that cannot be one.
    #[error("`{}`: {source}", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The roots.
    #[error("`{}`: {source}", path.display())]
    Verifier {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: VerifierBuilderError,
    },
    /// Certificate and key do not belong together, or are of no use.
    #[error("`{}` and `{}`: {source}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The protocol versions.
    #[error("tls: {0}")]
    Provider(rustls::Error),
}

/// A client with whom no connection came about.
pub(crate) type HandshakeError = io::Error;
