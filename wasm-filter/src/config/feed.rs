//! The `feed` of a plugin configuration: which cluster of Envoy to ask, by which name, with which credential.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// Longest `cluster` and `authority`, in bytes. Envoy takes the upstream of a stream as a serialized message, which
/// is a text as long as every length in it is below 128.
const MAX_NAME: usize = 120;
/// Most fields of metadata.
const MAX_FIELDS: usize = 16;
/// Longest name of a field of metadata, in bytes.
const MAX_FIELD_NAME: usize = 64;
/// Longest value of a field of metadata, in bytes.
const MAX_FIELD_VALUE: usize = 8192;

/// Where snapshots are fed from. Two that are equal are one feed: a configuration may follow another without a
/// pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    cluster: String,
    authority: String,
    metadata: Vec<(String, Secret)>,
}

/// A value that nothing prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// The wire form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'c> {
    cluster: String,
    authority: String,
    #[serde(borrow, default)]
    metadata: Option<&'c RawValue>,
}

impl FeedConfig {
    /// Reads the wire form. A reason never quotes what may be secret.
    pub(super) fn from_json(json: &str) -> Result<Self, String> {
        if !json.starts_with('{') {
            return Err("not an object".to_owned());
        }
        let Document { cluster, authority, metadata } =
            serde_json::from_slice(json.as_bytes()).map_err(|error| error.to_string())?;
        check_name("cluster", &cluster)?;
        check_name("authority", &authority)?;
        let metadata = metadata.map_or(Ok(Vec::new()), |metadata| read_metadata(metadata.get()))?;
        Ok(Self { cluster, authority, metadata })
    }

    /// The name of Envoy's cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The `:authority` of the stream.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Header fields that the stream begins with.
    #[must_use]
    pub fn metadata(&self) -> Vec<(&str, &[u8])> {
        self.metadata.iter().map(|(name, Secret(value))| (name.as_str(), value.as_bytes())).collect()
    }

    /// Envoy's `GrpcService{envoy_grpc{cluster_name, authority}}` in protobuf's wire form, as a text: the SDK takes
    /// no bytes. A bare cluster name would do without, but becomes the `:authority`, and Istio's names hold `|`.
    ///
    /// `envoy_grpc` stands there twice, once with each name, so that each length stays a byte below 128. Readers
    /// merge what occurs twice (protobuf's encoding guide, "Last One Wins").
    #[must_use]
    pub fn upstream(&self) -> String {
        let mut message = String::new();
        for (field, name) in [(CLUSTER_NAME, &self.cluster), (AUTHORITY, &self.authority)] {
            // Names have at most `MAX_NAME` bytes, so that neither length is another character.
            let length = |bytes: usize| char::from(u8::try_from(bytes).unwrap_or(0));
            message.extend([ENVOY_GRPC, length(name.len().saturating_add(2)), field, length(name.len())]);
            message.push_str(name);
        }
        message
    }
}

impl FeedConfig {
    /// The same, for calls with one answer: one of several servers may be gone, and asking again is no other question.
    #[must_use]
    pub fn upstream_of_calls(&self) -> String {
        self.upstream() + RETRIES
    }
}

/// Keys of `envoy.config.core.v3.GrpcService`: field 1, 1.1 and 1.2, each with a length.
const ENVOY_GRPC: char = '\x0a';
const CLUSTER_NAME: char = '\x0a';
const AUTHORITY: char = '\x12';
/// The same, field 6, `retry_policy`: twice at most (6.2, a wrapped number), where a server cannot be reached or is on its
/// way out (6.3); and then of another server (6.5 and 6.6). It stands there twice, too.
const RETRIES: &str = concat!(
    "\x32\x36\x12\x02\x08\x02\x1a\x30connect-failure,refused-stream,reset,unavailable",
    "\x32\x63\x2a\x5f\x0a\x01p\x12\x5a\x0a\x58type.googleapis.com/",
    "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate\x30\x03",
);

fn check_name(member: &str, name: &str) -> Result<(), String> {
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(format!("`{member}` is not 1 to {MAX_NAME} visible ASCII characters"))
    }
}

fn read_metadata(json: &str) -> Result<Vec<(String, Secret)>, String> {
    /// Every field, repeated ones too.
    struct Fields(Vec<(String, Secret)>);

    impl<'de> Deserialize<'de> for Fields {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Visitor).map(Self)
        }
    }

    struct Visitor;

    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Vec<(String, Secret)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, String>()? {
                fields.push((name, Secret(value)));
            }
            Ok(fields)
        }
    }

    // The reader's own message may quote a value.
    let Fields(fields) = serde_json::from_slice(json.as_bytes())
        .map_err(|_| "`metadata` is not an object of texts".to_owned())?;
    if fields.len() > MAX_FIELDS {
        return Err(format!("`metadata` has more than {MAX_FIELDS} members"));
    }
    for (index, (name, Secret(value))) in fields.iter().enumerate() {
        if !is_metadata_name(name) {
            return Err(
                "a name in `metadata` is no lower-case field name, or one that gRPC sets itself".to_owned()
            );
        }
        if fields.iter().skip(index.saturating_add(1)).any(|(other, _)| other == name) {
            return Err(format!("`metadata` has `{name}` twice"));
        }
        if value.len() > MAX_FIELD_VALUE || !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            return Err(format!(
                "the value of `{name}` is not up to {MAX_FIELD_VALUE} printable ASCII characters"
            ));
        }
    }
    Ok(fields)
}

fn is_metadata_name(name: &str) -> bool {
    let token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_FIELD_NAME).contains(&name.len())
        && name.bytes().all(token)
        && !name.starts_with("grpc-")
        && !matches!(
            name,
            "te" | "host" | "content-type" | "connection" | "transfer-encoding" | "content-length"
        )
}
