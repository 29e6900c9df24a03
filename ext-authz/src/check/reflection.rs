//! What gRPC reflection says about Check.

/// The service's full name.
pub const SERVICE: &str = "envoy.service.auth.v3.Authorization";

/// `FileDescriptorSet` of `envoy/service/auth/v3/external_auth.proto` and what it imports, without comments.
/// Made from the protos of the crate `envoy-types`; a test compares the two.
pub const DESCRIPTORS: &[u8] = include_bytes!("../../proto/external_auth.binpb");
