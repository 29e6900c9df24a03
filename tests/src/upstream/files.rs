//! A file server that looks like an object store: buckets are directories, objects are files.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use axum::{
    Json, Router,
    extract::{Path as Segment, Query, State},
    http::StatusCode,
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tower_http::services::ServeDir;

use crate::error::{IoContext, Result};

/// A running file server; it stops when dropped.
#[derive(Debug)]
pub struct FileServer {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Debug, Deserialize)]
struct Listing {
    #[serde(default)]
    prefix: String,
}

impl FileServer {
    /// Serves `root`: `GET /{bucket}/{*key}` is a file, `GET /{bucket}?prefix=` lists keys. Port 0 takes a
    /// free one.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(root: &Path, port: u16) -> Result<Self> {
        let listener =
            TcpListener::bind(("127.0.0.1", port)).await.context(|| format!("bind port {port}"))?;
        let address = listener.local_addr().context(|| "read a port".to_owned())?;
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/{bucket}", get(list))
            .with_state(root.to_owned())
            .fallback_service(ServeDir::new(root));
        let task = tokio::spawn(async move {
            // It ends only by being aborted; a failed accept is retried within.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn list(
    State(root): State<PathBuf>,
    Segment(bucket): Segment<String>,
    Query(listing): Query<Listing>,
) -> Result<Json<Value>, StatusCode> {
    if bucket.starts_with('.') || bucket.contains('/') {
        return Err(StatusCode::BAD_REQUEST);
    }
    let root = root.join(&bucket);
    let mut keys = Vec::new();
    walk(&root, &root, &mut keys).map_err(|_| StatusCode::NOT_FOUND)?;
    keys.retain(|key| key.starts_with(&listing.prefix));
    keys.sort();
    Ok(Json(json!({"bucket": bucket, "keys": keys})))
}

fn walk(root: &Path, directory: &Path, keys: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, keys)?;
        } else if let Ok(key) = path.strip_prefix(root) {
            keys.push(key.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
