//! Where PostgreSQL's programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Where Debian has one directory for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
    pub(super) psql: PathBuf,
}

impl Binaries {
    /// The newest version in Debian's places, else whichever is in `PATH`.
    pub(super) fn find() -> Option<Self> {
        let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
        let mut versions: Vec<(u32, PathBuf)> = versions
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        versions.sort();
        let path = env::var_os("PATH").unwrap_or_default();
        let mut places = versions.into_iter().rev().map(|(_, path)| path).chain(env::split_paths(&path));
        places.find_map(|place| Self::at(&place))
    }

    fn at(place: &Path) -> Option<Self> {
        let program = |name: &str| Some(place.join(name)).filter(|path| path.is_file());
        Some(Self { initdb: program("initdb")?, postgres: program("postgres")?, psql: program("psql")? })
    }
}
