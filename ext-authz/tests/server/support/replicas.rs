//! Servers that share a store and their keys.

use test_databases::Database;

use super::{Setup, policy::FOUND_SOON};

/// A test over SQLite and one over PostgreSQL of each function.
macro_rules! over_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(test_databases::Database::sqlite()).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(test_databases::Database::postgres()).await;
                }
            )*
        }
    };
}
pub(crate) use over_both;

/// A replica with this policy, and data of its own. The keys are with the first of them.
pub(crate) fn replica(database: &Database, keys: &Setup, policy: &str) -> Setup {
    configured(Setup::bare(), database, keys).write("policies/logs.yaml", policy)
}

/// The replica that has the keys.
pub(crate) fn first_replica(database: &Database, policy: &str) -> Setup {
    let setup = Setup::bare().write("policies/logs.yaml", policy);
    let keys = setup.path("shared-keys");
    setup.config(&config(database, &keys.display().to_string()))
}

fn configured(setup: Setup, database: &Database, keys: &Setup) -> Setup {
    let keys = keys.path("shared-keys").display().to_string();
    setup.config(&config(database, &keys))
}

fn config(database: &Database, keys: &str) -> String {
    format!("store: {}\nkeys_dir: {keys}\n{FOUND_SOON}", database.url())
}
