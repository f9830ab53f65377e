//! The queue in a SQLite file, for one process.
//!
//! Only this process pushes and works, so it remembers by itself what waits already.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use apalis_sqlite::SqliteStorage;
use eencent_activations::ledger::Work;
use futures::SinkExt as _;
use sqlx::SqlitePool;

use super::file::QueueFile;
use super::{PUSH_AGAIN, QueueError, TIDY_BATCH, task_text, worker};

/// So many pages are given back in one go, so that the workers don't wait long for the connection.
const PAGES: i64 = 500;

/// The file, and what this process has pushed into it.
pub(crate) struct FileQueue {
    pub(crate) file: QueueFile,
    /// What has been pushed and not yet seen begun, so that it isn't pushed again.
    waiting: Mutex<HashMap<(Work, String), Instant>>,
}

impl FileQueue {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            file: QueueFile::new(path),
            waiting: Mutex::default(),
        }
    }

    /// Puts the file aside and starts an empty one.
    pub(crate) async fn start_over(&self) {
        self.file.put_aside().await;
        self.forget_waiting(None);
    }

    /// Pushes those ids that don't wait already, as many as there is room for, in one transaction;
    /// answers how many.
    pub(crate) async fn push(&self, work: Work, ids: &[String], room: usize) -> Result<usize, QueueError> {
        let new = self.not_waiting(work, ids, room);
        if new.is_empty() {
            return Ok(0);
        }
        let pool = self.file.pool().await?;
        let mut storage = SqliteStorage::<Vec<u8>>::new(&pool).with_config(worker::config(work, 1));
        for id in &new {
            let task = apalis::prelude::TaskBuilder::new(task_text(work, id).into_bytes()).build();
            storage.feed(task).await?;
        }
        storage.flush().await?;
        let now = Instant::now();
        let mut held = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &new {
            held.insert((work, id.clone()), now);
        }
        Ok(new.len())
    }

    /// A worker begins with it.
    pub(crate) fn begun(&self, work: Work, id: &str) {
        let mut held = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&(work, id.to_owned()));
    }

    /// How many wait in the file. When none does, nothing that this process remembers waits either:
    /// somebody emptied it.
    pub(crate) async fn waiting(&self, work: Work) -> Result<usize, QueueError> {
        let pool = self.file.pool().await?;
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM Jobs WHERE job_type = ?1 AND status IN ('Pending', 'Queued', 'Running')",
        )
        .bind(worker::queue_name(work))
        .fetch_one(&pool)
        .await?;
        let count = usize::try_from(count).unwrap_or(0);
        if count == 0 {
            self.forget_waiting(Some(work));
        }
        Ok(count)
    }

    /// Deletes what is finished, and workers that are long gone; answers how many tasks.
    pub(crate) async fn tidy(&self) -> Result<u64, QueueError> {
        let pool = self.file.pool().await?;
        let mut deleted = 0_u64;
        loop {
            let batch = sqlx::query(
                "DELETE FROM Jobs WHERE id IN (SELECT id FROM Jobs \
                 WHERE status IN ('Done', 'Failed', 'Killed') LIMIT ?1)",
            )
            .bind(TIDY_BATCH)
            .execute(&pool)
            .await?
            .rows_affected();
            deleted = deleted.saturating_add(batch);
            if batch < TIDY_BATCH.unsigned_abs() {
                break;
            }
            // Let the workers have the connection in between.
            tokio::task::yield_now().await;
        }
        // Every start has a name of its own. A day is far beyond any life sign.
        sqlx::query(
            "DELETE FROM Workers WHERE last_seen < strftime('%s', 'now') - 86400 \
             AND NOT EXISTS (SELECT 1 FROM Jobs WHERE lock_by = Workers.id)",
        )
        .execute(&pool)
        .await?;
        give_back(&pool).await?;
        Ok(deleted)
    }

    fn not_waiting(&self, work: Work, ids: &[String], room: usize) -> Vec<String> {
        let mut held = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, since| since.elapsed() < PUSH_AGAIN);
        let mut new: Vec<String> = Vec::new();
        for id in ids {
            if new.len() >= room {
                break;
            }
            if !held.contains_key(&(work, id.clone())) && !new.contains(id) {
                new.push(id.clone());
            }
        }
        new
    }

    fn forget_waiting(&self, work: Option<Work>) {
        let mut held = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(of, _), _| work.is_some_and(|work| work != *of));
    }
}

/// Gives the pages of deleted tasks back to the disk, and takes over the log. A file that an earlier version made
/// keeps its free pages and uses them again.
async fn give_back(pool: &SqlitePool) -> Result<(), QueueError> {
    let mut free = i64::MAX;
    loop {
        let left: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(pool).await?;
        if left == 0 || left >= free {
            break;
        }
        free = left;
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA incremental_vacuum({PAGES})")))
            .execute(pool)
            .await?;
        tokio::task::yield_now().await;
    }
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(pool).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests stop at what they did not expect"
    )]
    use super::*;

    #[tokio::test]
    async fn the_file_does_not_grow_when_as_much_is_tidied_as_comes_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let queue = FileQueue::new(path.clone());
        let size = |suffix: &str| {
            std::fs::metadata(format!("{}{suffix}", path.display()))
                .unwrap()
                .len()
        };
        let mut sizes = Vec::new();
        let mut full = 0;
        for cycle in 0..4 {
            let ids: Vec<String> = (0..2_000).map(|number| format!("evt_{cycle}_{number}")).collect();
            assert_eq!(queue.push(Work::Event, &ids, 5_000).await.unwrap(), 2_000);
            let pool = queue.file.pool().await.unwrap();
            sqlx::query("UPDATE Jobs SET status = 'Done'")
                .execute(&pool)
                .await
                .unwrap();
            sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
                .execute(&pool)
                .await
                .unwrap();
            full = full.max(size(""));
            assert_eq!(queue.tidy().await.unwrap(), 2_000);
            sizes.push((size(""), size("-wal")));
        }
        let (first, _) = sizes[0];
        assert!(first < full / 2, "{full} bytes were given back: {sizes:?}");
        assert!(
            sizes.iter().all(|(file, log)| *file <= first + 65_536 && *log <= 20 << 20),
            "{sizes:?}"
        );
    }
}
