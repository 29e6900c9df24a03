//! End to end: real server, real Envoy, real upstreams. One binary, one module a behaviour.

mod corpus;
mod world;
