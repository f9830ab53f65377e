//! The watched folder: what a bank's client drops there is imported.
//!
//! A file is taken once it has stopped changing, and moved when it is dealt with: to `imported/`, or to
//! `refused/` with the reason beside it. If we crash between the two, it is imported again, and everything
//! in it is known.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use eencent_activations::clock::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Importer, Refused, read};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// A file that changed less long ago than this may still be written.
const AT_REST: Duration = Duration::from_secs(2);

/// Looks until `stop`.
///
/// # Errors
/// When the folder can't be made; what goes wrong later is logged, and tried again.
pub async fn watch(folder: PathBuf, importer: Importer, stop: CancellationToken) -> anyhow::Result<()> {
    for part in ["imported", "refused"] {
        let part = folder.join(part);
        std::fs::create_dir_all(&part).with_context(|| {
            format!(
                "{} can't be made; check statements.folder and its rights",
                part.display()
            )
        })?;
    }
    loop {
        for file in at_rest(&folder, importer.clock.now()) {
            if let Err(error) = take(&folder, &file, &importer).await {
                tracing::error!(file = %file.display(), error = format!("{error:#}"), "a bank statement could not be dealt with; it is tried again");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// The files that nobody is writing any more, by name.
fn at_rest(folder: &Path, now: Timestamp) -> Vec<PathBuf> {
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) => {
            tracing::error!(folder = %folder.display(), %error, "statements.folder can't be read");
            return Vec::new();
        }
    };
    let mut files: Vec<PathBuf> = listed
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let about = entry.metadata().ok()?;
            let changed = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            let changed = Timestamp::from_unix_seconds(0).plus(changed);
            let rests = now.since(changed) >= AT_REST;
            (about.is_file() && rests && !hidden).then(|| entry.path())
        })
        .collect();
    files.sort();
    files
}

async fn take(folder: &Path, file: &Path, importer: &Importer) -> anyhow::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let ready = match read(file) {
        Ok(ready) => ready,
        Err(Refused::Unopened(error)) => return Err(error).context("it can't be opened"),
        Err(refused) => {
            tracing::warn!(file = name, %refused, "a bank statement was refused");
            let there = free(&folder.join("refused"), &name);
            std::fs::write(there.with_extension("reason.txt"), format!("{name}: {refused}\n"))?;
            return std::fs::rename(file, &there).context("it can't be moved to refused/");
        }
    };
    let imported = importer.import(&ready, |_| {}).await?;
    tracing::info!(
        file = name,
        transactions = imported.transactions,
        new = imported.new,
        received = imported.received,
        "a bank statement was imported"
    );
    std::fs::rename(file, free(&folder.join("imported"), &name)).context("it can't be moved to imported/")
}

/// A name that isn't taken yet: nothing that was imported is overwritten.
fn free(folder: &Path, name: &str) -> PathBuf {
    let mut there = folder.join(name);
    let mut number = 2;
    while there.exists() {
        there = folder.join(format!("{number}-{name}"));
        number += 1;
    }
    there
}
