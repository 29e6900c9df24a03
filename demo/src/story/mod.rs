//! The stories, each in a file of its own that can be read alone: what a task is for, and what else is tried with its
//! token.

mod booking;
pub(crate) mod credential;
mod database;
mod delegation;
mod flights;
mod logs;
mod reload;
mod trail;

use harness::Result;

use crate::{invite::Invitation, report::Report, world::World};

/// Plays every story.
///
/// # Errors
/// A part failed; a wrong verdict is no error but a cross in the report.
pub(crate) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    logs::tell(world, report).await?;
    flights::tell(world, report).await?;
    booking::tell(world, report).await?;
    database::tell(world, report).await?;
    credential::tell(world, report).await?;
    delegation::tell(world, report).await?;
    reload::tell(world, report).await
}

/// Prints what to try of *delegation*, which takes more than one token.
///
/// # Errors
/// The policy lacks its client.
pub(crate) fn invite_to_end_a_task(world: &World) -> Result<()> {
    delegation::invite(world)
}

/// What to try of every story.
pub(crate) fn invitations() -> [Invitation; 4] {
    [logs::invitation(), flights::invitation(), database::invitation(), credential::invitation()]
}
