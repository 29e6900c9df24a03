//! Any bytes as JSON: the scanner finds what `serde_json` finds, or refuses what is no JSON or reads two ways.
#![no_main]

#[path = "../../crates/verdict/tests/common/json_oracle.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| oracle::compare(bytes));
