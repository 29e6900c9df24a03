//! `writ snapshot export`.

use serde_json::json;

use super::args::{ExportArgs, ExportFormat};
use crate::{
    cli::{
        Done,
        exit::Failure,
        output,
        published::{add_revoked, shared_keys},
    },
    clock,
    config::resolve,
    files,
    publish::{Edition, Publication, document, fill_template, load_policy, plugin_configuration},
    server::ServerError,
};

pub(super) fn run(args: &ExportArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    let policy = load_policy(&config).map_err(ServerError::from)?;
    let (keys, secrets) = shared_keys(&config)?;
    let hash_key = secrets.hash_key();
    let publication = Publication { config: &config, policy: &policy, keys: &keys, hash_key };
    let mut document = document(&publication, Edition::exported(clock::now()), Some(args.valid_for));
    add_revoked(&mut document, &config, secrets.revocation_key())?;
    let configuration = plugin_configuration(&document).map_err(|error| Failure::failed(&error))?;
    // What a filter would refuse is not written.
    verdict::Snapshot::compile(document.clone()).map_err(ServerError::from)?;
    let text = match args.format {
        ExportFormat::Json => configuration,
        ExportFormat::Envoy => fill_template(&configuration, &args.wasm),
    };
    let Some(path) = &args.output else {
        return output::result(text.trim_end()).map_err(|error| Failure::failed(&error));
    };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        files::make_private_directory(parent).map_err(|error| Failure::failed(&error))?;
    }
    // The hash key inside is for data planes only.
    files::write_atomically(path, text.as_bytes(), files::SECRET).map_err(|error| Failure::failed(&error))?;
    if !args.json {
        return Ok(());
    }
    let summary = json!({
        "output": path,
        "hosts": document.hosts.len(),
        "keys": document.keys.len(),
        "revocations": document.revocations.len(),
        "generation": document.version.generation,
        "not_after": document.not_after,
    });
    output::result(&summary.to_string()).map_err(|error| Failure::failed(&error))
}
