#![doc = include_str!("lib.md")]

pub mod admin;
pub mod check;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod feed;
pub mod files;
pub mod identity;
pub mod issue;
pub mod keys;
pub mod listen;
pub mod oauth;
pub mod operators;
pub mod publish;
pub mod reload;
pub mod revocations;
pub mod rpc;
pub mod scope;
pub mod server;
pub mod state;
pub mod tasks;
pub mod telemetry;
pub mod tls;
pub mod trial;
mod web;
mod yaml;
