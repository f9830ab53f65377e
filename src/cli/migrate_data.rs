//! `eencent migrate-data`: from the SQLite file to PostgreSQL, when one machine isn't enough any more.

use std::process::ExitCode;

use clap::Args;
use eencent_activations::store::{self, Store};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::offline;
use crate::links_key;
use crate::lock::WorkerLock;
use crate::settings::Settings;

/// From where to where.
#[derive(Args)]
pub struct MigrateDataArgs {
    /// The database to copy; by default the one of the settings.
    #[arg(long, value_name = "sqlite://PATH")]
    from: Option<String>,
    /// An empty database: postgres://user:password@host/database.
    #[arg(long, value_name = "postgres://…")]
    to: String,
}

/// Copies everything, and compares.
///
/// # Errors
/// When a server works on the source, the target isn't empty, or either fails; the target is as it was then.
pub async fn run(args: MigrateDataArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let from = args.from.unwrap_or_else(|| settings.database.url.clone());
    let Some(file) = store::file_of(&from) else {
        anyhow::bail!("--from must be sqlite://PATH: data can be copied from a SQLite file to PostgreSQL only");
    };
    if !store::is_server(&args.to) {
        anyhow::bail!("--to must be postgres://user:password@host/database: data can be copied to PostgreSQL only");
    }
    offline::must_exist_at(&file)?;
    let _lock = WorkerLock::take(&file)?;
    let source = Store::open(&from).await?;
    source.migrate().await?;
    let target = Store::open(&args.to).await?;
    target.migrate().await?;

    let bar = ProgressBar::new(source.rows_to_copy().await?);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} rows, {eta} to go") {
        bar.set_style(style);
    }
    let copied = source.copy_to(&target, |rows| bar.inc(rows)).await;
    bar.finish_and_clear();
    source.close().await;
    target.close().await;
    let copied = copied?;
    println!("{:<18}{:>12}", "table", "rows");
    for one in &copied {
        println!("{:<18}{:>12}", one.table, one.rows);
    }
    println!("Both sides hold the same: rows were counted and compared in each table.\n");
    println!("Next, in the settings of every machine:");
    println!("  database.url  {}", store::without_password(&args.to));
    if settings.links.key.is_some() {
        println!("  links.key     as it is now; links that were sent stop working with another");
    } else {
        println!(
            "  links.key     what stands in {}; links that were sent stop working with another",
            links_key::path(&file).display()
        );
    }
    println!("Start the servers with these. The file stays as it was; keep it until you are sure.");
    Ok(ExitCode::SUCCESS)
}
