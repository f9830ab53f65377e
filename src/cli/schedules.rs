//! `eencent schedules list|run`

use std::process::ExitCode;

use clap::Subcommand;
use eencent_activations::clock::{Clock as _, SystemClock};
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::{Actor, Desk};

use super::offline;
use crate::settings::Settings;

/// What to do with schedules.
#[derive(Subcommand)]
pub enum Act {
    /// List what happens at times of day: by which setting, when it ran last, and when it is next.
    List,
    /// Have one happen now, beside its own times.
    Run {
        /// Its name, as `list` shows it.
        schedule: String,
        /// Who asks for it; goes into the audit.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why; goes into the audit.
        #[arg(long)]
        reason: String,
    },
}

/// Does it.
///
/// # Errors
/// When the database can't be used, or there is no such schedule.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = act_on(act, &settings, &desk).await;
    store.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

async fn act_on(act: Act, settings: &Settings, desk: &Desk) -> anyhow::Result<()> {
    let schedules = settings.jobs.next_runs(SystemClock.now());
    match act {
        Act::List => {
            let ran = desk.schedules_ran().await?;
            for one in schedules {
                let last = ran.iter().find(|(name, _)| name == one.schedule);
                let last = last.map_or_else(|| "-".to_owned(), |(_, at)| at.to_string());
                let next = one.next.map_or_else(|| "-".to_owned(), |at| at.to_string());
                println!("{:<14}last {last}  next {next}  {}", one.schedule, one.setting);
            }
            for asked in desk.asked_schedules().await? {
                println!(
                    "{} is to run now, asked by {} at {}: {}",
                    asked.schedule, asked.by, asked.at, asked.reason
                );
            }
        }
        Act::Run { schedule, by, reason } => {
            let known: Vec<&str> = schedules.iter().map(|one| one.schedule).collect();
            if !known.contains(&schedule.as_str()) {
                anyhow::bail!("there is no schedule {schedule}; there are {}", known.join(", "));
            }
            let actor = Actor::command_line().as_person(&by);
            let order = Order {
                actor: &actor,
                reason: &reason,
            };
            if desk.ask_schedule(&schedule, order).await? {
                println!(
                    "It runs within seconds where a server or worker runs; `eencent schedules list` tells when it did."
                );
            } else {
                println!("It was asked for already and waits for a server or worker that runs.");
            }
        }
    }
    Ok(())
}
