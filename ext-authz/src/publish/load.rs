//! Reading policy from where the configuration says.

use policy::{EXAMPLE, Policy, PolicyErrors};

use crate::config::{Config, PolicySource};

/// Compiles the configured policy.
///
/// # Errors
/// Every fault of every file.
pub fn load_policy(config: &Config) -> Result<Policy, PolicyErrors> {
    match &config.policy {
        PolicySource::Directory(directory) => Policy::load(directory, &config.namespaces),
        PolicySource::Example => Policy::from_sources(EXAMPLE, &config.namespaces),
    }
}
