//! End to end: real server, real Envoy, real upstreams. One binary, one module a behaviour.

mod admin;
mod cached;
mod chained;
mod corpus;
mod flood;
mod issued;
mod istio;
mod live;
mod mesh;
mod outage;
mod overload;
mod pending;
mod previous;
mod reload;
mod rolling;
mod routing;
mod sizes;
mod snapshots;
mod startup;
mod surfaces;
mod upgrade;
mod workers;
mod world;
