//! The queue in a SQLite file, for one process.
//!
//! Only this process pushes and works, so it remembers by itself what waits already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use apalis_sqlite::SqliteStorage;
use eencent_activations::ledger::Work;
use futures::SinkExt as _;
use sqlx::SqlitePool;

use super::file::QueueFile;
use super::{PUSH_AGAIN, Pushed, QueueError, TIDY_BATCH, task_text, worker};

/// Whether the file still holds what this process remembers is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// So many pages are given back in one go, so that the workers don't wait long for the connection.
const PAGES: i64 = 500;

/// The file, and what this process has pushed into it.
pub(crate) struct FileQueue {
    pub(crate) file: QueueFile,
    /// What has been pushed and not yet seen begun, so that it isn't pushed again.
    waiting: Mutex<HashMap<(Work, String), Instant>>,
    /// When the file was last looked at for each kind. Held over a whole push.
    looked: tokio::sync::Mutex<HashMap<Work, Instant>>,
}

impl FileQueue {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            file: QueueFile::new(path),
            waiting: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
        }
    }

    /// Puts the file aside and starts an empty one.
    pub(crate) async fn start_over(&self) {
        self.file.put_aside().await;
        self.forget_waiting(None);
    }

    /// Pushes those ids that don't wait already, up to `most` in all, `group` to a task, in one transaction.
    pub(crate) async fn push(
        &self,
        work: Work,
        ids: &[String],
        most: usize,
        group: usize,
    ) -> Result<Pushed, QueueError> {
        let mut looked = self.looked.lock().await;
        self.look_again(&mut looked, work).await?;
        // Remembered before they are there: a worker may begin with them before we are back.
        let (new, waiting) = self.take_in(work, ids, most);
        if new.is_empty() {
            return Ok(Pushed { new: 0, waiting });
        }
        match self.write(work, &new, group).await {
            Ok(()) => Ok(Pushed {
                new: new.len(),
                waiting,
            }),
            Err(error) => {
                self.begun(work, &new.iter().map(String::as_str).collect::<Vec<_>>());
                Err(error)
            }
        }
    }

    /// How many rows of a kind wait in it.
    pub(crate) async fn waiting(&self, work: Work) -> Result<usize, QueueError> {
        self.look_again(&mut *self.looked.lock().await, work).await?;
        let (_, waiting) = self.take_in(work, &[], 0);
        Ok(waiting)
    }

    async fn look_again(&self, looked: &mut HashMap<Work, Instant>, work: Work) -> Result<(), QueueError> {
        if looked.get(&work).is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
            self.look_whether_emptied(work).await?;
            looked.insert(work, Instant::now());
        }
        Ok(())
    }

    async fn write(&self, work: Work, new: &[String], group: usize) -> Result<(), QueueError> {
        let pool = self.file.pool().await?;
        let mut storage = SqliteStorage::<Vec<u8>>::new(&pool).with_config(worker::config(work, 1));
        for ids in new.chunks(group.max(1)) {
            let task = apalis::prelude::TaskBuilder::new(task_text(work, ids).into_bytes()).build();
            storage.feed(task).await?;
        }
        Ok(storage.flush().await?)
    }

    /// They were claimed, or there is nothing to do: they may be pushed again.
    pub(crate) fn begun(&self, work: Work, ids: &[&str]) {
        let mut held = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            held.remove(&(work, (*id).to_owned()));
        }
    }

    /// When no task waits in the file, nothing that this process remembers waits either: somebody emptied it.
    async fn look_whether_emptied(&self, work: Work) -> Result<(), QueueError> {
        let pool = self.file.pool().await?;
        let there: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM Jobs WHERE job_type = ?1 AND status IN ('Pending', 'Queued', 'Running') LIMIT 1",
        )
        .bind(worker::queue_name(work))
        .fetch_optional(&pool)
        .await?;
        if there.is_none() {
            self.forget_waiting(Some(work));
        }
        Ok(())
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

    /// Remembers those that are new and find room; these, and how many wait with them.
    fn take_in(&self, work: Work, ids: &[String], most: usize) -> (Vec<String>, usize) {
        let mut held = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, since| since.elapsed() < PUSH_AGAIN);
        let mut waiting = held.keys().filter(|(of, _)| *of == work).count();
        let now = Instant::now();
        let mut new = Vec::new();
        for id in ids {
            if waiting >= most {
                break;
            }
            if let Entry::Vacant(vacant) = held.entry((work, id.clone())) {
                vacant.insert(now);
                new.push(id.clone());
                waiting += 1;
            }
        }
        (new, waiting)
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
        let size = |suffix: &str| std::fs::metadata(format!("{}{suffix}", path.display())).unwrap().len();
        let mut sizes = Vec::new();
        let mut full = 0;
        for cycle in 0..4 {
            let ids: Vec<String> = (0..2_000).map(|number| format!("evt_{cycle}_{number}")).collect();
            assert_eq!(queue.push(Work::Event, &ids, 50_000, 1).await.unwrap().new, 2_000);
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
            sizes
                .iter()
                .all(|(file, log)| *file <= first + 65_536 && *log <= 20 << 20),
            "{sizes:?}"
        );
    }
}
