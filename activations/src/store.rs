//! The store: connections, migrations and errors. All SQL of the product is in this crate.
//!
//! One text of SQL serves SQLite and PostgreSQL. What differs is `Kind`: how to connect (`sqlite`,
//! `postgres`), how a transaction that writes begins, and how a row that is read to be changed is held.

mod chaining;
mod checkpoint;
pub mod copy;
pub mod file;
pub(crate) mod many;
mod postgres;
mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyPool, Row as _, Transaction};

use self::sqlite::Scratch;
use crate::ledger::mail_pace::MailPace;
use crate::ledger::pulse::{Anchor, Forsaken};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// How many connections read at once.
const READERS: u32 = 8;

/// How long to wait for a connection before saying that the store is not available.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One writer at a time: whoever writes is alone.
    Sqlite,
    /// Writers run side by side and hold the rows that they read to change.
    Postgres,
}

impl Kind {
    /// How a transaction begins whose statements all see the same. On SQLite every one does.
    const fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// How a transaction that writes begins. On SQLite as a writer from the start, because one that
    /// begins by reading can't always become one.
    const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }
}

/// The database that holds the truth. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    kind: Kind,
    write: AnyPool,
    read: AnyPool,
    file: Option<PathBuf>,
    /// Distinguishes this process' leases from those of one that had the same row before a crash.
    instance: Arc<str>,
    leases: Arc<AtomicU64>,
    writes: checkpoint::Writes,
    anchor: Arc<Anchor>,
    forsaken: Arc<Forsaken>,
    /// How many e-mails may be begun in a minute, where that has a limit.
    pub(crate) mail_pace: Option<MailPace>,
}

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address isn't one of a database that this version knows.
    #[error(
        "database.url: {0} is not a database this version can use; write sqlite://PATH, such as sqlite://eencent-data/eencent.db, \
         or postgres://user:password@host/database"
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
    /// The log of a SQLite file holds what the file doesn't any more.
    #[error(
        "the database's log could not be cut, because somebody reads from it all the time; what was erased may stand in it until the server is started again"
    )]
    LogNotCut,
    /// The operating system gave no randomness.
    #[error(transparent)]
    NoEntropy(#[from] crate::entropy::NoEntropy),
}

impl StoreError {
    /// Whether another transaction came between, and the same may well succeed when it is tried again:
    /// a key that was just taken, a deadlock, or a conflict that the database saw.
    pub fn is_passing_conflict(&self) -> bool {
        let Self::Statement(sqlx::Error::Database(error)) = self else {
            return matches!(self, Self::LeaseLost(_));
        };
        error.is_unique_violation() || matches!(error.code().as_deref(), Some("40001" | "40P01"))
    }

    /// Whether the statement broke a unique index.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// A transaction that writes.
pub(crate) type Tx = Transaction<'static, Any>;

impl Store {
    /// Opens the database at `sqlite://PATH`, which is made when missing, with its folder; or at
    /// `postgres://…`, which has to be there.
    ///
    /// Everything that is committed is on disk.
    ///
    /// # Errors
    /// [`StoreError`] when the address is of another kind, or the database can't be reached.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (kind, (write, read), file) = if let Some(path) = sqlite::path(url) {
            (Kind::Sqlite, sqlite::connect(&path).await?, Some(path))
        } else if postgres::is_one(url) {
            (Kind::Postgres, postgres::connect(url).await?, None)
        } else {
            return Err(StoreError::Address(without_password(url)));
        };
        let mut instance = [0_u8; 12];
        crate::entropy::Entropy::fill(&crate::entropy::OsEntropy, &mut instance)?;
        let writes = checkpoint::Writes::default();
        if kind == Kind::Sqlite {
            tokio::spawn(checkpoint::beside(read.clone(), writes.clone()));
        }
        Ok(Self {
            kind,
            write,
            read,
            file,
            instance: hex::encode(instance).into(),
            leases: Arc::default(),
            writes,
            anchor: Arc::default(),
            forsaken: Arc::default(),
            mail_pace: None,
        })
    }

    /// Brings the schema up to date; does nothing when it is.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when the schema is newer than this program; nothing is changed then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.scratch(Scratch::Files).await?;
        let result = match self.kind {
            Kind::Sqlite => MIGRATIONS.run(&self.write).await,
            Kind::Postgres => postgres::migrations(&MIGRATIONS).run(&self.write).await,
        };
        result.map_err(|error| match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
                StoreError::Newer(version)
            }
            other => StoreError::Migrate(other),
        })?;
        self.chain_what_was().await?;
        self.scratch(Scratch::Memory).await
    }

    /// Where SQLite has what it needs for a moment. Where it fails in between, files are slower and do no harm.
    async fn scratch(&self, place: Scratch) -> Result<(), StoreError> {
        if self.kind == Kind::Sqlite {
            sqlx::query(place.sql()).execute(&self.write).await?;
        }
        Ok(())
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

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    pub(crate) fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    pub(crate) fn forsaken(&self) -> &Forsaken {
        &self.forsaken
    }

    pub(crate) fn reader(&self) -> &AnyPool {
        &self.read
    }

    /// What stands behind a `SELECT` of rows that are read to be changed: they are held until the end of
    /// the transaction, so that nobody else decides on what they were. `of` is the table's name in it.
    pub(crate) fn held(&self, of: &str) -> String {
        match self.kind {
            // Whoever writes is alone.
            Kind::Sqlite => String::new(),
            Kind::Postgres => format!(" FOR UPDATE OF {of}"),
        }
    }

    /// The same for rows that are let go where somebody else holds them.
    pub(crate) fn held_if_free(&self, of: &str) -> String {
        match self.kind {
            // Whoever writes is alone.
            Kind::Sqlite => String::new(),
            Kind::Postgres => format!(" FOR UPDATE OF {of} SKIP LOCKED"),
        }
    }

    /// How many transactions that write are worth having at once.
    pub(crate) const fn writers(&self) -> usize {
        match self.kind {
            Kind::Sqlite => 1,
            Kind::Postgres => 2,
        }
    }

    /// Holds the rows of a table whose column says `of` until the end of the transaction, in the order of their ids.
    pub(crate) async fn hold_all(&self, tx: &mut Tx, table: &str, column: &str, of: &str) -> Result<(), StoreError> {
        let held = self.held(table);
        if !held.is_empty() {
            let sql = format!("SELECT id FROM {table} WHERE {column} = $1 ORDER BY id{held}");
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(of)
                .fetch_all(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Waits until no other transaction has asked for the same, and keeps others out until the end of this
    /// one: for what is decided by rows that aren't there yet, or by how many there are.
    pub(crate) async fn alone(&self, tx: &mut Tx, about: &str) -> Result<(), StoreError> {
        match self.kind {
            // Whoever writes is alone.
            Kind::Sqlite => Ok(()),
            Kind::Postgres => {
                sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0)) IS NULL")
                    .bind(about)
                    .execute(&mut **tx)
                    .await?;
                Ok(())
            }
        }
    }

    /// Begins a transaction that writes.
    ///
    /// When a disk is full SQLite rolls back by itself, and the connection goes on believing that it is
    /// in a transaction: it would refuse every one after it, also when there is room again. Such a
    /// connection is closed, and the next one begins.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        self.writes.count();
        match self.write.begin_with(self.kind.begin()).await {
            Err(sqlx::Error::InvalidSavePointStatement) => {
                tracing::warn!("a connection to the database was left in a broken transaction, and is replaced");
                self.write.acquire().await?.close().await?;
                Ok(self.write.begin_with(self.kind.begin()).await?)
            }
            begun => Ok(begun?),
        }
    }

    /// Begins a transaction that writes, all of whose statements see the database as it was at the first. Where another
    /// changed what it changes, it fails as a passing conflict: see [`StoreError::is_passing_conflict`].
    pub(crate) async fn begin_at_one_moment(&self) -> Result<Tx, StoreError> {
        let mut tx = self.begin().await?;
        if self.kind == Kind::Postgres {
            sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx)
    }

    /// Begins a transaction that only reads: all its statements see the database as it was at the first.
    pub(crate) async fn snapshot(&self) -> Result<Tx, StoreError> {
        Ok(self.read.begin_with(self.kind.begin_snapshot()).await?)
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

/// Connections, at most so many; whoever finds none free waits, but not for ever.
fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
}

/// Whether an address is that of a file.
pub fn is_file(url: &str) -> bool {
    sqlite::path(url).is_some()
}

/// The file of an address, when it is that of one.
pub fn file_of(url: &str) -> Option<PathBuf> {
    sqlite::path(url)
}

/// Whether an address is that of a server, which several machines can share.
pub fn is_server(url: &str) -> bool {
    postgres::is_one(url)
}

/// An address as it may be shown: without a password.
pub fn without_password(url: &str) -> String {
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
