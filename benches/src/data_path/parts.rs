//! The processes of the measurement, all on this machine.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{
    Result,
    envoy::Envoy,
    error::{IoContext, unexpected},
    forge::Key,
    paths,
    process::Process,
    server::{Release, Server, Setup},
    wait,
};
use tempfile::TempDir;
use writ_benches::{ISSUER, key};

use super::{
    bootstrap::{FEED, Inputs, bootstrap},
    variant::Variant,
};
use crate::upstream::Upstream;

/// One host with two rules, the same as in the benches of the verdict, and two that take bodies; its client is here because
/// there must be one.
const POLICY: &str = r#"
namespace: logs
clients:
  log-janitor:
    authenticate: {generated: true}
    may_request: [{actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m}]
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/{bucket}", query: {prefix: optional}, action: "s3:ListBucket", resource: "s3://{bucket}", params: {prefix: query.prefix}}
      - {method: GET, path: "/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}"}
      - {method: POST, path: "/unread/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}", body: opaque}
      - {method: POST, path: "/json/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}", params: {user: "body./passenger/id", price: {from: "body./price", type: number}}}
"#;

/// A host like the other, with a credential.
pub(super) const KEYED_HOST: &str = "keyed.internal";
/// What its upstream is sent.
pub(super) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The policy, whose second host sends the secret in `file`.
fn policy(file: &Path) -> String {
    let rules = POLICY.split_once("routes:\n").map(|(_, rules)| rules).unwrap_or_default();
    let keyed =
        rules.replace("logs.internal", KEYED_HOST).replace("    rules:", "    credential: key\n    rules:");
    let secret = format!("{{file: {}}}", file.display());
    format!(
        "{POLICY}{keyed}credentials:\n  key: {{clusters: [upstream], inject: {{header: authorization, format: \
         \"Bearer {{secret}}\"}}, secret: {secret}}}\n"
    )
}

/// Everything that runs; it stops when dropped.
pub(super) struct Parts {
    pub(super) envoy: Envoy,
    pub(super) upstream: Upstream,
    pub(super) writ: Server,
    pub(super) do_nothing: Process,
    pub(super) key: Key,
    _directory: TempDir,
}

impl Parts {
    /// Starts everything and waits until it is ready.
    ///
    /// # Errors
    /// A part is not built, or does not start.
    pub(super) async fn start(variants: &[Variant], other: Option<&Path>) -> Result<Self> {
        // Short, because the path of a Unix socket has at most 108 bytes.
        let directory =
            tempfile::Builder::new().prefix("b").tempdir().context(|| "make a directory".to_owned())?;
        let place = |name: &str| directory.path().join(name);
        let policies = place("policies");
        fs::create_dir(&policies).context(|| "make the policy directory".to_owned())?;
        let file = place("key");
        fs::write(&file, SECRET).context(|| "write the key".to_owned())?;
        fs::set_permissions(&file, Permissions::from_mode(0o600))
            .context(|| "restrict the key".to_owned())?;
        fs::write(policies.join("logs.yaml"), policy(&file)).context(|| "write the policy".to_owned())?;
        let setup = Setup {
            data: place("d"),
            policies,
            config: Some(format!("issuer: {ISSUER}\nlisteners: {{data_plane_trusted_egress: true}}\n")),
            release: Release::Current,
        };
        let key = key();
        setup.install_key(&key)?;
        let writ = Server::start(&setup).await?;
        let filters = filters(&setup, directory.path(), other)?;
        let socket = place("do-nothing");
        let do_nothing = do_nothing(&socket, &place("do-nothing.log")).await?;
        let upstream = Upstream::start().await?;
        let config = bootstrap(
            variants,
            &Inputs {
                upstream: upstream.address,
                data: &setup.data,
                filters: &filters,
                do_nothing: &socket,
                key: &key,
            },
        )?;
        let envoy = Envoy::start_with(&config, &place("envoy"), 1).await?;
        Ok(Self { envoy, upstream, writ, do_nothing, key, _directory: directory })
    }
}

/// The filter's Envoy resource for each of its variants: with the server's snapshot as exported, or as shipped, on its
/// feed.
fn filters(setup: &Setup, directory: &Path, other: Option<&Path>) -> Result<Vec<(Variant, PathBuf)>> {
    let read = |file: &Path| fs::read_to_string(file).context(|| format!("read `{}`", file.display()));
    let built = paths::filter()?.display().to_string();
    let exported = read(&setup.export_snapshot()?)?;
    let shipped = read(&paths::repository().join("envoy/writ-filter.yaml"))?;
    let on_feed = shipped.replace(r#""cluster": "writ""#, &format!(r#""cluster": "{FEED}""#));
    let on_feed = on_feed.replace("target/wasm/writ_filter.wasm", &built);
    let other = other.unwrap_or(Path::new(&built)).display().to_string();
    let texts = [
        (Variant::FilterNew, exported.clone()),
        (Variant::FilterSeen, exported.clone()),
        (Variant::FilterFed, on_feed.clone()),
        (Variant::BodyUnread, exported.clone()),
        (Variant::BodyCheck, exported.clone()),
        (Variant::FilterInjects, on_feed.clone()),
        (Variant::OtherSeen, exported.replace(&built, &other)),
        (Variant::OtherFed, on_feed.replace(&built, &other)),
    ];
    let write = |(variant, text): (Variant, String)| {
        let file = directory.join(format!("{}.yaml", variant.listener()));
        fs::write(&file, text).context(|| format!("write `{}`", file.display()))?;
        Ok((variant, file))
    };
    texts.into_iter().map(write).collect()
}

/// This program once more: a process of its own, so that its CPU time is its own.
async fn do_nothing(socket: &PathBuf, log: &Path) -> Result<Process> {
    let mut command = Command::new(std::env::current_exe().map_err(unexpected)?);
    command.arg("do-nothing").arg(socket);
    let mut process = Process::start("the do-nothing server", command, log)?;
    wait::until("the do-nothing server's socket", || {
        let alive = process.check();
        std::future::ready(alive.map(|()| socket.exists().then_some(())))
    })
    .await?;
    Ok(process)
}
