//! `eencent environment show|limit`

use std::process::ExitCode;

use clap::Subcommand;
use eencent_activations::desk::{Actor, Desk};

use super::offline;
use crate::settings::Settings;

/// What to do with an environment.
#[derive(Subcommand)]
pub enum Act {
    /// Show how many organisations it may have, and has.
    Show {
        /// Its name, as the platform registers organisations with.
        environment: String,
    },
    /// Grant it another number of organisations.
    Limit {
        /// Its name, as the platform registers organisations with.
        environment: String,
        /// How many it may have.
        limit: i64,
        /// Who grants it; goes into the audit.
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
/// When the database can't be used, or the limit isn't one.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = act_on(act, &desk).await;
    store.close().await;
    done
}

async fn act_on(act: Act, desk: &Desk) -> anyhow::Result<ExitCode> {
    let now = match act {
        Act::Show { environment } => desk.environment(&environment).await?,
        Act::Limit {
            environment,
            limit,
            by,
            reason,
        } => {
            let who = Actor::command_line().as_person(&by);
            desk.grant(&who, &environment, limit, &reason).await?
        }
    };
    let whose = if now.granted {
        "was granted"
    } else {
        "is the one that is free"
    };
    println!(
        "{} has {} of {} organisations; its limit {whose}.",
        now.environment, now.used, now.limit
    );
    Ok(ExitCode::SUCCESS)
}
