//! `eencent demo`: the main job, end to end, on this machine.
//!
//! Everything is real: the process that `eencent serve` starts (on the embedded default, in a fresh
//! folder, on free ports), and providers that sign and post over HTTP. Only the clock is its own, so
//! that it ends the same at any hour of any day.

mod cases;
mod client;
mod mailbox;
mod platform;
mod providers;
mod report;
mod stage;

use std::process::ExitCode;

use crate::logging;
use crate::settings;
use crate::signals;

use stage::Stage;

/// Plays it.
///
/// # Errors
/// When it can't be set up, or the process ends under it. A case that ended wrong is an exit status.
pub async fn run(exit: bool, json: bool) -> anyhow::Result<ExitCode> {
    let mut log = settings::load_from(None, [])?.log;
    log.level = "warn".to_owned();
    logging::start(&log)?;
    let stage = Stage::set().await?;
    signals::stop_on_signal(stage.stop.clone())?;
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
    if exit {
        stage.stop.cancel();
    }
    stage.until_the_end().await?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
