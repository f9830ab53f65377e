//! `eencent import`: bank statements from files.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use eencent_activations::clock::SystemClock;
use eencent_activations::desk::Actor;
use eencent_activations::entropy::OsEntropy;
use eencent_activations::inbox::Inbox;
use eencent_activations::ledger::NoNudge;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::offline;
use crate::settings::Settings;
use crate::statements::{self, Importer, Ready};

/// What to import.
#[derive(Args)]
pub struct ImportArgs {
    /// Bank statements: camt.053, camt.054 or MT940.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Who imports them; recorded with every payment. By default the user of this machine.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only read the files and tell what is in them.
    #[arg(long)]
    dry_run: bool,
}

/// Imports.
///
/// # Errors
/// When the database fails; what was imported before stays.
pub async fn run(args: ImportArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let named = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let by = args
        .by
        .or(named)
        .map(|by| by.trim().to_owned())
        .filter(|by| !by.is_empty());
    let Some(by) = by else {
        anyhow::bail!("Nobody knows who you are: say --by NAME, since who imports a statement vouches for it");
    };
    let mut refused = 0_usize;
    let mut ready = Vec::new();
    for file in &args.files {
        match statements::read(file) {
            Ok(read) => ready.push(read),
            Err(why) => {
                refused += 1;
                println!("{}: refused, nothing of it was imported: {why}", file.display());
            }
        }
    }
    if args.dry_run {
        for file in &ready {
            println!("{}", told(file));
        }
    } else if !ready.is_empty() {
        import(&ready, &by, &settings).await?;
    }
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn import(ready: &[Ready], by: &str, settings: &Settings) -> anyhow::Result<()> {
    let (store, desk) = offline::desk_of_existing(settings).await?;
    let inbox = Inbox::start(store, Arc::new(NoNudge));
    let importer = Importer {
        inbox: inbox.clone(),
        desk,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        actor: Actor::command_line().as_person(by),
    };
    let all: usize = ready.iter().map(transactions).sum();
    let bar = ProgressBar::new(u64::try_from(all).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} transactions, {eta} to go") {
        bar.set_style(style);
    }
    let (mut new, mut received, mut set_apart) = (0, 0, 0);
    for file in ready {
        let imported = importer
            .import(file, |many| bar.inc(u64::try_from(many).unwrap_or(0)))
            .await?;
        new += imported.new;
        received += imported.received;
        set_apart += imported.set_apart;
        bar.suspend(|| {
            println!("{}; {} new, {} received", told(file), imported.new, imported.received);
        });
    }
    bar.finish_and_clear();
    inbox.close().await;
    println!("{all} transactions, {new} of them new; {received} brought money, {set_apart} need a person.");
    if new > 0 {
        println!("A running server decides on what is new within seconds; `eencent explain REFERENCE` tells how.");
    }
    Ok(())
}

fn transactions(file: &Ready) -> usize {
    file.statement.accounts.iter().map(|it| it.events.len()).sum()
}

fn told(file: &Ready) -> String {
    let accounts: Vec<&str> = file.statement.accounts.iter().map(|it| it.account.as_str()).collect();
    let accounts = if accounts.is_empty() {
        "no account".to_owned()
    } else {
        accounts.join(" and ")
    };
    format!(
        "{}: {}, {accounts}, {} transactions",
        file.name,
        file.statement.format,
        transactions(file)
    )
}
