//! From a directory of YAML policy files to a compiled policy.
