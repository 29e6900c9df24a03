//! `writ snapshot show`.

use std::path::Path;

use serde_json::{Value, json};
use verdict::document::{CredentialDocument, HostDocument, Mode, RuleDocument, SnapshotDocument, Version};

use super::{args::ShowArgs, exported};
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, BAD, STRONG, paint},
        published::{add_revoked, published, shared_keys},
        words::{Plain, date, duration, instant},
    },
    clock,
    config::resolve,
    publish::{Publication, document},
    reload::PublishedPolicy,
};

pub(super) fn run(args: &ShowArgs) -> Done {
    let (snapshot, source) = match &args.file {
        Some(file) => (exported::read(file)?, name(file)),
        None => of_store(args)?,
    };
    let failed = |error: std::io::Error| Failure::failed(&error);
    if args.json {
        output::result(&shown(&snapshot, &source).to_string()).map_err(failed)
    } else {
        output::styled(&rows(&snapshot, &source).join("\n")).map_err(failed)
    }
}

fn name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// What was published last, under the configuration as it is now.
fn of_store(args: &ShowArgs) -> Result<(SnapshotDocument, String), Failure> {
    let config = resolve(args.places.overrides())?;
    let store = config.store.to_string();
    let PublishedPolicy { edition, sources } = published(&config)?.ok_or_else(|| {
        Failure::failed(&format!(
            "no policy was ever published in `{store}`: `writ serve` does so at its start"
        ))
    })?;
    let policy = policy::Policy::compile(&sources, &config.namespaces)
        .map_err(|errors| Failure::bad_configuration(&errors))?;
    let (keys, secrets) = shared_keys(&config)?;
    let hash_key = secrets.hash_key();
    let publication = Publication { config: &config, policy: &policy, keys: &keys, hash_key };
    let mut document = document(&publication, edition, None);
    add_revoked(&mut document, &config, secrets.revocation_key())?;
    Ok((document, store))
}

/// All of it but the hash key. Taken apart without `..`: a new member has to be shown or left out on purpose.
fn shown(snapshot: &SnapshotDocument, source: &str) -> Value {
    let SnapshotDocument {
        format,
        requires,
        version,
        issued_at,
        not_after,
        issuer,
        leeway,
        hash_key: _,
        min_iat,
        keys,
        revocations,
        hosts,
    } = snapshot;
    json!({
        "source": source, "format": format, "requires": requires, "version": version, "issued_at": issued_at,
        "not_after": not_after, "issuer": issuer, "leeway": leeway, "min_iat": min_iat, "keys": keys,
        // Each is a keyed hash of a name: to be counted, not read.
        "revocations": revocations.len(), "hosts": hosts,
    })
}

fn rows(snapshot: &SnapshotDocument, source: &str) -> Vec<String> {
    let now = clock::now().0;
    let Version { epoch, generation, revocation } = snapshot.version;
    let mut rows = vec![
        row("snapshot", source),
        row("version", &format!("epoch {epoch}, generation {generation}, revocation {revocation}")),
        row("issuer", &snapshot.issuer),
        row("made", &instant(snapshot.issued_at, now)),
    ];
    match snapshot.not_after {
        Some(end) if end <= now => rows.push(paint(
            BAD,
            row("valid until", &format!("{}: every verdict is stale_snapshot", instant(end, now))),
        )),
        Some(end) => rows.push(row("valid until", &instant(end, now))),
        None => {}
    }
    if !snapshot.requires.is_empty() {
        rows.push(row("requires", &snapshot.requires.join(", ")));
    }
    if snapshot.min_iat > 0 {
        rows.push(row("refuses", &format!("tokens issued before {}", date(snapshot.min_iat))));
    }
    rows.extend(snapshot.keys.iter().map(|key| row("key", &format!("{} {}", key.alg, key.kid))));
    if !snapshot.revocations.is_empty() {
        rows.push(row("revocations", &snapshot.revocations.len().to_string()));
    }
    rows.extend(snapshot.hosts.iter().flat_map(host));
    rows
}

fn host(host: &HostDocument) -> Vec<String> {
    let HostDocument { names, audience, mode, allow: _, max_staleness, credential, rules } = host;
    let mode = match mode {
        Mode::Enforce => String::new(),
        Mode::Shadow { until } => format!(", shadow until {}", date(*until)),
    };
    let stale = duration(*max_staleness);
    let about = format!("{} (audience {audience}, stale after {stale}{mode})", names.join(", "));
    let mut rows = vec![paint(STRONG, row("host", &about))];
    if let Some(CredentialDocument { name, clusters, header }) = credential {
        rows.push(row("", &format!("credential {name} in {header}, to {} only", clusters.join(", "))));
    }
    rows.extend(rules.iter().map(|rule| {
        let RuleDocument { method, path, action, resource, .. } = rule;
        let meaning = match resource {
            Some(resource) => format!("{action} on {resource}"),
            None => "open to everyone".to_owned(),
        };
        row("", &format!("{method} {path}: {meaning}"))
    }));
    rows
}

fn row(name: &str, value: &str) -> String {
    format!("{name:<12} {}", Plain(value)).trim_end().to_owned()
}
