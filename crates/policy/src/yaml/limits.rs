//! How much one file may make the parser do.
//!
//! Policy is written by operators, often of many teams (namespaces) and by way of a Kubernetes ConfigMap. One
//! team's file must not be able to take the server, and so every other team's policy, down.

use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options};

/// Size of one file, bytes. A Kubernetes ConfigMap holds as much in total.
pub(crate) const MAX_FILE_BYTES: usize = 1024 * 1024;

/// What is wrong with a larger file.
pub(crate) fn too_large() -> String {
    format!("larger than {MAX_FILE_BYTES} bytes")
}

/// Nested sequences and mappings. The deepest policy value (a list in a constraint) is at 8.
const MAX_DEPTH: usize = 16;
const MAX_NODES: usize = 200_000;
const MAX_ALIASES: usize = 1_000;
/// Nodes that all aliases together may stand for: this is what stops exponential ("billion laughs") files.
const MAX_REPLAYED: usize = 20_000;

/// Strict reading: what two YAML parsers might understand differently is an error.
pub(crate) fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_recorded_anchor_events: MAX_NODES,
            max_documents: 1,
            max_total_scalar_bytes: 2 * MAX_FILE_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_REPLAYED,
            max_replay_stack_depth: 8,
            max_alias_expansions_per_anchor: MAX_ALIASES,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // A merged-in member is invisible where it takes effect. Policy says what it grants on the spot.
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        strict_indentation: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}
