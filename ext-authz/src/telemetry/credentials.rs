//! Metrics of services' own credentials.

use metrics::{counter, describe_counter};

const FETCHES: &str = "writ_credential_fetches_total";
const LEASES: &str = "writ_credential_leases_total";
const OK: &str = "ok";
const FAILED: &str = "failed";

/// What became of a data plane's question for a credential.
#[derive(Clone, Copy, Debug)]
pub enum Lease {
    /// It got it.
    Granted,
    /// It is not trusted with credentials, or not with this one.
    Refused,
    /// There is none now.
    Unavailable,
}

impl Lease {
    const ALL: [Self; 3] = [Self::Granted, Self::Refused, Self::Unavailable];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Describes what is counted, and begins at zero.
pub(super) fn start() {
    describe_counter!(FETCHES, "Questions to providers of services' credentials, by result");
    describe_counter!(LEASES, "Leases that data planes asked for, by result");
    for result in [OK, FAILED] {
        counter!(FETCHES, "result" => result).absolute(0);
    }
    for lease in Lease::ALL {
        counter!(LEASES, "result" => lease.as_str()).absolute(0);
    }
}

/// A provider was asked.
pub fn fetched(is_ok: bool) {
    counter!(FETCHES, "result" => if is_ok { OK } else { FAILED }).increment(1);
}

/// A data plane asked.
pub fn leased(lease: Lease) {
    counter!(LEASES, "result" => lease.as_str()).increment(1);
}
