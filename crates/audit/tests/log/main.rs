//! A log in memory, tampered with in every way.

mod chains;
mod checkpoints;
mod events;
mod support;
mod tampering;
