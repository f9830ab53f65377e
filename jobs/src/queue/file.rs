//! The queue's SQLite file, which is never worth saving.
//!
//! It is opened with our own options rather than by apalis' `setup()`, which turns `synchronous`
//! off for one connection of the pool (S3). In WAL with `synchronous=NORMAL` a power cut may lose
//! the last tasks and can't break the file; the rows know better anyway. There is one connection:
//! the workers, the pushes and the tidying of this process queue up for it in memory, fairly,
//! instead of for SQLite's lock, where waiting too long ends an apalis worker (S4).
//!
//! A file is put aside only when nothing but a queue can be lost by it: when it is no SQLite database,
//! when it is damaged, or when its tables are apalis' own. An address may be mistyped, and the file at
//! it may be all that somebody has: [`look`] says what it is, before anything is written to it.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _};
#[cfg(unix)]
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use apalis_sqlite::SqliteStorage;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqlitePool};
use tokio::sync::Mutex;

use super::QueueError;

/// The file, opened when needed.
pub(crate) struct QueueFile {
    path: PathBuf,
    open: Mutex<Option<SqlitePool>>,
}

/// The log beside the file is cut to so many bytes once it has been taken over: 16 MiB.
const LOG_LIMIT: &str = "16777216";

/// So many broken files are kept beside it for whoever wants to look.
const KEPT_ASIDE: u32 = 5;

impl QueueFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: Mutex::new(None),
        }
    }

    /// The open file. One that isn't fit for use is put aside and a new one made; another program's
    /// is left as it is, which is an error.
    pub(crate) async fn pool(&self) -> Result<SqlitePool, QueueError> {
        let mut open = self.open.lock().await;
        if let Some(pool) = open.as_ref() {
            if self.path.exists() {
                return Ok(pool.clone());
            }
            // Deleted under our hands. The old connection would go on with a file nobody can see.
            tracing::warn!(path = %self.path.display(), "the queue's file is gone, making a new one");
            pool.close().await;
            *open = None;
            remove_companions(&self.path);
        }
        let pool = match self.as_it_is().await {
            Err(QueueError::Unfit { path, source }) => {
                tracing::error!(path = %path.display(), error = %source, "the queue's file can't be used, making a new one");
                rename_aside(&self.path)?;
                connect(&self.path).await.map_err(|source| self.unopened(source))?
            }
            opened => opened?,
        };
        *open = Some(pool.clone());
        Ok(pool)
    }

    /// Tries whether the file can be used, and leaves it where it is when it can't.
    pub(crate) async fn probe(&self) -> Result<(), QueueError> {
        let pool = self.as_it_is().await?;
        let sound = is_sound(&pool).await;
        pool.close().await;
        sound.map_err(|source| self.unfit_or_unopened(source))
    }

    /// Opens it, without putting anything in its place.
    async fn as_it_is(&self) -> Result<SqlitePool, QueueError> {
        match look(&self.path).await.map_err(|source| self.unopened(source))? {
            Found::Foreign => return Err(self.foreign()),
            Found::Broken(source) => {
                return Err(QueueError::Unfit {
                    path: self.path.clone(),
                    source,
                });
            }
            Found::Nothing | Found::Queue => {}
        }
        connect(&self.path)
            .await
            .map_err(|source| self.unfit_or_unopened(source))
    }

    /// Puts it aside when it isn't sound.
    pub(crate) async fn mend(&self) {
        let sound = match self.pool().await {
            Ok(pool) => is_sound(&pool).await,
            // Nothing there to put aside; opening is tried again at the next use.
            Err(error) => {
                tracing::error!(%error, "the queue can't be opened");
                return;
            }
        };
        match sound {
            Err(error) if blames_the_file(&error) => {
                tracing::error!(path = %self.path.display(), %error, "the queue's file is broken");
                self.put_aside().await;
            }
            // A full disk or a lock that is held isn't mended by another file.
            Err(error) => tracing::error!(path = %self.path.display(), %error, "the queue's file can't be read now"),
            Ok(()) => {}
        }
    }

    /// Closes it and renames it; the next use makes a new one. Another program's stays.
    pub(crate) async fn put_aside(&self) {
        let mut open = self.open.lock().await;
        if let Some(pool) = open.take() {
            // Bounded: a worker may sit on the connection, and ends with an error once it lets go.
            let _ = tokio::time::timeout(Duration::from_secs(5), pool.close()).await;
        }
        let renamed = match look(&self.path).await {
            Ok(Found::Nothing) => Ok(()),
            Ok(Found::Queue | Found::Broken(_)) => rename_aside(&self.path),
            Ok(Found::Foreign) => Err(self.foreign()),
            Err(source) => Err(self.unopened(source)),
        };
        if let Err(error) = renamed {
            tracing::error!(%error, "the queue's file stays where it is");
        }
    }

    pub(crate) async fn close(&self) {
        if let Some(pool) = self.open.lock().await.take() {
            pool.close().await;
        }
    }

    fn unopened(&self, source: sqlx::Error) -> QueueError {
        QueueError::Open {
            path: self.path.clone(),
            source,
        }
    }

    fn unfit_or_unopened(&self, source: sqlx::Error) -> QueueError {
        if blames_the_file(&source) && self.path.exists() {
            let path = self.path.clone();
            return QueueError::Unfit { path, source };
        }
        self.unopened(source)
    }

    fn foreign(&self) -> QueueError {
        QueueError::Foreign {
            path: self.path.clone(),
        }
    }
}

/// What stands at the queue's address.
enum Found {
    /// No file, or an empty one.
    Nothing,
    /// A database with nothing in it but what apalis makes.
    Queue,
    /// No SQLite database, or a damaged one.
    Broken(sqlx::Error),
    /// A database with something else in it.
    Foreign,
}

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The tables that apalis makes, and the list of its migrations.
const OWN_TABLES: [&str; 2] = ["Jobs", "Workers"];
const MIGRATIONS: &str = "_sqlx_migrations";

/// Says what the file is. Changes nothing, neither in it nor beside it.
///
/// # Errors
/// When that can't be said: no right to read it, a lock, a disk that fails.
async fn look(path: &Path) -> Result<Found, sqlx::Error> {
    let kind = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        found => found?,
    };
    if !kind.is_file() {
        return Err(io::Error::other("it is no file").into());
    }
    if kind.len() == 0 {
        return Ok(Found::Nothing);
    }
    let mut head = Vec::new();
    File::open(path)?.take(20).read_to_end(&mut head)?;
    if !head.starts_with(MAGIC) {
        return Ok(Found::Broken(sqlx::Error::Protocol(
            "it is no SQLite database".to_owned(),
        )));
    }
    // Reading a database with a write-ahead log makes that log when it isn't there. Without a log the
    // file is all there is, and nobody has it open: it can be read as something that doesn't change.
    let at_rest = head.get(18..20).is_some_and(|modes| modes.contains(&2)) && !beside(path, "-wal").exists();
    match tables_are_ours(path, at_rest).await {
        Ok(true) => Ok(Found::Queue),
        Ok(false) => Ok(Found::Foreign),
        Err(error) if is_damage(&error) => Ok(Found::Broken(error)),
        Err(error) => Err(error),
    }
}

/// Whether everything in a database was made by apalis. One that was only begun counts; tables of
/// the same names without apalis' own first migration don't.
async fn tables_are_ours(path: &Path, at_rest: bool) -> Result<bool, sqlx::Error> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(at_rest)
        .busy_timeout(Duration::from_secs(5))
        .connect()
        .await?;
    let names: Result<Vec<String>, _> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .fetch_all(&mut connection)
    .await;
    let mut versions: Result<Vec<i64>, _> = Ok(Vec::new());
    if names
        .as_ref()
        .is_ok_and(|names| names.iter().any(|name| name == MIGRATIONS))
    {
        versions = sqlx::query_scalar("SELECT version FROM _sqlx_migrations")
            .fetch_all(&mut connection)
            .await;
    }
    connection.close().await?;
    let (names, versions) = (names?, versions?);
    let known = |version: &i64| SqliteStorage::migrations().iter().any(|one| one.version == *version);
    let own = |name: &String| OWN_TABLES.contains(&name.as_str());
    Ok(names.iter().all(|name| own(name) || name == MIGRATIONS)
        && match versions.as_slice() {
            [] => !names.iter().any(own),
            some => some.iter().any(known),
        })
}

/// SQLite's codes for a malformed file and for one that is no database.
fn is_damage(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(11 | 26))
}

/// Whether another file would do better: it is damaged, or lacks what apalis made in it. A lock, a
/// full disk and missing rights are not the file's fault.
fn blames_the_file(error: &sqlx::Error) -> bool {
    match error {
        // What `quick_check` told.
        sqlx::Error::Protocol(_) => true,
        sqlx::Error::Migrate(error) => match error.as_ref() {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => blames_the_file(error),
            _ => true,
        },
        other => matches!(primary_code(other), Some(1 | 11 | 26)),
    }
}

/// The code without its extension, which stands in the higher bits.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

async fn connect(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        // It may be the folder of the database too, which is for its owner alone.
        #[cfg(unix)]
        builder.mode(0o700);
        builder.create(folder)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        // For a new file: what is tidied away is given back.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("journal_size_limit", LOG_LIMIT)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(30));
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options)
        .await?;
    if let Err(error) = prepare(&pool).await {
        pool.close().await;
        return Err(error);
    }
    Ok(pool)
}

/// apalis' tables, less one index (S8): SQLite prefers it for acknowledging, and so reads every task
/// that the worker has ever finished to find the few it finishes now. At five thousand finished
/// tasks that was 75 ms for each acknowledgement, and the work stood still.
async fn prepare(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    SqliteStorage::migrations().run(pool).await?;
    sqlx::query("DROP INDEX IF EXISTS LIdx").execute(pool).await?;
    Ok(())
}

async fn is_sound(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let told: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(pool).await?;
    if told != "ok" {
        return Err(sqlx::Error::Protocol(told));
    }
    for statement in ["SELECT COUNT(*) FROM Jobs", "SELECT COUNT(*) FROM Workers"] {
        let _: i64 = sqlx::query_scalar(statement).fetch_one(pool).await?;
    }
    Ok(())
}

/// `queue.sqlite` becomes `queue.sqlite.broken-1`, or the next free number.
fn rename_aside(path: &Path) -> Result<(), QueueError> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".broken-{number}"));
        PathBuf::from(name)
    };
    let free = (1..KEPT_ASIDE)
        .find(|number| !named(*number).exists())
        .unwrap_or(KEPT_ASIDE);
    std::fs::rename(path, named(free)).map_err(|source| QueueError::PutAside {
        path: path.to_owned(),
        source,
    })?;
    remove_companions(path);
    Ok(())
}

/// A log left beside a new file would be played into it.
fn remove_companions(path: &Path) {
    for suffix in ["-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(path, suffix));
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    /// A database with these statements run in it, closed or left as a crash leaves it.
    async fn database(path: &Path, statements: &[&'static str], crashed: bool) {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(
                SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal),
            )
            .await
            .unwrap();
        for statement in statements {
            sqlx::query(*statement).execute(&pool).await.unwrap();
        }
        if crashed {
            // Everything stands in the log still.
            let log = beside(path, "-wal");
            let kept = (std::fs::read(path).unwrap(), std::fs::read(&log).unwrap());
            pool.close().await;
            std::fs::write(path, kept.0).unwrap();
            std::fs::write(&log, kept.1).unwrap();
        } else {
            pool.close().await;
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn fault_34_another_programs_database_is_never_touched() {
        let migrations = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY)";
        let cases: [&[&'static str]; 4] = [
            &["CREATE TABLE activations (id TEXT)"],
            &[migrations, "INSERT INTO _sqlx_migrations VALUES (1)"],
            &["CREATE TABLE Jobs (mine TEXT)", "CREATE TABLE Workers (mine TEXT)"],
            &["CREATE VIEW mine AS SELECT 1"],
        ];
        for statements in cases {
            for crashed in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("theirs.db");
                database(&path, statements, crashed).await;
                let before = (std::fs::read(&path).unwrap(), std::fs::read(beside(&path, "-wal")).ok());
                let queue = QueueFile::new(path.clone());
                assert!(matches!(queue.probe().await, Err(QueueError::Foreign { .. })));
                let told = queue.pool().await.unwrap_err().to_string();
                assert!(told.contains("another program's database"), "{told}");
                queue.mend().await;
                queue.put_aside().await;
                assert_eq!(
                    before,
                    (std::fs::read(&path).unwrap(), std::fs::read(beside(&path, "-wal")).ok())
                );
                if !crashed {
                    assert_eq!(files(folder.path()), ["theirs.db"]);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_probe_renames_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        std::fs::write(&path, "this is no database").unwrap();
        let queue = QueueFile::new(path.clone());
        assert!(matches!(queue.probe().await, Err(QueueError::Unfit { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"this is no database");
        assert_eq!(files(folder.path()), ["queue.db"]);
        queue.pool().await.unwrap();
        assert!(folder.path().join("queue.db.broken-1").exists());
        queue.close().await;
        queue.probe().await.unwrap();
    }

    #[tokio::test]
    async fn a_folder_at_the_queues_address_stays_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        std::fs::create_dir(&path).unwrap();
        let queue = QueueFile::new(path.clone());
        assert!(matches!(queue.pool().await, Err(QueueError::Open { .. })));
        queue.put_aside().await;
        assert_eq!(files(folder.path()), ["queue.db"]);
    }

    #[tokio::test]
    async fn a_queue_of_a_later_version_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let queue = QueueFile::new(folder.path().join("queue.db"));
        let pool = queue.pool().await.unwrap();
        sqlx::query("UPDATE _sqlx_migrations SET version = 99999999999999 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
            .execute(&pool)
            .await
            .unwrap();
        queue.close().await;
        queue.pool().await.unwrap();
        assert!(folder.path().join("queue.db.broken-1").exists());
    }
}
