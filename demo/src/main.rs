//! `make demo` plays the stories and exits 0 only if every verdict was the expected one; `make run` (`--stay`)
//! leaves everything up and prints what to try.
#![expect(clippy::print_stdout, reason = "printing is what this program does")]

mod curl;
mod hammer;
mod invite;
mod report;
mod road;
mod service;
mod story;
mod stream;
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
        () = asked_to_stop() => {
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

/// Ctrl-C, a plain `kill`, or the terminal that goes away. A signal that cannot be listened to is not waited for.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => _ = signals.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = listen(SignalKind::interrupt()) => {}
        () = listen(SignalKind::terminate()) => {}
        () = listen(SignalKind::hangup()) => {}
    }
}

async fn run(stay: bool) -> Result<bool> {
    let mut report = Report::default();
    let world = World::start(&mut report).await?;
    if stay {
        invite::invite(&world, &story::invitations()).await?;
        std::future::pending::<()>().await;
    }
    story::tell(&world, &mut report).await?;
    Ok(report.close())
}
