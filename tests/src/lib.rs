//! Real parts for end-to-end tests: Envoy, the server, upstreams and a raw HTTP client.
