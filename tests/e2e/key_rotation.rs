//! Other keys while tokens are made and used all the time.

use std::sync::atomic::{AtomicBool, Ordering};

use harness::{Result, api::Client, error::unexpected, http::h1, load::Load, wait};
use serde_json::Value;
use test_databases::Database;

use crate::tasks_world::{
    ALLOWED, DELEGATE, PATIENT, Surfaces, assert_refused, claim, fleet, may, reading, starter, to,
};

const ROTATIONS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_refuses_no_token_and_a_withdrawal_refuses_all_of_the_key() {
    let database = Database::postgres();
    let fleet = fleet(&[database.url(), database.url()], PATIENT).await.unwrap();
    let mut surfaces = Surfaces::of(&fleet, 2).await.unwrap();
    let clients = [0, 1].map(|number| starter(&fleet, number));
    let first = clients[0].start(&may()).await.unwrap();
    let delegated = clients[0].delegate(&first.token, &to(DELEGATE)).await.unwrap();
    surfaces.until(&[&first.token, &delegated], ALLOWED, &[]).await;

    // One token for the whole time, and a new one at each turn, used at once at every worker and at either Check.
    let address = surfaces.gates[0].envoy.only_listener().unwrap();
    let load = Load::start(address, &reading(&first.token));
    let rotated = AtomicBool::new(false);
    let rotate = async {
        let mut kids = vec![kid(&first.token)];
        for turn in 0..ROTATIONS {
            fleet.operator(turn % 2).unwrap().rotate_keys().await.unwrap();
            kids.push(until_another_signs(&clients, &kids).await);
            load.answers(50).await.unwrap();
        }
        rotated.store(true, Ordering::Release);
        kids
    };
    let use_tokens = async {
        let mut used = 0;
        while !rotated.load(Ordering::Acquire) {
            let token = clients[used % 2].start(&may()).await.unwrap().token;
            surfaces.agree(&[&token], ALLOWED).await;
            used += 1;
        }
        used
    };
    let (kids, used) = tokio::join!(rotate, use_tokens);
    assert!(used > ROTATIONS, "{used} tokens");
    let tally = load.stop().await.unwrap();
    assert_eq!(tally.keys().collect::<Vec<_>>(), [&(200, String::new())], "{tally:?}");

    let last = clients[1].start(&may()).await.unwrap();
    surfaces.agree(&[&first.token, &delegated, &last.token], ALLOWED).await;
    fleet.operator(1).unwrap().withdraw_key(&kids[0]).await.unwrap();
    // Envoy and server may know it as revoked or not know it any more.
    for token in [&first.token, &delegated] {
        until_refused(&mut surfaces, token).await;
        for client in &clients {
            assert_refused(&client.exchange(token, &to(DELEGATE)).await.unwrap());
            assert!(!client.is_active(token).await.unwrap());
        }
    }
    surfaces.agree(&[&last.token], ALLOWED).await;
    for number in [0, 1] {
        let listed = public_kids(fleet.server(number).unwrap().listeners.http).await.unwrap();
        assert!(!listed.contains(&kids[0]) && listed.contains(kids.last().unwrap()), "{listed:?}");
    }

    // The key that signs: another takes its place at once.
    fleet.operator(0).unwrap().withdraw_key(kids.last().unwrap()).await.unwrap();
    until_refused(&mut surfaces, &last.token).await;
    until_another_signs(&clients, &kids).await;
    let next = clients[0].start(&may()).await.unwrap();
    surfaces.until(&[&next.token], ALLOWED, &[(401, "unknown_key")]).await;
}

/// Waits until both servers sign with the same key, which is none of these.
async fn until_another_signs(clients: &[Client], others: &[String]) -> String {
    let signs = wait::until("another key to sign", async || {
        let mut signed = Vec::new();
        for client in clients {
            let response = client.0.post("/v1/tasks", &may()).await?;
            let body = response.json().unwrap_or_default();
            signed.push(body["access_token"].as_str().map(kid));
        }
        let [Some(one), Some(other)] = signed.as_slice() else { return Ok(None) };
        Ok((one == other && !others.contains(one)).then(|| one.clone()))
    });
    signs.await.unwrap()
}

/// Waits until every worker and Check refuse the token: as revoked, or as of an unknown key.
async fn until_refused(surfaces: &mut Surfaces, token: &str) {
    let request = reading(token);
    let is_refused = |status: u16, code: &str| match (status, code) {
        (401, "revoked" | "unknown_key") => Ok(true),
        (200, _) => Ok(false),
        _ => Err(unexpected(format!("{status} {code}"))),
    };
    wait::until("a withdrawn key's token to be refused", async || {
        let mut all = true;
        for gate in &mut surfaces.gates {
            for (status, code) in gate.ask(&request).await? {
                all &= is_refused(status, &code)?;
            }
        }
        for check in &mut surfaces.checks {
            let said = check.ask(&request).await?.summary();
            all &= ["401 revoked", "401 unknown_key"].contains(&said.as_str());
        }
        Ok(all.then_some(()))
    })
    .await
    .unwrap();
}

/// The key that signed a token, by its header.
fn kid(token: &str) -> String {
    // The header is read as a payload is.
    claim(&format!(".{}", token.split('.').next().unwrap_or_default()), "/kid")
}

async fn public_kids(address: std::net::SocketAddr) -> Result<Vec<String>> {
    let keys = h1::get(address, "/.well-known/jwks.json").await?.json().unwrap_or_default();
    let keys = keys["keys"].as_array().cloned().unwrap_or_default();
    Ok(keys.iter().filter_map(|key| key.get("kid").and_then(Value::as_str)).map(str::to_owned).collect())
}
