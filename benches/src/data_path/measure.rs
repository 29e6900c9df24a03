//! Rounds: every variant once, each with the same number of requests.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::{Result, error::unexpected};
use writ_benches::{HOST, PATH, token_at};

use super::{
    Options,
    parts::{KEYED_HOST, Parts, SECRET},
    variant::Variant,
};
use crate::{cpu, load::Load, output};

/// Rounds before the first that counts: code is compiled and caches are filled.
const WARM_UP: u32 = 3;

/// What a booking may look like.
pub(super) const BODY: &str = r#"{"offer":"o-4711","passenger":{"id":"u7","name":"Ada Lovelace","email":"ada@example.org"},"price":899.99,"currency":"EUR","seats":["12A","12B"],"flexible":true,"legs":[{"from":"JFK","to":"LHR","date":"2026-05-10"},{"from":"LHR","to":"JFK","date":"2026-05-20"}],"note":"window, please"}"#;

/// What one variant's requests cost in one round, per request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// Envoy's CPU time, microseconds.
    pub(super) envoy: f64,
    /// CPU time of the server that was asked, microseconds.
    pub(super) server: f64,
    /// Requests per second, as far as the load and the machine let it.
    pub(super) throughput: f64,
}

/// One round: a sample for each variant.
pub(super) type Round = Vec<Sample>;

/// Measures.
///
/// # Errors
/// A request was not answered 200, or the upstream did not see what it should.
pub(super) async fn rounds(parts: &Parts, variants: &[Variant], options: &Options) -> Result<Vec<Round>> {
    let mut loads = Vec::new();
    for variant in variants {
        loads.push(Load::connect(parts.envoy.listener(variant.listener())?).await?);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(unexpected)?.as_secs();
    let mut tokens = Tokens { parts, now, issued: 0 };
    let mut rounds = Vec::new();
    for number in 0..options.rounds + WARM_UP {
        let mut round = vec![Sample::default(); variants.len()];
        for position in 0..variants.len() {
            // Another order each time, so that no variant always comes after the same one.
            let index = (position + number as usize) % variants.len();
            let (Some(&variant), Some(load), Some(sample)) =
                (variants.get(index), loads.get_mut(index), round.get_mut(index))
            else {
                continue;
            };
            *sample = one(parts, variant, load, &tokens.requests(variant, options.requests), options).await?;
        }
        if number >= WARM_UP {
            rounds.push(round);
        }
        if (number + 1).is_multiple_of(10) {
            output::progress(&format!("{} of {} rounds", number + 1, options.rounds + WARM_UP));
        }
    }
    Ok(rounds)
}

async fn one(
    parts: &Parts,
    variant: Variant,
    load: &mut Load,
    requests: &[Vec<u8>],
    options: &Options,
) -> Result<Sample> {
    let server = match variant {
        Variant::DoNothing => Some(parts.do_nothing.id()),
        // The feed's server takes reports of what was decided.
        Variant::ExtAuthz | Variant::FilterFed | Variant::FilterInjects | Variant::OtherFed => {
            Some(parts.writ.id())
        }
        _ => None,
    };
    let server_time = || server.map_or(Ok(Duration::ZERO), cpu::time);
    let count = options.requests as usize;
    let (envoy_before, server_before) = (cpu::time(parts.envoy.id())?, server_time()?);
    let took = load.run(requests.iter().cycle().take(count).map(Vec::as_slice)).await?;
    let (envoy_after, server_after) = (cpu::time(parts.envoy.id())?, server_time()?);
    let seen = parts.upstream.last_request();
    if seen.contains("x-writ-task: ") != variant.rewrites()
        || seen.contains("authorization: Bearer ey") == variant.rewrites()
        || seen.contains(&format!("authorization: Bearer {SECRET}\r\n")) != variant.injects()
    {
        return Err(unexpected(format!("{}: the upstream got\n{seen}", variant.name())));
    }
    let requests = f64::from(options.requests);
    let each =
        |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() * 1e6 / requests;
    Ok(Sample {
        envoy: each(envoy_before, envoy_after),
        server: each(server_before, server_after),
        throughput: requests / took.as_secs_f64(),
    })
}

/// Requests with tokens of the server's own form.
struct Tokens<'p> {
    parts: &'p Parts,
    /// When all of them were issued, Unix seconds.
    now: u64,
    issued: u64,
}

impl Tokens<'_> {
    /// The requests of one variant in one round: as many as there are where each has its own token, else one.
    fn requests(&mut self, variant: Variant, count: u32) -> Vec<Vec<u8>> {
        if variant != Variant::FilterNew {
            return vec![self.request(variant, 0)];
        }
        let first = self.issued + 1;
        self.issued += u64::from(count);
        (first..=self.issued).map(|number| self.request(variant, number)).collect()
    }

    fn request(&self, variant: Variant, number: u64) -> Vec<u8> {
        let token = token_at(&self.parts.key, number, self.now);
        let host = if variant == Variant::FilterInjects { KEYED_HOST } else { HOST };
        let (method, prefix, body) = match variant.body_at() {
            Some(prefix) => ("POST", prefix, BODY),
            None => ("GET", "", ""),
        };
        let framing = match body.len() {
            0 => String::new(),
            length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
        };
        format!(
            "{method} {prefix}{PATH} HTTP/1.1\r\nhost: {host}\r\nuser-agent: agent/1.0\r\naccept: */*\r\n{framing}\
             authorization: Bearer {token}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}
