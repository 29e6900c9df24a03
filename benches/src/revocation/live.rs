//! What revocations that stand cost the filter: one Envoy with them, one without, rounds of both interleaved.

use std::time::{SystemTime, UNIX_EPOCH};

use harness::{
    Result,
    error::unexpected,
    fleet::{Fleet, Gate},
    http::h1,
    wait,
};
use test_databases::Database;

use super::{
    Options,
    world::{client, fleet, gate, reading, revocation, task},
};
use crate::{cpu, load::Load};

/// Requests of a round, and rounds before the first that counts.
const REQUESTS: usize = 4000;
const WARM_UP: u32 = 3;

/// What was measured.
pub(super) struct Live {
    pub(super) revocations: usize,
    /// Envoy's CPU time for each request, microseconds, without them and with them, of each round.
    pub(super) rounds: Vec<[f64; 2]>,
    /// Resident memory of each Envoy, bytes.
    pub(super) resident: [u64; 2],
    /// Virtual machines of the filter in each: its workers' and the main thread's.
    pub(super) machines: usize,
}

/// A server with so many revocations, and an Envoy that follows it.
struct World {
    gate: Gate,
    load: Load,
    request: Vec<u8>,
    _fleet: Fleet,
    _database: Database,
}

pub(super) async fn measure(options: &Options) -> Result<Live> {
    let mut worlds = [World::start(0).await?, World::start(options.live).await?];
    let mut rounds = Vec::new();
    for number in 0..options.rounds + WARM_UP {
        let mut round = [0.0; 2];
        for position in 0..2 {
            // Another order each time.
            let index = (position + number as usize) % 2;
            if let (Some(world), Some(sample)) = (worlds.get_mut(index), round.get_mut(index)) {
                *sample = world.round().await?;
            }
        }
        if number >= WARM_UP {
            rounds.push(round);
        }
    }
    let [without, with] = &worlds;
    Ok(Live {
        revocations: options.live,
        rounds,
        resident: [cpu::resident(without.gate.envoy.id())?, cpu::resident(with.gate.envoy.id())?],
        machines: without.gate.workers.len() + 1,
    })
}

impl World {
    async fn start(revocations: usize) -> Result<Self> {
        let database = Database::sqlite();
        let fleet = fleet(&[database.url()]).await?;
        let token = client(&fleet, 0)?.start(&task()).await?.token;
        if revocations > 0 {
            fill(&database, revocations).await?;
            wait::until("the server to know what is revoked", async || {
                Ok((revocation(&fleet, 0).await? >= revocations as u64).then_some(()))
            })
            .await?;
        }
        let gate = gate(&fleet, 0).await?;
        let request = h1::render(&reading(&token));
        let load = Load::connect(gate.envoy.only_listener()?).await?;
        Ok(Self { gate, load, request, _fleet: fleet, _database: database })
    }

    /// Envoy's CPU time for a request, microseconds.
    async fn round(&mut self) -> Result<f64> {
        let before = cpu::time(self.gate.envoy.id())?;
        self.load.run(std::iter::repeat_n(self.request.as_slice(), REQUESTS)).await?;
        let spent = cpu::time(self.gate.envoy.id())?.saturating_sub(before);
        Ok(spent.as_secs_f64() * 1e6 / REQUESTS as f64)
    }
}

/// Puts revocations into the store behind its server's back, which finds them by reading.
async fn fill(database: &Database, count: usize) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(unexpected)?.as_secs();
    database
        .execute(&format!(
            "INSERT INTO revocations (seq, level, name, revoked_by, revoked_at, expires_at) \
             WITH RECURSIVE numbers(number) AS \
             (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count}) \
             SELECT number, 'task', 'task-' || number, 'bench', {now}, {now} + 3600 FROM numbers"
        ))
        .await;
    database.execute(&format!("UPDATE store SET revocation = {count}")).await;
    Ok(())
}
