//! Metrics. Labels come from closed sets of this program, never from a request: strangers must not make series.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use verdict::{DenialCode, Use};

use super::{audit, credentials, feed, keys, revocations};

/// Why a request passed.
pub const GRANTED: &str = "granted";
/// As [`GRANTED`].
pub const EXEMPT: &str = "exempt";
/// As [`GRANTED`].
pub const SHADOWED: &str = "shadowed";
const PASSED: [&str; 3] = [GRANTED, EXEMPT, SHADOWED];

const CHECK_DECISIONS: &str = "writ_check_decisions_total";
const REFUSED: &str = "writ_data_plane_refused_total";
const OPERATOR_REFUSED: &str = "writ_operator_refused_total";
const FOREIGN_TOKENS: &str = "writ_foreign_tokens_left_alone_total";
const TOKENS_ISSUED: &str = "writ_tokens_issued_total";
const USES: &str = "writ_uses_total";
const REQUESTS: &str = "writ_http_requests_total";
const CONNECTIONS: &str = "writ_connections";
const POLICY_GENERATION: &str = "writ_policy_generation";
const POLICY_RELOADS: &str = "writ_policy_reloads_total";
const POLICY_REJECTED: &str = "writ_policy_rejected";
const STORE_UP: &str = "writ_store_up";
const STORE_AS_OF: &str = "writ_store_as_of_timestamp_seconds";
const ACCEPTED: &str = "accepted";
const REJECTED: &str = "rejected";
const BUILD: &str = "writ_build_info";

/// Begins to count.
///
/// # Errors
/// Counting was begun before in this process.
pub fn start() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for seconds in [
        feed::ACK_SECONDS,
        feed::REVOCATION_ACK_SECONDS,
        revocations::READ_SECONDS,
        revocations::COMMIT_SECONDS,
        revocations::WAIT_SECONDS,
    ] {
        builder = builder.set_buckets_for_metric(Matcher::Full(seconds.to_owned()), &feed::ACK_BUCKETS)?;
    }
    let handle = builder.install_recorder()?;
    feed::start();
    audit::start();
    credentials::start();
    keys::start();
    revocations::start();
    describe_counter!(CHECK_DECISIONS, "Check decisions by code: a denial code, or why the request passed");
    describe_counter!(REFUSED, "Calls of data planes' services by callers that are none");
    describe_counter!(OPERATOR_REFUSED, "Requests for operators' routes by callers that are none");
    describe_counter!(FOREIGN_TOKENS, "Requests of clients to revoke tokens that are not theirs, or none");
    describe_counter!(TOKENS_ISSUED, "Task tokens signed");
    describe_counter!(USES, "Requests under limited grants by what became of their use");
    describe_counter!(REQUESTS, "Requests by listener and class of status");
    describe_gauge!(CONNECTIONS, "Open connections by listener");
    describe_gauge!(POLICY_GENERATION, "Generation of the policy that counts");
    describe_counter!(POLICY_RELOADS, "Edits of the policy directory by outcome");
    describe_gauge!(
        POLICY_REJECTED,
        "1 while the policy directory holds what does not count, because of errors"
    );
    describe_gauge!(STORE_UP, "1 while the store can be read");
    describe_gauge!(STORE_AS_OF, "When the store was last read completely, Unix time");
    describe_gauge!(BUILD, "1, labelled with the version");
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1);
    // Present from the start: a rate needs a first value.
    for service in [crate::check::SERVICE, crate::feed::SERVICE] {
        counter!(REFUSED, "service" => service).absolute(0);
    }
    counter!(OPERATOR_REFUSED).absolute(0);
    counter!(FOREIGN_TOKENS).absolute(0);
    counter!(TOKENS_ISSUED).absolute(0);
    for outcome in [Use::Counted, Use::Exhausted, Use::Revoked, Use::Unavailable] {
        counter!(USES, "result" => use_result(outcome)).absolute(0);
    }
    for outcome in [ACCEPTED, REJECTED] {
        counter!(POLICY_RELOADS, "outcome" => outcome).absolute(0);
    }
    for code in DenialCode::ALL.iter().map(|code| code.as_str()).chain(PASSED) {
        counter!(CHECK_DECISIONS, "code" => code).absolute(0);
    }
    Ok(handle)
}

/// One Check decision.
pub fn check_decided(code: &'static str) {
    counter!(CHECK_DECISIONS, "code" => code).increment(1);
}

/// One call of a data planes' service by a caller that is none.
pub fn data_plane_refused(service: &'static str) {
    counter!(REFUSED, "service" => service).increment(1);
}

/// One request for operators' routes by a caller that is none.
pub fn operator_refused() {
    counter!(OPERATOR_REFUSED).increment(1);
}

/// One request of a client to revoke what is not its own.
pub fn foreign_token_left_alone() {
    counter!(FOREIGN_TOKENS).increment(1);
}

/// One token signed.
pub fn token_issued() {
    counter!(TOKENS_ISSUED).increment(1);
}

/// One data plane, or Check, asked for a use of a limited grant.
pub fn use_asked(outcome: Use) {
    counter!(USES, "result" => use_result(outcome)).increment(1);
}

fn use_result(outcome: Use) -> &'static str {
    match outcome {
        Use::Counted => "counted",
        Use::Exhausted => "exhausted",
        Use::Revoked => "revoked",
        Use::Unavailable => "unavailable",
    }
}

/// One edit of the policy took effect.
pub fn policy_accepted() {
    counter!(POLICY_RELOADS, "outcome" => ACCEPTED).increment(1);
}

/// One edit of the policy did not take effect, or not all of it.
pub fn policy_rejected() {
    counter!(POLICY_RELOADS, "outcome" => REJECTED).increment(1);
}

/// What counts now, and whether the directory holds something else.
#[allow(clippy::cast_precision_loss, reason = "Unix seconds are exact in 53 bits")]
pub fn policy_is(generation: u64, rejected: bool) {
    gauge!(POLICY_GENERATION).set(generation as f64);
    gauge!(POLICY_REJECTED).set(u8::from(rejected));
}

/// The policy was read completely from the store, at this Unix second.
#[allow(clippy::cast_precision_loss, reason = "Unix seconds are exact in 53 bits")]
pub fn store_was_read(as_of: u64) {
    gauge!(STORE_AS_OF).set(as_of as f64);
}

/// Whether the store can be read.
pub fn store_is_up(is_up: bool) {
    gauge!(STORE_UP).set(u8::from(is_up));
}

/// One request answered.
pub fn request_answered(listener: &'static str, status: http::StatusCode) {
    let class = match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    counter!(REQUESTS, "listener" => listener, "status" => class).increment(1);
}

/// A connection opened; it is counted until the guard is dropped.
#[must_use]
pub fn connection_opened(listener: &'static str) -> OpenConnection {
    gauge!(CONNECTIONS, "listener" => listener).increment(1);
    OpenConnection(listener)
}

/// See [`connection_opened`].
#[derive(Debug)]
pub struct OpenConnection(&'static str);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        gauge!(CONNECTIONS, "listener" => self.0).decrement(1);
    }
}
