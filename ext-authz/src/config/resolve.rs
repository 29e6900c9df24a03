//! From what was written and typed to what will run.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use policy::Namespaces;
use serde_saphyr::Spanned;
use store::StoreLocation;

use super::{
    Config, ConfigError, DataPlane, Limits, Listeners, Operator, PolicySource, TlsFiles,
    data_plane::DataPlaneFile,
    file::{self, ConfigFile, LimitsFile, ListenersFile},
    keys,
    limits::MIN_HEADER_BYTES,
    operator::OperatorFile,
    secs,
};
use crate::keys::KeyEncryption;

/// What the command line says over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `writ.yaml`; without it, the one in the current directory if there is one.
    pub config: Option<PathBuf>,
    /// Data directory.
    pub data_dir: Option<PathBuf>,
    /// Policy directory.
    pub policy_dir: Option<PathBuf>,
    /// OAuth and task API.
    pub http: Option<SocketAddr>,
    /// gRPC.
    pub grpc: Option<SocketAddr>,
    /// Metrics and health.
    pub admin: Option<SocketAddr>,
}

const DEFAULT_ISSUER: &str = "http://127.0.0.1:8080";
const DEFAULT_CONFIG: &str = "writ.yaml";
const DEFAULT_DATA_DIR: &str = "writ-data";
const DEFAULT_POLICY_DIR: &str = "policies";
/// In the data directory.
const DEFAULT_STORE: &str = "writ.db";
/// In the data directory.
const DEFAULT_KEYS_DIR: &str = "keys";
/// In the keys' directory: made at the first start, if nobody says where another one is.
const DEFAULT_KEK: &str = "kek";
const DEFAULT_STORE_POLL: Duration = Duration::from_secs(1);
/// A third of the default `max_staleness`: data planes go stale when the store is away, not between two reads of it.
const MAX_STORE_POLL: Duration = Duration::from_secs(10);
const DEFAULT_TASK_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
const DEFAULT_AUDIT_RETENTION: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(10);
const DEFAULT_TTL: Duration = Duration::from_secs(5 * 60);
const DEFAULT_MAX_TTL: Duration = Duration::from_secs(60 * 60);
/// Largest leeway that verdicts accept, seconds.
const MAX_LEEWAY: u64 = 5;
/// Clocks of hosts that keep time differ by less; a token must not be refused as issued in the future.
const DEFAULT_LEEWAY: Duration = Duration::from_secs(MAX_LEEWAY);
/// Largest body or message: buffered whole, once for each request in progress.
const MAX_BUFFER: usize = 4 * 1024 * 1024;

/// Reads and checks the configuration.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn resolve(overrides: Overrides) -> Result<Config, ConfigError> {
    let path = overrides.config.or_else(|| existing(DEFAULT_CONFIG));
    let written = path.as_deref().map(file::read).transpose()?.unwrap_or_default();
    let origin = Origin(path.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG)));
    let ConfigFile {
        issuer,
        data_dir,
        store,
        store_poll_interval,
        task_retention,
        audit_retention,
        keys_dir,
        key_encryption,
        key_rotation,
        policy_dir,
        policy_poll_interval,
        listeners,
        tls,
        default_ttl,
        max_ttl,
        leeway,
        data_planes,
        operators,
        namespaces,
        limits,
    } = written;
    let data_dir = overrides.data_dir.or(data_dir).unwrap_or_else(|| DEFAULT_DATA_DIR.into());
    let keys_dir = keys_dir.unwrap_or_else(|| data_dir.join(DEFAULT_KEYS_DIR));
    let policy_dir = overrides.policy_dir.or(policy_dir).or_else(|| existing(DEFAULT_POLICY_DIR));
    let ListenersFile { http, grpc, grpc_plaintext, admin, data_plane, data_plane_trusted_egress, operator } =
        listeners;
    let tls = tls.map(TlsFiles::from);
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let data_planes = origin.check_data_planes(data_planes, tls.as_ref())?;
    let operators = origin.check_operators(operators, &data_planes)?;
    let max = max_ttl.as_ref().map_or(DEFAULT_MAX_TTL, |ttl| ttl.value.0);
    Ok(Config {
        issuer: issuer.map_or(Ok(DEFAULT_ISSUER.to_owned()), |issuer| origin.check_issuer(issuer))?,
        store: store.map_or_else(|| StoreLocation::file(data_dir.join(DEFAULT_STORE)), |text| text.0),
        store_poll_interval: origin.check_store_poll(store_poll_interval)?,
        task_retention: task_retention.map_or(DEFAULT_TASK_RETENTION, |text| text.0),
        audit_retention: audit_retention.map_or(DEFAULT_AUDIT_RETENTION, |text| text.0),
        key_encryption: match key_encryption {
            Some(written) => origin.check_key_encryption(written)?,
            None => KeyEncryption::Default(keys_dir.join(DEFAULT_KEK)),
        },
        key_rotation: origin.check_key_rotation(key_rotation)?,
        keys_dir,
        policy: policy_dir.map_or(PolicySource::Example, PolicySource::Directory),
        policy_poll_interval: policy_poll_interval.map_or(DEFAULT_POLL_INTERVAL, |text| text.0),
        listeners: Listeners {
            http: overrides.http.or(http).unwrap_or_else(|| loopback(8080)),
            grpc: origin
                .check_grpc(overrides.grpc, grpc, tls.is_some() || grpc_plaintext)?
                .unwrap_or_else(|| loopback(9000)),
            grpc_plaintext,
            admin: overrides.admin.or(admin).unwrap_or_else(|| loopback(8081)),
            data_plane: data_plane.unwrap_or_else(|| data_dir.join("data-plane.sock")),
            data_plane_trusted_egress,
            operator: operator.unwrap_or_else(|| data_dir.join("operator.sock")),
        },
        data_dir,
        default_ttl: origin.check_default_ttl(default_ttl, max)?,
        max_ttl: max,
        leeway: leeway.map_or(Ok(DEFAULT_LEEWAY), |leeway| origin.check_leeway(&leeway))?,
        data_planes,
        operators,
        tls,
        namespaces: namespaces.unwrap_or_else(Namespaces::open),
        limits: origin.check_limits(limits)?,
    })
}

fn existing(path: &str) -> Option<PathBuf> {
    Some(PathBuf::from(path)).filter(|path| path.exists())
}

/// The file that values come from, to name it in errors.
struct Origin<'p>(&'p Path);

impl Origin<'_> {
    fn error<T>(&self, value: &Spanned<T>, field: &str, reason: impl Into<String>) -> ConfigError {
        let location = value.referenced;
        let origin = format!("{}:{}:{}", self.0.display(), location.line(), location.column());
        ConfigError::Value { origin, field: field.to_owned(), reason: reason.into() }
    }

    /// RFC 8414 section 2: a URL without query or fragment.
    fn check_issuer(&self, issuer: Spanned<String>) -> Result<String, ConfigError> {
        let text = &issuer.value;
        let is_url = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_plain =
            !text.contains(['?', '#']) && !text.ends_with('/') && verdict::token::claims::is_name(text);
        if is_url.is_some_and(|rest| !rest.is_empty()) && is_plain {
            return Ok(issuer.value);
        }
        let reason = "must be an `http` or `https` URL of at most 255 characters, without query, fragment or final `/`";
        Err(self.error(&issuer, "issuer", reason))
    }

    fn check_default_ttl(
        &self,
        ttl: Option<Spanned<secs::Text>>,
        max: Duration,
    ) -> Result<Duration, ConfigError> {
        match ttl {
            None => Ok(DEFAULT_TTL.min(max)),
            Some(ttl) if ttl.value.0 > max => {
                let reason = format!("is over `max_ttl`, {} s", max.as_secs());
                Err(self.error(&ttl, "default_ttl", reason))
            }
            Some(ttl) => Ok(ttl.value.0),
        }
    }

    fn check_leeway(&self, leeway: &Spanned<String>) -> Result<Duration, ConfigError> {
        // `0s` is no duration elsewhere, but here it means that nothing is tolerated.
        if leeway.value == "0s" {
            return Ok(Duration::ZERO);
        }
        match policy::duration::parse(&leeway.value) {
            Ok(duration) if duration.as_secs() <= MAX_LEEWAY => Ok(duration),
            Ok(_) => Err(self.error(leeway, "leeway", format!("is over {MAX_LEEWAY} s"))),
            Err(error) => Err(self.error(leeway, "leeway", error.to_string())),
        }
    }

    fn check_key_encryption(
        &self,
        written: Spanned<keys::KeyEncryptionFile>,
    ) -> Result<KeyEncryption, ConfigError> {
        let place = Spanned { value: (), referenced: written.referenced, defined: written.defined };
        written.value.read().map_err(|reason| self.error(&place, "key_encryption", reason))
    }

    fn check_key_rotation(
        &self,
        written: Option<Spanned<keys::KeyRotationFile>>,
    ) -> Result<Option<Duration>, ConfigError> {
        match written {
            None => Ok(Some(keys::DEFAULT_EVERY)),
            Some(written) => {
                written.value.read().map_err(|reason| self.error(&written, "key_rotation.every", reason))
            }
        }
    }

    fn check_store_poll(&self, interval: Option<Spanned<secs::Text>>) -> Result<Duration, ConfigError> {
        match interval {
            None => Ok(DEFAULT_STORE_POLL),
            Some(interval) if interval.value.0 > MAX_STORE_POLL => {
                let reason = format!("is over {} s", MAX_STORE_POLL.as_secs());
                Err(self.error(&interval, "store_poll_interval", reason))
            }
            Some(interval) => Ok(interval.value.0),
        }
    }

    fn check_data_planes(
        &self,
        planes: Vec<Spanned<DataPlaneFile>>,
        tls: Option<&TlsFiles>,
    ) -> Result<Vec<DataPlane>, ConfigError> {
        let verifies = tls.is_some_and(|tls| tls.client_ca.is_some());
        let mut read = Vec::new();
        for (index, written) in planes.into_iter().enumerate() {
            let place = Spanned { value: (), referenced: written.referenced, defined: written.defined };
            let error = |member: &str, reason: String| {
                self.error(&place, &format!("data_planes[{index}].{member}"), reason)
            };
            let plane = written.value.read(&read).map_err(|(member, reason)| error(member, reason))?;
            if plane.certificate.is_some() && !verifies {
                let reason = "is of no use without `tls.client_ca`: nobody would verify it";
                return Err(error("certificate", reason.to_owned()));
            }
            read.push(plane);
        }
        Ok(read)
    }

    fn check_operators(
        &self,
        operators: Vec<Spanned<OperatorFile>>,
        data_planes: &[DataPlane],
    ) -> Result<Vec<Operator>, ConfigError> {
        let mut read = Vec::new();
        for (index, written) in operators.into_iter().enumerate() {
            let place = Spanned { value: (), referenced: written.referenced, defined: written.defined };
            let operator = written.value.read(&read, data_planes);
            read.push(operator.map_err(|(member, reason)| {
                self.error(&place, &format!("operators[{index}].{member}"), reason)
            })?);
        }
        Ok(read)
    }

    /// What goes over the network to data planes is not for others to read, nor to change.
    fn check_grpc(
        &self,
        typed: Option<SocketAddr>,
        written: Option<Spanned<SocketAddr>>,
        is_encrypted: bool,
    ) -> Result<Option<SocketAddr>, ConfigError> {
        const REASON: &str = "is no loopback address and needs `tls`, or `listeners.grpc_plaintext: true` where \
                              something else encrypts";
        let is_open = |address: &SocketAddr| !is_encrypted && !address.ip().to_canonical().is_loopback();
        match (typed, written) {
            (Some(address), _) if is_open(&address) => Err(ConfigError::Value {
                origin: "command line".to_owned(),
                field: "--grpc-addr".to_owned(),
                reason: REASON.to_owned(),
            }),
            (Some(address), _) => Ok(Some(address)),
            (None, Some(address)) if is_open(&address.value) => {
                Err(self.error(&address, "listeners.grpc", REASON))
            }
            (None, address) => Ok(address.map(|address| address.value)),
        }
    }

    fn check_limits(&self, written: LimitsFile) -> Result<Limits, ConfigError> {
        let LimitsFile {
            connections,
            requests,
            feed_streams,
            header_bytes,
            body_bytes,
            message_bytes,
            header_timeout,
            request_timeout,
            idle_timeout,
            drain_timeout,
        } = written;
        let default = Limits::default();
        let time = |value: Option<secs::Text>, default: Duration| value.map_or(default, |text| text.0);
        let bytes = |value: Option<Spanned<usize>>, default: usize, field: &str, least: usize| match value {
            None => Ok(default),
            Some(bytes) if (least..=MAX_BUFFER).contains(&bytes.value) => Ok(bytes.value),
            Some(bytes) => Err(self.error(&bytes, field, format!("must be {least} to {MAX_BUFFER}"))),
        };
        Ok(Limits {
            connections: connections.unwrap_or(default.connections),
            requests: requests.unwrap_or(default.requests),
            feed_streams: feed_streams.unwrap_or(default.feed_streams),
            header_bytes: bytes(header_bytes, default.header_bytes, "limits.header_bytes", MIN_HEADER_BYTES)?,
            body_bytes: bytes(body_bytes, default.body_bytes, "limits.body_bytes", 1024)?,
            message_bytes: bytes(message_bytes, default.message_bytes, "limits.message_bytes", 1024)?,
            header_timeout: time(header_timeout, default.header_timeout),
            request_timeout: time(request_timeout, default.request_timeout),
            idle_timeout: time(idle_timeout, default.idle_timeout),
            drain_timeout: time(drain_timeout, default.drain_timeout),
        })
    }
}
