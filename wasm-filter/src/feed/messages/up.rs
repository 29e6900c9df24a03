//! What goes up, except for reports.

use verdict::document::Version;

use super::{
    super::{
        decisions,
        digest::Held,
        wire::{put_bytes, put_message, put_number, put_text},
    },
    FEATURE, PROTOCOL,
};

/// `writ.v1.Hello`.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'h> {
    /// This release.
    pub build: &'h str,
    /// The Envoy: its node's id and cluster.
    pub node: (&'h str, &'h str),
    /// What is held from an earlier stream.
    pub held: Option<Held>,
}

impl Hello<'_> {
    /// The `writ.v1.WatchRequest`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { build, node: (id, cluster), held } = self;
        let mut node = Vec::new();
        put_text(&mut node, 1, id);
        put_text(&mut node, 2, cluster);
        let mut hello = Vec::new();
        put_number(&mut hello, 1, PROTOCOL);
        put_text(&mut hello, 2, build);
        put_text(&mut hello, 3, FEATURE);
        put_message(&mut hello, 4, &node);
        if let Some(Held { version, digest }) = held {
            put_message(&mut hello, 5, &encode_version(*version));
            put_bytes(&mut hello, 6, digest.as_bytes());
        }
        request(1, &hello)
    }
}

/// `writ.v1.UseRequest`.
#[derive(Clone, Copy, Debug)]
pub struct UseRequest<'u> {
    /// The decision's name.
    pub decision: [u8; decisions::LENGTH],
    /// The token, as it was sent.
    pub token: &'u [u8],
    /// Index of the grant in it.
    pub grant: usize,
}

impl UseRequest<'_> {
    /// The message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { decision, token, grant } = self;
        let mut request = Vec::with_capacity(token.len().saturating_add(32));
        put_bytes(&mut request, 1, decision);
        put_bytes(&mut request, 2, token);
        put_number(&mut request, 3, u64::try_from(*grant).unwrap_or(u64::MAX));
        request
    }
}

/// The `writ.v1.LeaseRequest` for the credential of this name.
#[must_use]
pub fn lease_request(name: &str) -> Vec<u8> {
    let mut request = Vec::new();
    put_text(&mut request, 1, name);
    request
}

/// The `writ.v1.WatchRequest` that this version judges from now on.
#[must_use]
pub fn ack(version: Version) -> Vec<u8> {
    let mut ack = Vec::new();
    put_message(&mut ack, 1, &encode_version(version));
    request(2, &ack)
}

/// The `writ.v1.WatchRequest` that it does not, and why.
#[must_use]
pub fn nack(version: Version, reason: &str) -> Vec<u8> {
    let mut nack = Vec::new();
    put_message(&mut nack, 1, &encode_version(version));
    put_text(&mut nack, 2, reason);
    request(3, &nack)
}

fn request(kind: u8, message: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    put_message(&mut request, kind, message);
    request
}

fn encode_version(Version { epoch, generation, revocation }: Version) -> Vec<u8> {
    let mut version = Vec::new();
    for (field, number) in [(1, epoch), (2, generation), (3, revocation)] {
        put_number(&mut version, field, number);
    }
    version
}
