//! Options that say where things are, for the commands that need them.

use std::path::PathBuf;

use clap::Args;

use crate::config::Overrides;

/// Where configuration, data and policy are.
#[derive(Args, Debug)]
pub(super) struct Places {
    #[command(flatten)]
    data: DataPlaces,
    /// Directory of policy files [default: policies, if there is one, else a built-in example]
    #[arg(long, value_name = "DIR")]
    policy_dir: Option<PathBuf>,
}

/// Where configuration and data are.
#[derive(Args, Debug)]
pub(super) struct DataPlaces {
    /// Configuration file [default: writ.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of keys, client hashes and the data planes' socket [default: writ-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Where configuration and policy are.
#[derive(Args, Debug)]
pub(super) struct PolicyPlaces {
    /// Configuration file: what namespaces may claim [default: writ.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of policy files [default: policies, if there is one, else a built-in example]
    #[arg(long, value_name = "DIR")]
    policy_dir: Option<PathBuf>,
}

impl Places {
    pub(super) fn overrides(&self) -> Overrides {
        let Self { data, policy_dir } = self;
        Overrides { policy_dir: policy_dir.clone(), ..data.overrides() }
    }
}

impl DataPlaces {
    pub(super) fn overrides(&self) -> Overrides {
        let Self { config, data_dir } = self;
        Overrides { config: config.clone(), data_dir: data_dir.clone(), ..Overrides::default() }
    }
}

impl PolicyPlaces {
    pub(super) fn overrides(&self) -> Overrides {
        let Self { config, policy_dir } = self;
        Overrides { config: config.clone(), policy_dir: policy_dir.clone(), ..Overrides::default() }
    }
}
