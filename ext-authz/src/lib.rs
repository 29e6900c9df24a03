//! The Writ server: issues task tokens and answers Envoy's ext_authz.
