//! `eencent replay`

use std::process::ExitCode;

use clap::Args;
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::operations::{Order, Replay, Replayed};
use eencent_activations::desk::{Actor, Desk};

use super::queue::progress;
use super::{moment, offline};
use crate::published_keys;
use crate::settings::Settings;

/// Which messages are read again.
#[derive(Args)]
pub struct ReplayArgs {
    /// Those that came in from then on.
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    since: Timestamp,
    /// And before then.
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    until: Option<Timestamp>,
    /// Only those of this endpoint of the settings.
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// Also look at those again that were processed and say the same.
    #[arg(long)]
    all: bool,
    /// Only tell what would come of it.
    #[arg(long)]
    dry_run: bool,
    /// Who asks for it; goes into the audit.
    #[arg(long, value_name = "NAME", required_unless_present = "dry_run")]
    by: Option<String>,
    /// Why; goes into the audit.
    #[arg(long, required_unless_present = "dry_run")]
    reason: Option<String>,
}

/// Reads them again.
///
/// # Errors
/// When the database can't be used.
pub async fn run(args: ReplayArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = replay(args, &settings, &desk).await;
    store.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

async fn replay(args: ReplayArgs, settings: &Settings, desk: &Desk) -> anyhow::Result<()> {
    if let Some(name) = &args.endpoint
        && settings.webhooks.get(name).is_none()
    {
        anyhow::bail!("there is no endpoint {name} in the settings; `eencent check` tells which there are");
    }
    let replay = Replay {
        since: args.since,
        until: args.until,
        endpoint: args.endpoint,
        all: args.all,
        dry_run: args.dry_run,
    };
    let actor = Actor::command_line().as_person(args.by.as_deref().unwrap_or("dry run"));
    let order = Order {
        actor: &actor,
        reason: args.reason.as_deref().unwrap_or("dry run"),
    };
    published_keys::once(&settings.webhooks).await;
    let all = desk.count_messages(&replay).await?;
    let bar = progress(u64::try_from(all).unwrap_or(0), "messages");
    let replayed = desk
        .replay(&replay, &settings.webhooks, order, |so_far| {
            bar.set_position(u64::try_from(so_far.messages + so_far.left).unwrap_or(0));
        })
        .await;
    bar.finish_and_clear();
    tell(&replayed?, args.dry_run);
    Ok(())
}

fn tell(replayed: &Replayed, dry_run: bool) {
    println!(
        "{} messages read, {} left as they are.",
        replayed.messages, replayed.left
    );
    for (why, many) in &replayed.why {
        println!("  {many} {why}");
    }
    for (reading, many) in &replayed.events {
        println!("{many} events: {}", reading.words());
    }
    let waiting = replayed.waiting();
    if dry_run {
        println!("Nothing was changed; {waiting} events would be processed again.");
    } else {
        println!("{waiting} events are processed again by a server or worker that runs.");
    }
}
