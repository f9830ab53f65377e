//! `eencent mail stop|start|status`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use eencent_activations::clock::{Clock as _, SystemClock};
use eencent_activations::desk::Desk;
use eencent_activations::store::Store;

use super::offline;
use crate::settings::Settings;

/// What to do with e-mails.
#[derive(Subcommand)]
pub enum Act {
    /// Hold all e-mails back, on all machines, until `start`.
    Stop(Who),
    /// Let them go again.
    Start(Who),
    /// Tell whether they are held back, and how many wait.
    Status,
}

/// Who does it.
#[derive(Args)]
pub struct Who {
    /// Who asks for it; goes into the audit.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why; goes into the audit.
    #[arg(long)]
    reason: String,
}

/// Does it.
///
/// # Errors
/// When the database can't be used.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = act_on(act, &store, &desk).await;
    store.close().await;
    done
}

async fn act_on(act: Act, store: &Store, desk: &Desk) -> anyhow::Result<ExitCode> {
    match act {
        Act::Stop(who) => {
            if desk.stop_mail(&who.by, &who.reason).await? {
                println!(
                    "No e-mail is begun any more; `eencent mail start` lets them go. Those under way may still arrive."
                );
            } else {
                println!("They are held back already; `eencent mail status` tells by whom.");
            }
        }
        Act::Start(who) => {
            if desk.start_mail(&who.by, &who.reason).await? {
                println!("E-mails go again; what waited is sent within seconds by a server or worker that runs.");
            } else {
                println!("They are not held back.");
            }
        }
        Act::Status => {
            match store.mail_stop().await? {
                Some(stop) => println!(
                    "E-mails are held back by {} since {}: {}",
                    stop.by, stop.at, stop.reason
                ),
                None => println!("E-mails go."),
            }
            let waiting = store.waiting(SystemClock.now()).await?;
            let emails = waiting.iter().find(|row| row.what == "email");
            println!("{} wait.", emails.map_or(0, |row| row.count));
        }
    }
    Ok(ExitCode::SUCCESS)
}
