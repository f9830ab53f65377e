//! The file of the embedded default: kept small, copied while it is in use, and looked at before it is trusted.

use std::path::Path;
use std::time::Duration;

use sqlx::{AnyConnection, Connection as _, Row as _};

use super::sqlite::Scratch;
use super::{Kind, MIGRATIONS, Store, StoreError};

/// So many pages are given back at a time: a few milliseconds, in which nobody else writes.
const PAGES: i64 = 1_000;

/// How often it is tried to cut the log, and how long apart: whoever reads from it keeps it. Each try waits as long as a
/// statement may (`super::sqlite`).
const CUTS: u32 = 6;
const BETWEEN_CUTS: Duration = Duration::from_millis(200);

/// Why a file isn't a backup that can be restored.
#[derive(Debug, thiserror::Error)]
pub enum NotSound {
    /// It can't be opened or read, or isn't a database.
    #[error("it can't be read as a database; take another backup")]
    Unreadable(#[source] sqlx::Error),
    /// SQLite finds it damaged.
    #[error("it is damaged ({0}); take another backup")]
    Damaged(String),
    /// It has none of our migrations.
    #[error("it is a database, but not one of eencent")]
    Foreign,
    /// It was made by a newer version.
    #[error("it was made by a newer version of eencent (migration {0}); restore it with that version")]
    Newer(i64),
}

impl Store {
    /// Gives a bounded number of pages that hold nothing any more back to the disk, and takes the log over into
    /// the file; whether there is more to give. Nothing to do on PostgreSQL, which does so by itself.
    ///
    /// A file that a version before this one made keeps its free pages and uses them again; a backup of
    /// it, restored, gives back as well.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn give_back(&self) -> Result<bool, StoreError> {
        if self.kind == Kind::Postgres {
            return Ok(false);
        }
        let before = self.free_pages().await?;
        if before > 0 {
            sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA incremental_vacuum({PAGES})")))
                .execute(&self.write)
                .await?;
        }
        // Passive: waits for nobody. The log then begins anew, and is cut to journal_size_limit.
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&self.write)
            .await?;
        let after = self.free_pages().await?;
        Ok(after > 0 && after < before)
    }

    /// From here on what this process deletes or changes is overwritten in the file, and not only let go of. Nothing to
    /// do on PostgreSQL, whose pages are its own.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub(crate) async fn overwrite_what_goes(&self) -> Result<(), StoreError> {
        if self.kind == Kind::Sqlite {
            sqlx::query("PRAGMA secure_delete = ON").fetch_all(&self.write).await?;
        }
        Ok(())
    }

    /// Writes the file anew and cuts its log: bytes of rows that were moved or let go of before have gone then. Who
    /// writes meanwhile waits: one to two seconds for each 100 MB. Nothing to do on PostgreSQL.
    ///
    /// # Errors
    /// When the disk has no room for a second copy, or somebody reads for so long that the log can't be cut.
    pub(crate) async fn write_anew(&self) -> Result<(), StoreError> {
        if self.kind == Kind::Postgres {
            return Ok(());
        }
        self.scratch(Scratch::Files).await?;
        sqlx::query("VACUUM").execute(&self.write).await?;
        self.scratch(Scratch::Memory).await?;
        for _ in 0..CUTS {
            let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&self.write)
                .await?;
            if row.try_get::<i64, _>(0)? == 0 {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_CUTS).await;
        }
        Err(StoreError::LogNotCut)
    }

    async fn free_pages(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("PRAGMA freelist_count").fetch_one(&self.write).await?;
        Ok(row.try_get(0)?)
    }

    /// Writes a copy of the database, as it is at one moment, into a file that is empty or not there. Others go
    /// on reading and writing meanwhile. The copy isn't synced to the disk yet.
    ///
    /// # Errors
    /// When it isn't a file that is copied, or the copy can't be written.
    pub async fn copy_into(&self, path: &Path) -> Result<(), StoreError> {
        sqlx::query("VACUUM INTO $1")
            .bind(path.display().to_string())
            .execute(&self.read)
            .await?;
        Ok(())
    }
}

/// Checks that a file is a whole database of this program, of this version or an earlier one. It is only read.
///
/// # Errors
/// What is wrong with it.
pub async fn is_sound(path: &Path) -> Result<(), NotSound> {
    sqlx::any::install_default_drivers();
    let address = format!("sqlite://{}?mode=ro", path.display());
    let mut file = AnyConnection::connect(&address).await.map_err(NotSound::Unreadable)?;
    let told = sqlx::query("PRAGMA integrity_check(1)")
        .fetch_one(&mut file)
        .await
        .and_then(|row| row.try_get::<String, _>(0))
        .map_err(NotSound::Unreadable)?;
    if told != "ok" {
        return Err(NotSound::Damaged(told));
    }
    let newest = sqlx::query("SELECT MAX(version) FROM _sqlx_migrations WHERE EXISTS (SELECT 1 FROM transitions)")
        .fetch_one(&mut file)
        .await
        .and_then(|row| row.try_get::<Option<i64>, _>(0))
        .map_err(|_| NotSound::Foreign)?;
    file.close().await.map_err(NotSound::Unreadable)?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max();
    match newest {
        None => Err(NotSound::Foreign),
        Some(version) if Some(version) > known => Err(NotSound::Newer(version)),
        Some(_) => Ok(()),
    }
}
