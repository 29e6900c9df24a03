//! `make demo` plays the story and exits 0 only if every verdict was the expected one; `make run` (`--stay`)
//! leaves everything up and prints what to try.
#![expect(clippy::print_stdout, reason = "printing is what this program does")]

mod curl;
mod logs;
mod report;
mod story;
mod tokens;
mod world;

use std::process::ExitCode;

use harness::Result;
use report::Report;
use world::World;

#[tokio::main]
async fn main() -> ExitCode {
    let stay = std::env::args().skip(1).any(|argument| argument == "--stay");
    // Dropping the world ends every process it started, so an interrupt must not skip the drop.
    let ended = tokio::select! {
        ended = run(stay) => ended,
        _ = tokio::signal::ctrl_c() => {
            println!("\nstopped");
            return if stay { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("\nerror: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(stay: bool) -> Result<bool> {
    let mut report = Report::default();
    let world = World::start(&mut report).await?;
    if stay {
        story::invite(&world).await?;
        std::future::pending::<()>().await;
    }
    story::tell(&world, &mut report).await?;
    Ok(report.close())
}
