//! The proxy-wasm filter: a thin adapter between Envoy and the verdict.
