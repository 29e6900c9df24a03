//! How big the parts are that operators deploy.

use std::io::Write;

use harness::paths;

/// Bytes of the stripped server binary.
const SERVER: u64 = 15_000_000;
/// Bytes of the filter.
const FILTER: u64 = 600_000;

#[test]
fn the_deployed_parts_are_small() {
    for (what, path, limit) in
        [("server binary", paths::writ().unwrap(), SERVER), ("wasm filter", paths::filter().unwrap(), FILTER)]
    {
        let bytes = std::fs::metadata(&path).unwrap().len();
        writeln!(std::io::stdout(), "{what}: {bytes} bytes").unwrap();
        assert!(bytes < limit, "{what}: {bytes} bytes, which is not under {limit}");
    }
}
