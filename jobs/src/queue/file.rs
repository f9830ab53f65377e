//! The queue's SQLite file, which is never worth saving.
//!
//! It is opened with our own options rather than by apalis' `setup()`, which turns `synchronous`
//! off for one connection of the pool (S3). In WAL with `synchronous=NORMAL` a power cut may lose
//! the last tasks and can't break the file; the rows know better anyway. There is one connection:
//! the workers, the pushes and the tidying of this process queue up for it in memory, fairly,
//! instead of for SQLite's lock, where waiting too long ends an apalis worker (S4).

use std::path::{Path, PathBuf};
use std::time::Duration;

use apalis_sqlite::SqliteStorage;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::Mutex;

use super::QueueError;

/// The file, opened when needed.
pub(crate) struct QueueFile {
    path: PathBuf,
    open: Mutex<Option<SqlitePool>>,
}

/// So many broken files are kept beside it for whoever wants to look.
const KEPT_ASIDE: u32 = 5;

impl QueueFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: Mutex::new(None),
        }
    }

    /// The open file. One that can't be opened is put aside and a new one made.
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
        let pool = match connect(&self.path).await {
            Ok(pool) => pool,
            Err(error) if self.path.exists() => {
                tracing::error!(path = %self.path.display(), %error, "the queue's file can't be used, making a new one");
                rename_aside(&self.path)?;
                connect(&self.path).await.map_err(|source| self.unopened(source))?
            }
            Err(source) => return Err(self.unopened(source)),
        };
        *open = Some(pool.clone());
        Ok(pool)
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
        if let Err(error) = sound {
            tracing::error!(path = %self.path.display(), %error, "the queue's file is broken");
            self.put_aside().await;
        }
    }

    /// Closes it and renames it; the next use makes a new one.
    pub(crate) async fn put_aside(&self) {
        let mut open = self.open.lock().await;
        if let Some(pool) = open.take() {
            // Bounded: a worker may sit on the connection, and ends with an error once it lets go.
            let _ = tokio::time::timeout(Duration::from_secs(5), pool.close()).await;
        }
        if self.path.exists()
            && let Err(error) = rename_aside(&self.path)
        {
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
}

async fn connect(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
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
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}
