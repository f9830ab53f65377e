//! The store: connections, migrations and errors. All SQL of the product is in this crate.
//!
//! SQLite has one writer at a time. All writing goes through one connection, so that writers queue
//! here, in order and with our own time limits, and never meet `SQLITE_BUSY` among themselves; each
//! transaction begins `IMMEDIATE`, because one that begins by reading can't always become a writer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, Row, Transaction};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// How a transaction that writes begins.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// How many connections read at once.
const READERS: u32 = 8;

/// How long a statement waits for another process (a command beside the server) to let go.
const BUSY_TIMEOUT_MS: u32 = 10_000;

/// How long to wait for a connection before saying that the store is not available.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The database that holds the truth. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    write: AnyPool,
    read: AnyPool,
    file: Option<PathBuf>,
    /// Distinguishes this process' leases from those of one that had the same row before a crash.
    instance: Arc<str>,
    leases: Arc<AtomicU64>,
}

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address isn't one of a database that this version knows.
    #[error(
        "database.url: {0} is not a database this version can use; write sqlite://PATH, such as sqlite://eencent-data/eencent.db"
    )]
    Address(String),
    /// The folder of the database file can't be made.
    #[error(
        "can't make the folder {0} for the database; run this in a folder that you may write to, or set database.url"
    )]
    Folder(PathBuf, #[source] std::io::Error),
    /// It could not be opened.
    #[error("can't open the database {0}: {1}")]
    Open(String, &'static str, #[source] sqlx::Error),
    /// It was made by a newer version of this program.
    #[error(
        "the database was made by a newer version of eencent (migration {0}); start that version, or restore a backup from before the upgrade"
    )]
    Newer(i64),
    /// A migration failed; it was rolled back.
    #[error("the database could not be brought up to date; nothing was changed")]
    Migrate(#[source] MigrateError),
    /// A statement failed.
    #[error("the database did not do what was asked")]
    Statement(#[from] sqlx::Error),
    /// A row holds what no version of this program writes.
    #[error("the database holds a value that can't be read: {0}")]
    Unreadable(String),
    /// The lease on a row ran out while it was being worked on; nothing was written.
    #[error("another worker has taken over {0}")]
    LeaseLost(String),
    /// The operating system gave no randomness.
    #[error(transparent)]
    NoEntropy(#[from] crate::entropy::NoEntropy),
}

impl StoreError {
    /// Whether the statement broke a unique index.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// A transaction that writes.
pub(crate) type Tx = Transaction<'static, Any>;

impl Store {
    /// Opens the database at `sqlite://PATH`, which is made when missing, with its folder.
    ///
    /// Everything that is committed is on disk: WAL with `synchronous=FULL`, foreign keys on.
    ///
    /// # Errors
    /// [`StoreError`] when the address is of another kind, or the file can't be opened.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = sqlite_path(url).ok_or_else(|| StoreError::Address(without_password(url)))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        }
        make_for_us_alone(&path);
        sqlx::any::install_default_drivers();
        let address = format!("sqlite://{}?mode=rwc", path.display());
        let open = |error| StoreError::Open(path.display().to_string(), what_to_do(&error), error);
        // Once without a pool, which would try again for seconds before it says what is wrong.
        let mut first = AnyConnection::connect(&address).await.map_err(open)?;
        prepare(&mut first).await.map_err(open)?;
        first.close().await.map_err(open)?;
        let write = options(1).connect(&address).await.map_err(open)?;
        let read = options(READERS).connect(&address).await.map_err(open)?;
        let mut instance = [0_u8; 12];
        crate::entropy::Entropy::fill(&crate::entropy::OsEntropy, &mut instance)?;
        Ok(Self {
            write,
            read,
            file: Some(path),
            instance: hex::encode(instance).into(),
            leases: Arc::default(),
        })
    }

    /// Brings the schema up to date; does nothing when it is.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when the schema is newer than this program; nothing is changed then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let result = MIGRATIONS.run(&self.write).await;
        result.map_err(|error| match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
                StoreError::Newer(version)
            }
            other => StoreError::Migrate(other),
        })
    }

    /// Whether the store answers and its schema is there.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM states LIMIT 1")
            .fetch_one(&self.read)
            .await?;
        Ok(())
    }

    /// The database file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Closes all connections, after what they are doing.
    pub async fn close(&self) {
        self.write.close().await;
        self.read.close().await;
    }

    pub(crate) fn reader(&self) -> &AnyPool {
        &self.read
    }

    /// Begins a transaction that writes.
    ///
    /// When a disk is full SQLite rolls back by itself, and the connection goes on believing that it is
    /// in a transaction: it would refuse every one after it, also when there is room again. Such a
    /// connection is closed, and the next one begins.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        match self.write.begin_with(BEGIN).await {
            Err(sqlx::Error::InvalidSavePointStatement) => {
                tracing::warn!("a connection to the database was left in a broken transaction, and is replaced");
                self.write.acquire().await?.close().await?;
                Ok(self.write.begin_with(BEGIN).await?)
            }
            begun => Ok(begun?),
        }
    }

    /// A new lease, unlike any other of any process.
    pub(crate) fn new_lease(&self) -> String {
        let number = self.leases.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", self.instance)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

fn options(connections: u32) -> sqlx::pool::PoolOptions<Any> {
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(|connection, _| Box::pin(prepare(connection)))
}

/// What every connection is told first.
async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let pragmas = format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;"
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

fn sqlite_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => url.to_owned(),
    }
}

/// Reads a column by name.
pub(crate) fn text(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get::<String, _>(column)?)
}

pub(crate) fn maybe_text(row: &AnyRow, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get::<Option<String>, _>(column)?)
}

pub(crate) fn number(row: &AnyRow, column: &str) -> Result<i64, StoreError> {
    Ok(row.try_get::<i64, _>(column)?)
}

pub(crate) fn maybe_number(row: &AnyRow, column: &str) -> Result<Option<i64>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?)
}

pub(crate) fn instant(row: &AnyRow, column: &str) -> Result<crate::clock::Timestamp, StoreError> {
    number(row, column).map(crate::clock::Timestamp::from_micros)
}

pub(crate) fn maybe_instant(row: &AnyRow, column: &str) -> Result<Option<crate::clock::Timestamp>, StoreError> {
    Ok(maybe_number(row, column)?.map(crate::clock::Timestamp::from_micros))
}

/// Reads a JSON column.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    let text = text(row, column)?;
    serde_json::from_str(&text).map_err(|error| StoreError::Unreadable(format!("{column}: {error}")))
}

/// Reads a column whose text is one of a closed set.
pub(crate) fn named<T>(row: &AnyRow, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text = text(row, column)?;
    parse(&text).ok_or_else(|| StoreError::Unreadable(format!("{column}: {text}")))
}

/// Writes a value as JSON text.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[tokio::test]
    async fn every_connection_waits_for_the_disk_and_holds_foreign_keys() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/truth.db", folder.path().display()))
            .await
            .unwrap();
        for pool in [&store.write, &store.read] {
            for (pragma, value) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)] {
                let row = sqlx::query(pragma).fetch_one(pool).await.unwrap();
                assert_eq!(row.get::<i64, _>(0), value, "{pragma}");
            }
            let row = sqlx::query("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
            assert_eq!(row.get::<String, _>(0), "wal");
        }
    }
}
