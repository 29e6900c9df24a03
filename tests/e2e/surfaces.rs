//! The four surfaces, side by side on one policy and one key.

use harness::{
    Result,
    corpus::{Case, Outcome, Place, Prepared},
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

    pub(crate) async fn judge(
        &mut self,
        world: &World,
        place: Place,
        case: &Case,
        prepared: &Prepared,
    ) -> Result<Outcome> {
        match place {
            Place::Verdict => self.library.judge(case, prepared, &world.preparer()),
            Place::Check => self.check.judge(case, prepared, &world.preparer()).await,
            Place::Wasm => self.wasm.judge(case, prepared, &world.pki).await,
            Place::ExtAuthz => self.ext_authz.judge(case, prepared, &world.pki).await,
        }
    }
}
