//! The embedded default: one file, and one connection that writes.
//!
//! SQLite has one writer at a time. All writing goes through one connection, so that writers queue here,
//! in order and with our own time limits, and never meet `SQLITE_BUSY` among themselves. WAL with
//! `synchronous=FULL`: what is committed is on disk.

use std::path::{Path, PathBuf};

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _};

use super::{READERS, StoreError};

/// How long a statement waits for another process (a command beside the server) to let go.
const BUSY_TIMEOUT_MS: u32 = 10_000;

/// Bytes of a page in a new file. A message with its headers is some 3 kB: two of them fill one of these, and one
/// would leave a quarter of a smaller one empty. A file keeps the pages that it was made with.
const PAGE: u32 = 8192;

/// When the log is so many pages long (40 MB), the commit that finds it so carries over what is left of it, and the
/// log starts again. Most of it has been carried over beside the commits by then: see `super::checkpoint`.
const CHECKPOINT_AFTER: u32 = 5_000;

/// For the connection that writes: of the file it remembers up to 8 MiB, rather than 2.
const WRITER: &str = "PRAGMA cache_size = -8192";

/// Where the connection that writes has what it needs for a moment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scratch {
    /// As always: what would take a statement back is a few pages, and a file for them costs as much as the log does.
    Memory,
    /// For what goes through whole tables.
    Files,
}

impl Scratch {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Memory => "PRAGMA temp_store = MEMORY",
            Self::Files => "PRAGMA temp_store = FILE",
        }
    }
}

/// The connection that writes, and those that read. The file and its folder are made when missing.
pub(super) async fn connect(path: &Path) -> Result<(AnyPool, AnyPool), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
    }
    make_for_us_alone(path);
    let address = format!("sqlite://{}?mode=rwc", path.display());
    let open = |error| StoreError::Open(path.display().to_string(), what_to_do(&error), error);
    // Once without a pool, which would try again for seconds before it says what is wrong.
    let mut first = AnyConnection::connect(&address).await.map_err(open)?;
    // Counts for a new file only, before anything is written to it: pages that are purged can then be given back
    // (`super::file`); in an older file they are used again. Not for every connection: it writes, and on a full disk
    // none could be made any more.
    let new = format!("PRAGMA page_size = {PAGE}; PRAGMA auto_vacuum = INCREMENTAL;");
    first.execute(sqlx::AssertSqlSafe(new)).await.map_err(open)?;
    prepare(&mut first).await.map_err(open)?;
    first.close().await.map_err(open)?;
    let write = options(1)
        .after_connect(|connection, _| {
            Box::pin(async move {
                prepare(connection).await?;
                connection.execute(WRITER).await?;
                connection.execute(Scratch::Memory.sql()).await?;
                Ok(())
            })
        })
        .connect(&address)
        .await
        .map_err(open)?;
    let read = options(READERS).connect(&address).await.map_err(open)?;
    Ok((write, read))
}

fn options(connections: u32) -> AnyPoolOptions {
    // A file doesn't hang up: asking whether it is still there would cost each transaction one trip more.
    super::pool(connections)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(prepare(connection)))
}

/// What every connection is told first.
async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let pragmas = format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = {CHECKPOINT_AFTER}; PRAGMA journal_size_limit = 67108864;"
    );
    connection.execute(sqlx::AssertSqlSafe(pragmas)).await?;
    Ok(())
}

/// What an operator can do about a database that can't be opened, by SQLite's primary result code.
fn what_to_do(error: &sqlx::Error) -> &'static str {
    let code = match error {
        sqlx::Error::Database(error) => error.code().and_then(|code| code.parse::<u32>().ok()),
        _ => None,
    };
    match code.map(|code| code & 0xff) {
        Some(8) => "it can't be written; give the user that runs eencent the right to write the file and its folder",
        Some(13) => "the disk is full; make room",
        Some(14) => "the file can't be reached; check its folder and the rights on it",
        Some(11 | 26) => "it is not a SQLite database; set database.url to another file, or restore a backup",
        Some(5 | 6) => "another process holds it; stop that one first",
        _ => "see the cause",
    }
}

/// A new database file, which only the user that runs the program can read: it holds what banks told of
/// people. SQLite gives the files beside it the same rights. What goes wrong here, opening it tells.
#[cfg(unix)]
fn make_for_us_alone(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    drop(options.append(true).create(true).mode(0o600).open(path));
}

#[cfg(not(unix))]
fn make_for_us_alone(_: &Path) {}

/// The file of an address, when it is one of SQLite.
pub(super) fn path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}
