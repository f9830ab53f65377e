//! The queue: says "look here" to the workers, and nothing else. The only place that knows apalis.
//!
//! A task is the text `{work}:{id}`. What it is about stands in the rows; losing a task costs a
//! second until the sweep tells it again, and telling it twice costs one look. So the queue may be
//! emptied, broken or deleted at any moment, and this module never lets it be more than a hint:
//!
//! - [`mod@file`]: its SQLite file, with our own options; mended by putting it aside.
//! - [`worker`]: runs one apalis worker until it ends, for whatever reason.
//! - [`mod@nudge`]: hints from after a commit, batched into pushes.
//! - this file: feeding (never past a bound, never what already waits) and tidying.
//!
//! What is known of apalis 1.0 and of its SQLite backend, and how it can't hurt here:
//!
//! | | trap | here |
//! |---|---|---|
//! | A1 | an idle worker looks every 30 s | our own stream wakes it when something is pushed, and every 100 ms |
//! | A14 | `poll_with_interval` can lose its timer, and the worker sleeps until its next life sign (found here) | the same stream |
//! | A2 | a task that can't be decoded ends the worker | tasks are bytes to apalis ([`worker::Bytes`] can't fail); we read them inside the handler |
//! | A3 A4 A5 | any error of the store ends a worker; restarting has no pause; the monitor hides it | no monitor: [`crate::supervisor`] |
//! | A6 | no limit to how many run at once | `.concurrency(n)` |
//! | A7 | a panic ends the worker | [`crate::attempt`] runs work in tasks of its own |
//! | A8 | acknowledgements are written late | the claim of the row decides |
//! | S1 S2 | `RetryAfter` loses tasks, failures are retried at once | handlers always answer Ok |
//! | S3 | `setup()` turns synchronous off | never called; only its migrations are run |
//! | S4 | a lock held for long ends the worker | one connection, so nobody in this process waits for a lock; busy timeout; supervisor |
//! | S5 | `vacuum_before` deletes what is finished, all of it, and rewrites the file | own deletes in small batches |
//! | S6 | a name can't be used again for a while | a fresh name for each start |
//! | S7 | a duplicate key is dropped without a word | no keys |
//! | S8 | an acknowledgement reads every task its worker ever finished (found here, not in the list the other rows are from) | the index that misleads it is dropped; finished tasks are deleted |

mod file;
mod nudge;
mod worker;

#[cfg(test)]
mod contract;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use apalis_sqlite::SqliteStorage;
use eencent_activations::ledger::Work;
use futures::SinkExt;
use futures::task::AtomicWaker;
use sqlx::SqlitePool;

pub(crate) use nudge::push_hints;
pub use nudge::{Feeder, QueueNudge, nudge};
pub(crate) use worker::{Handler, ROUNDS, WorkerEnd, work_until};

/// The queue can't be used just now.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Its file can't be opened, and no other could be put in its place.
    #[error("the queue's file {path} can't be opened; check the folder and its permissions")]
    Open {
        /// Where it should be.
        path: PathBuf,
        /// Why it isn't.
        #[source]
        source: sqlx::Error,
    },
    /// What stands at its address was made by something else, and isn't touched.
    #[error("queue.url is another program's database ({path}); give the queue a file of its own")]
    Foreign {
        /// Where it is.
        path: PathBuf,
    },
    /// Its file is damaged or no database; a process that works puts it aside.
    #[error(
        "the queue's file {path} is broken or is no queue; a server renames it and makes a new one, \
         so move it away first if it is something else"
    )]
    Unfit {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: sqlx::Error,
    },
    /// Its file couldn't be put aside.
    #[error("the queue's broken file {path} can't be renamed; move it away by hand")]
    PutAside {
        /// Where it is.
        path: PathBuf,
        /// Why it stays.
        #[source]
        source: std::io::Error,
    },
    /// A statement failed.
    #[error("the queue's file gave an error")]
    Statement(#[from] sqlx::Error),
    /// apalis failed.
    #[error("the queue gave an error")]
    Push(#[from] apalis_sqlite::Error),
}

/// How the queue is to behave.
#[derive(Debug, Clone)]
pub(crate) struct QueueOptions {
    /// Its file.
    pub(crate) path: PathBuf,
    /// At most this many tasks of one kind wait in it.
    pub(crate) most_waiting: usize,
    /// How often an idle worker looks.
    pub(crate) poll_interval: Duration,
}

/// The task that says: look at this row.
pub(crate) fn task_text(work: Work, id: &str) -> String {
    format!("{}:{id}", work.as_str())
}

/// What a task says; `None` when it says something that no version of this program would.
pub(crate) fn read_task(bytes: &[u8]) -> Option<(Work, &str)> {
    let (work, id) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
    let work = Work::ALL.iter().copied().find(|one| one.as_str() == work)?;
    let fits = !id.is_empty() && id.len() <= 200 && id.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some((work, id))
}

/// The queue of this process.
pub(crate) struct Queue {
    options: QueueOptions,
    file: file::QueueFile,
    /// What this process has pushed and not yet seen begun, so that it isn't pushed again.
    waiting: Mutex<HashMap<(Work, String), Instant>>,
    /// Wakes the worker of a kind when something was pushed for it.
    bells: HashMap<Work, Arc<AtomicWaker>>,
    /// How many wait in the file, as last counted, and when that was. Held over a whole push.
    counted: tokio::sync::Mutex<HashMap<Work, (usize, Instant)>>,
}

/// The file is counted again after this long; in between, pushes are added up.
const COUNT_AGAIN: Duration = Duration::from_millis(500);
/// What was pushed and not begun after this long is taken for lost and pushed again.
const PUSH_AGAIN: Duration = Duration::from_secs(30);
/// Finished tasks are deleted so many at a time.
const TIDY_BATCH: i64 = 500;

impl Queue {
    /// A queue in this file; the file is opened, and made, when it is first needed.
    pub(crate) fn new(options: QueueOptions) -> Self {
        let file = file::QueueFile::new(options.path.clone());
        Self {
            options,
            file,
            waiting: Mutex::default(),
            bells: Work::ALL.iter().map(|work| (*work, Arc::default())).collect(),
            counted: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn options(&self) -> &QueueOptions {
        &self.options
    }

    /// What rings when something was pushed.
    pub(crate) fn bell(&self, work: Work) -> Arc<AtomicWaker> {
        self.bells.get(&work).map(Arc::clone).unwrap_or_default()
    }

    /// The open file.
    pub(crate) async fn pool(&self) -> Result<SqlitePool, QueueError> {
        self.file.pool().await
    }

    /// Tries whether the file can be used; puts nothing aside.
    pub(crate) async fn probe(&self) -> Result<(), QueueError> {
        self.file.probe().await
    }

    /// Looks whether the file is sound, and puts a new one in its place when it isn't.
    pub(crate) async fn mend(&self) {
        self.file.mend().await;
    }

    /// Puts the file aside and starts an empty one: workers keep dying on it.
    pub(crate) async fn start_over(&self) {
        self.file.put_aside().await;
        self.forget_waiting(None);
    }

    /// Pushes those ids that don't wait already, as many as there is room for; answers how many.
    /// One transaction. What finds no room is found again by the sweep.
    pub(crate) async fn feed(&self, work: Work, ids: &[String]) -> Result<usize, QueueError> {
        let mut counted = self.counted.lock().await;
        let waiting = self.count(&mut counted, work).await?;
        let room = self.options.most_waiting.saturating_sub(waiting);
        let new = self.not_waiting(work, ids, room);
        if new.is_empty() {
            return Ok(0);
        }
        let pool = self.file.pool().await?;
        let mut storage = SqliteStorage::<Vec<u8>>::new(&pool).with_config(self.config(work));
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
        if let Some((count, _)) = counted.get_mut(&work) {
            *count = count.saturating_add(new.len());
        }
        self.bell(work).wake();
        Ok(new.len())
    }

    /// A worker begins with it: from here on its claim tells that it is taken.
    pub(crate) fn begun(&self, work: Work, id: &str) {
        let mut held = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&(work, id.to_owned()));
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
        Ok(deleted)
    }

    /// Closes the file.
    pub(crate) async fn close(&self) {
        self.file.close().await;
    }

    fn config(&self, work: Work) -> apalis_sqlite::Config {
        worker::config(work, 1)
    }

    /// How many wait in the file. When none does, nothing that this process remembers waits
    /// either: somebody emptied it.
    async fn count(&self, counted: &mut HashMap<Work, (usize, Instant)>, work: Work) -> Result<usize, QueueError> {
        if let Some((count, at)) = counted.get(&work)
            && at.elapsed() < COUNT_AGAIN
            && *count < self.options.most_waiting
        {
            return Ok(*count);
        }
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
        metrics::gauge!("eencent_queue_depth", "work" => work.as_str())
            .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        counted.insert(work, (count, Instant::now()));
        Ok(count)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_task_reads_as_what_was_written(id in "[a-z]{3}_[0-9A-Z]{26}") {
            for work in Work::ALL {
                let text = task_text(*work, &id);
                prop_assert_eq!(read_task(text.as_bytes()), Some((*work, id.as_str())));
            }
        }

        #[test]
        fn anything_else_is_no_task(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some((work, id)) = read_task(&bytes) {
                prop_assert_eq!(task_text(work, id).into_bytes(), bytes);
            }
        }
    }
}
