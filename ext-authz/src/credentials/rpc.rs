//! `writ.v1.DataPlane/Lease`: a credential for a data plane that is trusted with it, for a while.

use std::{borrow::Cow, time::Duration};

use ::audit::{Event, EventKind};
use proto::v1::{LeaseRequest, LeaseResponse};
use tonic::{
    Status,
    body::Body,
    codegen::BoxFuture,
    server::{Grpc, UnaryService},
};
use tonic_prost::ProstCodec;
use verdict::document::HostDocument;

use super::{
    Credentials, Keeper, Kept, Rendered, Secret,
    refusals::{self, Refused},
};
use crate::{
    audit::Recorder,
    clock,
    identity::DataPlane,
    state::{Current, State},
    telemetry::credentials::{self as metrics, Lease},
};

/// The path of the method.
pub const LEASE: &str = "/writ.v1.DataPlane/Lease";
/// Longest question, bytes.
const MESSAGE_BYTES: usize = 1024;
/// The same for a data plane that is not trusted, for a credential of others, and for one that does not exist.
const REFUSED: &str = "this data plane is not trusted with this credential";

/// Hands leases out.
#[derive(Clone, Debug)]
pub struct Leases {
    /// Whose policy says what there is.
    pub current: Current,
    /// Where it is.
    pub credentials: Credentials,
    /// Takes what was handed out.
    pub recorder: Recorder,
}

impl Leases {
    /// Answers one question of `plane`.
    pub async fn answer(self, plane: DataPlane, request: http::Request<Body>) -> http::Response<Body> {
        let codec: ProstCodec<LeaseResponse, LeaseRequest> = ProstCodec::default();
        let mut grpc = Grpc::new(codec).max_decoding_message_size(MESSAGE_BYTES);
        grpc.unary(Method { leases: self, plane }, request).await
    }

    async fn lease(self, plane: DataPlane, name: String) -> Result<LeaseResponse, Status> {
        let state = self.current.load();
        let entitled = entitle(&state, &plane, &name);
        let found =
            entitled.and_then(|()| self.credentials.find(state.policy(), &name).ok_or(Refused::Unknown));
        let keeper = found.map_err(|refused| {
            metrics::leased(Lease::Refused);
            refusals::note(&plane, &name, refused);
            Status::permission_denied(REFUSED)
        })?;
        let kept = keeper.fresh().await.map_err(|_| {
            metrics::leased(Lease::Unavailable);
            Status::unavailable("the credential cannot be had now: the server's log says why")
        })?;
        metrics::leased(Lease::Granted);
        let lease = keeper.lease(&kept);
        self.record(&plane, &name, lease);
        Ok(response(&keeper, kept, lease))
    }

    fn record(&self, plane: &DataPlane, name: &str, lease: Duration) {
        let at = clock::now_millis();
        self.recorder.record(&Event {
            at: at.0,
            event: EventKind::CredentialLeased,
            data_plane: Some(Cow::Borrowed(&plane.name)),
            name: Some(Cow::Borrowed(name)),
            expires_at: Some(at.seconds().plus(lease.as_secs()).0),
            ..Event::default()
        });
    }
}

/// Whether it is trusted at all, and sees a host that has the credential.
fn entitle(state: &State, plane: &DataPlane, name: &str) -> Result<(), Refused> {
    let sends = |host: &&HostDocument| host.credential.as_ref().is_some_and(|its| its.name == name);
    let mut hosts = state.policy().hosts().iter().filter(sends).peekable();
    if hosts.peek().is_none() {
        Err(Refused::Unknown)
    } else if !plane.trusted_egress {
        Err(Refused::Untrusted)
    } else if !hosts.any(|host| plane.scope.sees(Some(&host.audience))) {
        Err(Refused::Unseen)
    } else {
        Ok(())
    }
}

fn response(keeper: &Keeper, kept: Kept, lease: Duration) -> LeaseResponse {
    let Kept { rendered: Rendered { value, masked }, .. } = kept;
    LeaseResponse {
        header: keeper.header().to_owned(),
        value: value.expose().to_vec(),
        masked: masked.iter().map(|secret: &Secret| secret.expose().to_vec()).collect(),
        lease_ms: u32::try_from(lease.as_millis()).unwrap_or(u32::MAX),
    }
}

struct Method {
    leases: Leases,
    plane: DataPlane,
}

impl UnaryService<LeaseRequest> for Method {
    type Response = LeaseResponse;
    type Future = BoxFuture<tonic::Response<LeaseResponse>, Status>;

    fn call(&mut self, request: tonic::Request<LeaseRequest>) -> Self::Future {
        let (leases, plane) = (self.leases.clone(), self.plane.clone());
        Box::pin(async move {
            let LeaseRequest { credential } = request.into_inner();
            leases.lease(plane, credential).await.map(tonic::Response::new)
        })
    }
}
