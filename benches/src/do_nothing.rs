//! An ext_authz server without a judgement: what remains is the price of the hop.

use std::{fs, path::Path};

use envoy_types::ext_authz::v3::{
    CheckResponseExt,
    pb::{Authorization, AuthorizationServer, CheckRequest, CheckResponse},
};
use harness::{Result, error::IoContext};
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, async_trait, transport::Server};

struct DoNothing;

#[async_trait]
impl Authorization for DoNothing {
    async fn check(&self, _: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Ok(Response::new(CheckResponse::with_status(Status::ok("OK"))))
    }
}

/// Serves on `socket` until the process is ended.
///
/// # Errors
/// The socket cannot be made.
pub(crate) async fn serve(socket: &Path) -> Result<()> {
    // Under its own name only once it is listened on, so that waiting for the file is enough.
    let unready = socket.with_extension("new");
    let listener = UnixListener::bind(&unready).context(|| format!("bind `{}`", unready.display()))?;
    fs::rename(&unready, socket).context(|| format!("name `{}`", socket.display()))?;
    Server::builder()
        .add_service(AuthorizationServer::new(DoNothing))
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await
        .map_err(harness::error::unexpected)
}
