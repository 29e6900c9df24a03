//! The four surfaces, side by side on one policy and one key.

use harness::{
    Result,
    corpus::{Case, Exception, Outcome, Place, Prepared},
    server::Server,
    surface::{Check, Library, Proxy},
};

use crate::world::World;

/// All four.
pub(crate) struct Surfaces {
    library: Library,
    check: Check,
    pub(crate) wasm: Proxy,
    pub(crate) ext_authz: Proxy,
    _server: Server,
}

impl Surfaces {
    pub(crate) async fn start(world: &World) -> Result<Self> {
        let server = world.server().await?;
        Ok(Self {
            library: Library::new(world.hosts(), world.forge.issuer.clone()),
            check: Check::connect(&server.listeners.data_plane).await?,
            wasm: world.wasm().await?,
            ext_authz: world.ext_authz().await?,
            _server: server,
        })
    }

    /// The outcome at each place, in the order of [`Place::ALL`]; `None` where the case cannot be tried. The
    /// places do not wait for each other: some refusals take Envoy a second.
    pub(crate) async fn judge(
        &mut self,
        world: &World,
        case: &Case,
        prepared: &Prepared,
    ) -> [Option<Result<Outcome>>; 4] {
        let Self { library, check, wasm, ext_authz, _server: _ } = self;
        let preparer = world.preparer();
        let (library, check, wasm, ext_authz) = tokio::join!(
            at(case, Place::Verdict, std::future::ready(library.judge(case, prepared, &preparer))),
            at(case, Place::Check, check.judge(case, prepared, &preparer)),
            at(case, Place::Wasm, wasm.judge(case, prepared, &world.pki)),
            at(case, Place::ExtAuthz, ext_authz.judge(case, prepared, &world.pki)),
        );
        [library, check, wasm, ext_authz]
    }
}

async fn at(
    case: &Case,
    place: Place,
    judged: impl Future<Output = Result<Outcome>>,
) -> Option<Result<Outcome>> {
    match case.exception(place) {
        Some(Exception::NotThere(_)) => None,
        _ => Some(judged.await),
    }
}
