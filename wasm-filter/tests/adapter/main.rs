//! The filter on a host in memory: what Envoy calls, in Envoy's order and in none.

mod body;
mod both;
mod cache;
mod deltas;
mod early;
mod failures;
mod fake;
mod feed;
mod fixture;
mod fresh;
mod leases;
mod messages;
mod open;
mod order;
mod peer;
mod reading;
mod root;
mod stream;
mod uses;
mod waiting;
