//! Where a store is, as operators write it.

use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use thiserror::Error;
use url::Url;

/// `sqlite:<path>` or `postgres://...`. Shows itself without password and options, in `Debug` too.
#[derive(Clone)]
pub struct StoreLocation(pub(crate) Place);

#[derive(Clone)]
pub(crate) enum Place {
    File(PathBuf),
    Server(Box<PgConnectOptions>),
}

/// Why a text is no location. Holds no part of a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LocationError {
    /// Neither of the two databases.
    #[error("must begin with `sqlite:` or `postgres://`")]
    Scheme,
    /// SQLite without a file: replicas could not share it, and a restart would lose it.
    #[error("`sqlite:` needs the path of a file, as in `sqlite:writ.db` or `sqlite:///var/lib/writ/writ.db`")]
    File,
    /// An option that is not known here. One that was skipped could have been the one that asks for TLS.
    #[error("unknown option `{0}`: there are {KNOWN}")]
    Option(String),
    /// Anything else.
    #[error("is no PostgreSQL URL: {0}")]
    Url(String),
}

const OPTIONS: [&str; 10] = [
    "application_name",
    "dbname",
    "host",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];
/// [`OPTIONS`], to be shown.
const KNOWN: &str =
    "application_name, dbname, host, password, port, sslcert, sslkey, sslmode, sslrootcert, user";

impl StoreLocation {
    /// A SQLite file.
    #[must_use]
    pub fn file(path: PathBuf) -> Self {
        Self(Place::File(path))
    }

    /// The SQLite file; `None` for PostgreSQL.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        }
    }
}

impl FromStr for StoreLocation {
    type Err = LocationError;

    /// Reads a location. PostgreSQL takes what it does not say from libpq's environment variables and password file.
    fn from_str(text: &str) -> Result<Self, LocationError> {
        match text.split_once(':') {
            Some(("sqlite", rest)) => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                // An option, or a database in memory, would end up as the name of a file.
                if path.is_empty() || path.ends_with('/') || path.contains(['?', ':', '#', '%']) {
                    return Err(LocationError::File);
                }
                Ok(Self::file(path.into()))
            }
            Some(("postgres" | "postgresql", _)) => server(text),
            _ => Err(LocationError::Scheme),
        }
    }
}

fn server(text: &str) -> Result<StoreLocation, LocationError> {
    let url = Url::parse(text).map_err(|error| LocationError::Url(error.to_string()))?;
    let mut says_mode = std::env::var_os("PGSSLMODE").is_some();
    for (name, _) in url.query_pairs() {
        if !OPTIONS.contains(&&*name) {
            return Err(LocationError::Option(name.into_owned()));
        }
        says_mode |= name == "sslmode";
    }
    let options = PgConnectOptions::from_str(text).map_err(|error| LocationError::Url(reason(&error)))?;
    // The host of an IPv6 URL is in brackets, which no resolver knows.
    let bare =
        options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    let options = match bare {
        Some(host) => options.host(&host),
        None => options,
    };
    // Without a word about it, what goes over a network goes over TLS, to a server that proved who it is.
    let mode = if is_local(&options) { PgSslMode::Prefer } else { PgSslMode::VerifyFull };
    let options = if says_mode { options } else { options.ssl_mode(mode) };
    Ok(StoreLocation(Place::Server(Box::new(options))))
}

fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    }
}

/// Whether bytes stay on this machine.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::File(path) => write!(formatter, "sqlite:{}", path.display()),
            Place::Server(options) => {
                write!(formatter, "postgres://{}@", options.get_username())?;
                match options.get_socket() {
                    Some(socket) => write!(formatter, "{}", socket.display())?,
                    None => write!(formatter, "{}", options.get_host())?,
                }
                write!(formatter, ":{}/{}", options.get_port(), options.get_database().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for StoreLocation {
    /// As it is displayed: the derived form would show the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoreLocation({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StoreLocation, LocationError> {
        text.parse()
    }

    fn mode(text: &str) -> PgSslMode {
        match parse(text).unwrap().0 {
            Place::Server(options) => options.get_ssl_mode(),
            Place::File(_) => panic!("{text}"),
        }
    }

    #[test]
    fn a_file_is_relative_or_absolute() {
        for (text, path) in [
            ("sqlite:writ.db", "writ.db"),
            ("sqlite://data/writ.db", "data/writ.db"),
            ("sqlite:///var/writ.db", "/var/writ.db"),
            ("sqlite:/var/writ.db", "/var/writ.db"),
        ] {
            assert_eq!(parse(text).unwrap().path(), Some(Path::new(path)), "{text}");
        }
    }

    #[test]
    fn what_is_no_location_is_refused() {
        for text in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:a.db?mode=memory", "sqlite:dir/"] {
            assert_eq!(parse(text).unwrap_err(), LocationError::File, "{text}");
        }
        for text in ["", "writ.db", "mysql://localhost/writ", "Postgres://localhost/writ"] {
            assert_eq!(parse(text).unwrap_err(), LocationError::Scheme, "{text}");
        }
        for text in ["postgres://u:secret@host:port/db", "postgres://u:secret@host/db?sslmode=secret"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, LocationError::Url(_)), "{text}");
        }
        let error = parse("postgres://u@host/db?pasword=hidden").unwrap_err();
        assert_eq!(error, LocationError::Option("pasword".into()));
        assert!(!error.to_string().contains("hidden"));
    }

    #[test]
    fn the_listed_options_are_the_known_ones() {
        assert_eq!(KNOWN, OPTIONS.join(", "));
    }

    #[test]
    fn no_password_is_shown() {
        for text in ["postgres://writ:hidden@db:5433/writ", "postgres://writ@db:5433/writ?password=hidden"] {
            let location = parse(text).unwrap();
            assert_eq!(location.to_string(), "postgres://writ@db:5433/writ");
            assert!(!format!("{location:?}").contains("hidden"));
        }
    }

    #[test]
    fn a_network_is_crossed_with_proof_unless_the_operator_says_otherwise() {
        assert!(matches!(mode("postgres://writ@db.internal/writ"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://writ@db.internal/writ?sslmode=disable"), PgSslMode::Disable));
        for local in ["127.0.0.1", "localhost", "[::1]", "%2Frun%2Fpostgresql"] {
            assert!(matches!(mode(&format!("postgres://writ@{local}/writ")), PgSslMode::Prefer), "{local}");
        }
    }
}
