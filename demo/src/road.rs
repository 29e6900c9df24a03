//! The two ways through the mesh, and a visit to a service by one of them.

use harness::{Result, envoy::Envoy};

use crate::{
    curl::{Answer, Curl},
    report::{Outcome, Report},
    tokens::{self, Task},
    world::World,
};

/// One path: which Envoy it is, and how it is called.
#[derive(Debug)]
pub(crate) struct Road<'w> {
    pub(crate) name: &'static str,
    pub(crate) envoy: &'w Envoy,
}

/// Both paths. Every verdict must be the same on either.
pub(crate) fn roads(world: &World) -> [Road<'_>; 2] {
    [filter(world), ext_authz(world)]
}

/// Envoy decides by itself.
pub(crate) fn filter(world: &World) -> Road<'_> {
    Road { name: "the wasm filter", envoy: &world.wasm }
}

/// Envoy asks the server.
pub(crate) fn ext_authz(world: &World) -> Road<'_> {
    Road { name: "ext_authz", envoy: &world.ext_authz }
}

/// Requests for one service by one road, with a task's token or without.
#[derive(Debug)]
pub(crate) struct Visit<'w> {
    world: &'w World,
    base: String,
    host: &'static str,
    token: String,
}

impl<'w> Visit<'w> {
    /// Gets a token of `seconds` for `task`, to use at the service that the policy knows as `host`.
    ///
    /// # Errors
    /// The server refuses the token.
    pub(crate) async fn start(
        world: &'w World,
        road: &Road<'_>,
        host: &'static str,
        task: &Task,
        seconds: u32,
    ) -> Result<Self> {
        Self::with(world, road, host, &tokens::issue(world, task, seconds).await?)
    }

    /// With a token that is there.
    ///
    /// # Errors
    /// The road leads nowhere.
    pub(crate) fn with(world: &'w World, road: &Road<'_>, host: &'static str, token: &str) -> Result<Self> {
        let base = format!("http://{}", road.envoy.listener("writ")?);
        Ok(Self { world, base, host, token: token.to_owned() })
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A GET by the agent, who holds the token.
    pub(crate) fn get(&self, target: &str) -> Curl {
        self.get_with(target, &self.token)
    }

    /// A GET with another token.
    pub(crate) fn get_with(&self, target: &str, token: &str) -> Curl {
        self.stranger(target).header(&format!("authorization: Bearer {token}"))
    }

    /// A GET without any token.
    pub(crate) fn stranger(&self, target: &str) -> Curl {
        Curl::new(&format!("{}{target}", self.base)).header(&format!("host: {}", self.host))
    }

    /// Sends it, as no step of a story.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn send(&self, curl: &Curl) -> Result<Answer> {
        curl.run(self.world.scratch()).await
    }

    /// Tries what must be allowed. `wanted` says in words what `is_right` looks for in the service's answer.
    ///
    /// # Errors
    /// No answer; a wrong one is a cross in the report.
    pub(crate) async fn allowed(
        &self,
        report: &mut Report,
        what: &'static str,
        curl: Curl,
        (wanted, is_right): (&str, impl Fn(&Answer) -> bool),
        why: &'static str,
    ) -> Result<()> {
        let answer = self.send(&curl).await?;
        let wanted = format!("200 {wanted}");
        let got = match answer.status {
            200 if is_right(&answer) => wanted.clone(),
            200 => "200 with another body".to_owned(),
            _ => answer.summary(),
        };
        report.add(Outcome { what, request: curl.short(), wanted, got, why });
        Ok(())
    }

    /// Tries what must be refused with the status and code `wanted`.
    ///
    /// # Errors
    /// No answer; a wrong one is a cross in the report.
    pub(crate) async fn refused(
        &self,
        report: &mut Report,
        what: &'static str,
        curl: Curl,
        wanted: &str,
        why: &'static str,
    ) -> Result<()> {
        let got = self.send(&curl).await?.summary();
        report.add(Outcome { what, request: curl.short(), wanted: wanted.into(), got, why });
        Ok(())
    }
}
