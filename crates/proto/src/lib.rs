//! The messages of `writ.v1`, made from `proto/writ/v1` and checked in; a test compares the two.
//!
//! Without features it is what the filter's sandbox needs: messages alone, `no_std`. The feature `tonic` adds the
//! service's stubs.
#![cfg_attr(not(feature = "tonic"), no_std)]
// Generated code says what its proto says.
#![allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]

/// Version 1. The feed: see `data_plane.proto` for what each message means and when it is sent.
pub mod v1 {
    include!("generated/writ.v1.rs");

    /// What clients do with their tasks: see `tasks.proto`. No matter of the sandbox.
    #[cfg(feature = "tonic")]
    pub mod tasks {
        include!("generated/writ.v1.tasks.rs");
    }

    /// The protocol's version, for [`Hello::protocol`].
    pub const PROTOCOL: u32 = 1;
    /// Most bytes of [`Snapshot::part`].
    pub const CHUNK: usize = 256 * 1024;
}

/// `FileDescriptorSet` of the services, for reflection.
#[cfg(feature = "tonic")]
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/writ.v1.binpb");
