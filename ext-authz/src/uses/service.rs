//! `writ.v1.DataPlane/Use`.

use proto::v1::{UseRequest, UseResponse, use_response::Outcome};
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::BoxFuture,
    server::{Grpc, UnaryService},
};
use tonic_prost::ProstCodec;
use verdict::Use;

use super::{Answer, Asked, Uses};
use crate::identity::DataPlane;

/// The method's path.
pub(crate) const USE: &str = "/writ.v1.DataPlane/Use";
/// Bytes of a decision's name.
const DECISION: usize = 16;
/// Most bytes of a message: a token of 8 KiB, and some more.
const MESSAGE_BYTES: usize = 10 * 1024;

/// Answers a data plane that has proven to be one.
pub(crate) async fn count(
    uses: Uses,
    plane: DataPlane,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let codec: ProstCodec<UseResponse, UseRequest> = ProstCodec::default();
    let mut grpc = Grpc::new(codec).max_decoding_message_size(MESSAGE_BYTES);
    grpc.unary(Method { uses, plane }, request).await
}

struct Method {
    uses: Uses,
    plane: DataPlane,
}

impl UnaryService<UseRequest> for Method {
    type Response = UseResponse;
    type Future = BoxFuture<Response<UseResponse>, Status>;

    fn call(&mut self, request: Request<UseRequest>) -> Self::Future {
        let (uses, plane) = (self.uses.clone(), self.plane.clone());
        Box::pin(async move { answer(&uses, &plane, request.into_inner()).await.map(Response::new) })
    }
}

async fn answer(uses: &Uses, plane: &DataPlane, request: UseRequest) -> Result<UseResponse, Status> {
    let UseRequest { decision, token, grant } = request;
    if decision.len() != DECISION {
        return Err(Status::invalid_argument(format!("`decision` has {DECISION} bytes")));
    }
    let grant = usize::try_from(grant).map_err(|_| Status::invalid_argument("`grant` is no index"))?;
    let Answer { outcome, left } =
        uses.count(plane, Asked { decision: &decision, token: &token, grant }).await;
    let outcome = match outcome {
        Use::Counted => Outcome::Counted,
        Use::Exhausted => Outcome::Exhausted,
        Use::Revoked => Outcome::Revoked,
        Use::Unavailable => return Err(Status::unavailable("the use cannot be counted now")),
    };
    Ok(UseResponse { outcome: outcome.into(), left })
}
