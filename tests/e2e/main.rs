//! End to end: real server, real Envoy, real upstreams. One binary, one module a behaviour.

mod admin;
mod cached;
mod corpus;
mod feed_early;
mod feed_life;
mod feed_world;
mod feed_wrong;
mod flood;
mod issued;
mod outage;
mod overload;
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
