//! How long a provider that failed is left alone.

use std::time::Duration;

use policy::SecretSource;

/// After the first failure. It doubles.
const FIRST: Duration = Duration::from_millis(500);
/// The most, for one over the network.
const LONGEST: Duration = Duration::from_secs(30);
/// The most for what is stored on this machine: reading it is cheap, and whoever repaired it waits for it.
const LONGEST_STORED: Duration = Duration::from_secs(1);

/// How long to wait after a failure that `failures` in a row were before.
pub(super) fn pause(source: &SecretSource, failures: u32) -> Duration {
    let longest = match source {
        SecretSource::Stored(_) => LONGEST_STORED,
        SecretSource::ClientCredentials(_) | SecretSource::TokenExchange(_) => LONGEST,
    };
    FIRST.saturating_mul(1 << failures.min(6)).min(longest)
}

#[cfg(test)]
mod tests {
    use policy::{ClientCredentials, OauthClient, StoredSecret};

    use super::*;

    #[test]
    fn what_is_stored_is_read_again_within_a_second_however_often_it_failed() {
        let variable = StoredSecret::Environment("A".into());
        let stored = SecretSource::Stored(variable.clone());
        assert_eq!([0, 1, 60].map(|failures| pause(&stored, failures).as_millis()), [500, 1000, 1000]);
        let endpoint = SecretSource::ClientCredentials(ClientCredentials {
            token_url: "https://a/".into(),
            client: OauthClient { id: "w".into(), secret: variable },
            scope: None,
            audience: None,
        });
        assert_eq!([0, 1, 60].map(|failures| pause(&endpoint, failures).as_millis()), [500, 1000, 30_000]);
    }
}
