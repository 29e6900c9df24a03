//! What to try while everything stays up.

use harness::{Result, error::unexpected};

use crate::{
    road::roads,
    story,
    tokens::{self, Task},
    world::World,
};

/// A story, to be played by hand.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) title: &'static str,
    pub(crate) host: &'static str,
    pub(crate) task: Task,
    /// Options of `curl`, path with its query, and what comes back.
    pub(crate) tries: &'static [(&'static str, &'static str, &'static str)],
}

/// Prints how to try every story, by either path.
///
/// # Errors
/// No token can be had.
pub(crate) async fn invite(world: &World, invitations: &[Invitation]) -> Result<()> {
    let shell = |line: String| println!("{line}");
    println!("\nTry it in another terminal. Choose one of the two paths:\n");
    for road in roads(world) {
        shell(format!("ENVOY=http://{}   # {}", road.envoy.listener("writ")?, road.name));
    }
    for Invitation { title, host, task, tries } in invitations {
        println!("\n{title}; a token for 10 minutes:\n");
        let request = tokens::request(world, task, 600)?;
        shell(format!(
            "TOKEN=$({} -s | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')",
            request.command()
        ));
        for (options, target, says) in *tries {
            shell(format!(
                "curl -i {options}-H 'host: {host}' -H \"authorization: Bearer $TOKEN\" \"$ENVOY{target}\"   # {says}"
            ));
        }
        // The lines above are worth nothing if the first of them fails.
        tokens::issue(world, task, 600)
            .await
            .map_err(|error| unexpected(format!("the printed request fails: {error}")))?;
    }
    story::invite_to_end_a_task(world)?;
    println!("\nThe counters of both; the policy, to be edited; and what the server says of an edit:\n");
    for road in roads(world) {
        shell(format!(
            "curl -s 'http://{}/stats?filter=wasmcustom|ext_authz'   # {}",
            road.envoy.admin, road.name
        ));
    }
    shell(format!("ls {}", world.policies().display()));
    shell(format!("curl -s http://{}/readyz", world.server.listeners.admin));
    println!("\nCtrl-C stops everything.");
    Ok(())
}
