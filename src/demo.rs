//! `eencent demo`: the main job, end to end, on this machine.
//!
//! Everything is real: the process that `eencent serve` starts (on the embedded default, in a fresh
//! folder, on free ports), and providers that sign and post over HTTP. Only the clock is its own, so
//! that it ends the same at any hour of any day.

mod cases;
mod client;
mod mailbox;
mod platform;
mod playground;
mod providers;
mod report;
mod stage;
mod told;

use std::process::ExitCode;

use crate::logging;
use crate::settings;
use crate::signals;

use playground::Playground;
use stage::Stage;

/// Plays it.
///
/// # Errors
/// When it can't be set up, or the process ends under it. A case that ended wrong is an exit status.
pub async fn run(exit: bool, json: bool, listen: &str) -> anyhow::Result<ExitCode> {
    let mut log = settings::load_from(None, [])?.log;
    log.level = "warn".to_owned();
    logging::start(&log, None)?;
    let (stage, running) = Stage::set().await?;
    signals::stop_on_signal(stage.stop.clone())?;
    let playground = if exit {
        None
    } else {
        let playground = Playground::open(stage.clone(), listen).await?;
        // With --json, what is printed is for a program.
        if json {
            eprintln!("playground {}", playground.url());
        } else {
            println!("playground {}", playground.url());
        }
        Some(playground)
    };
    let played = cases::play(&stage, |name| {
        if !json {
            eprintln!("… {name}");
        }
    })
    .await;
    let well = played.iter().all(|case| case.well);
    let told = if json {
        report::json(&stage, &played)
    } else {
        report::table(&stage, &played, exit)
    };
    println!("{told}");
    match playground {
        Some(playground) => playground.ready(),
        None => stage.stop.cancel(),
    }
    running.until_the_end().await?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
