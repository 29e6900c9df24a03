//! End to end: real server, real Envoy, real upstreams. One binary, one module a behaviour.

mod cached;
mod corpus;
mod issued;
mod outage;
mod pending;
mod reload;
mod routing;
mod sizes;
mod snapshots;
mod startup;
mod surfaces;
mod upgrade;
mod workers;
mod world;
