//! `writ snapshot export`.

use serde_json::json;
use verdict::document::HostDocument;

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
        output::result(text.trim_end()).map_err(|error| Failure::failed(&error))?;
        note_what_needs_a_server(&document.hosts);
        return Ok(());
    };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        files::make_private_directory(parent).map_err(|error| Failure::failed(&error))?;
    }
    // The hash key inside is for data planes only.
    files::write_atomically(path, text.as_bytes(), files::SECRET).map_err(|error| Failure::failed(&error))?;
    note_what_needs_a_server(&document.hosts);
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

/// Credentials and uses are asked for at a server, which nothing in the file shows.
fn note_what_needs_a_server(hosts: &[HostDocument]) {
    let with_credential = hosts.iter().filter(|host| host.credential.is_some());
    let names: Vec<&str> = with_credential.flat_map(|host| &host.names).map(String::as_str).collect();
    if !names.is_empty() {
        output::note(&format!(
            "an Envoy that follows no server has no credential for {}, and counts no uses: requests there, and those under \
             limited grants, get 503 `server_unavailable`",
            names.join(", ")
        ));
    }
}
