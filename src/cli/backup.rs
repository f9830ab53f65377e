//! `eencent backup` and `eencent restore`: the embedded default's file, and the key beside it.
//!
//! A backup is two files: the database, and FILE.links.key. Whoever has both can read everything, and complete
//! activations: both are for their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use eencent_activations::store::{self, Store, file::is_sound};

use crate::cli::offline;
use crate::links_key;
use crate::lock::WorkerLock;
use crate::settings::Settings;

/// Where to.
#[derive(Args)]
pub struct BackupArgs {
    /// The file to write; one that is there is replaced once the new one is whole.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What from, and whether over what is there.
#[derive(Args)]
pub struct RestoreArgs {
    /// A file that `eencent backup` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also where there is a database already: that one is moved aside, and kept.
    #[arg(long)]
    force: bool,
}

/// Writes a backup while the server runs.
///
/// # Errors
/// When the database isn't a file, or the backup can't be written; an earlier backup is left as it was then.
pub async fn backup(args: BackupArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let database = database_file(&settings)?;
    offline::must_exist(&settings)?;
    if same(&args.file, &database) {
        anyhow::bail!("{} is the database itself; name another file", args.file.display());
    }
    let store = Store::open(&settings.database.url).await?;
    let aside = beside(&args.file, ".part");
    let told = || {
        format!(
            "can't write {}; check the folder, its rights and the room on the disk",
            args.file.display()
        )
    };
    let copied = async {
        empty_for_us_alone(&aside).with_context(told)?;
        store.copy_into(&aside).await.with_context(told)?;
        is_sound(&aside).await.context("the copy can't be read back")?;
        File::open(&aside).and_then(|file| file.sync_all()).with_context(told)
    };
    let copied = copied.await;
    store.close().await;
    if copied.is_err() {
        fs::remove_file(&aside).ok();
    }
    copied?;
    // The key first: a database without its key would be half a backup that looks whole.
    let key = links_key::path(&database);
    let has_key = settings.links.key.is_none() && key.exists();
    if has_key {
        copy_synced(&key, &beside(&args.file, ".links.key")).with_context(told)?;
    }
    fs::rename(&aside, &args.file).with_context(told)?;
    sync_folder(&args.file).with_context(told)?;
    println!("Backed up {} to {}", database.display(), args.file.display());
    if has_key {
        println!(
            "and the key for links to {}",
            beside(&args.file, ".links.key").display()
        );
        println!("Keep both where nobody else can read them.");
    } else {
        println!("The key for links is the setting links.key, which is kept apart.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a backup in the database's place.
///
/// # Errors
/// When the backup isn't sound, a server works, or there is a database and `--force` isn't said; nothing is
/// changed then.
pub async fn restore(args: RestoreArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let database = database_file(&settings)?;
    is_sound(&args.file)
        .await
        .with_context(|| format!("{} can't be restored", args.file.display()))?;
    let _lock = WorkerLock::take(&database)?;
    let there = database.exists();
    if there && !args.force {
        anyhow::bail!(
            "There is a database at {}; say --force to move it aside and restore over it",
            database.display()
        );
    }
    let told = || {
        format!(
            "can't write {}; check the folder, its rights and the room on the disk",
            database.display()
        )
    };
    let aside = beside(&database, ".restoring");
    fs::remove_file(&aside).ok();
    copy_synced(&args.file, &aside).with_context(told)?;
    let key = links_key::path(&database);
    let kept_key = beside(&args.file, ".links.key");
    let other_key = kept_key.exists() && fs::read(&kept_key).ok() != fs::read(&key).ok();
    if there {
        let kept = put_aside(&database).with_context(told)?;
        println!("What was there is kept: {}", kept.display());
    }
    if other_key {
        if key.exists() {
            let kept = put_aside(&key).with_context(told)?;
            println!("The key for links that was there is kept: {}", kept.display());
        }
        copy_synced(&kept_key, &key).with_context(told)?;
    }
    fs::rename(&aside, &database).with_context(told)?;
    sync_folder(&database).with_context(told)?;
    println!("Restored {} from {}", database.display(), args.file.display());
    if settings.links.key.is_none() && !key.exists() {
        println!(
            "There is no key for links beside it, so that links which were sent will not work; a new one is made."
        );
    }
    println!("What came in after the backup is missing: docs/backup.md says how it comes back.");
    Ok(ExitCode::SUCCESS)
}

/// The file of the settings' database.
fn database_file(settings: &Settings) -> anyhow::Result<PathBuf> {
    store::file_of(&settings.database.url).context(
        "The database is on a server; back it up with its own tools (pg_dump, or a base backup), and links.key from the settings",
    )
}

fn same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn empty_for_us_alone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(())
}

/// A copy for its owner alone, whole on the disk under its name or not there.
fn copy_synced(from: &Path, to: &Path) -> io::Result<()> {
    let aside = beside(to, ".new");
    empty_for_us_alone(&aside)?;
    let mut written = OpenOptions::new().write(true).open(&aside)?;
    io::copy(&mut File::open(from)?, &mut written)?;
    written.sync_all()?;
    fs::rename(&aside, to)?;
    sync_folder(to)
}

fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// Moves a file aside with what SQLite keeps beside it, under the first free number.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1_u32;
    while beside(path, &format!(".replaced-{number}")).exists() {
        number = number.saturating_add(1);
    }
    let aside = beside(path, &format!(".replaced-{number}"));
    // The log first: beside a new file it would be played into it.
    for suffix in ["-wal", "-shm"] {
        match fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}
