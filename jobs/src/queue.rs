//! The queue: says "look here" to the workers, and nothing else. The only place that knows apalis.
//!
//! A task is the text `{work}:{id}`, or of several ids with spaces between them, which share the transactions of
//! their work. What it is about stands in the rows; losing a task costs a
//! second until the sweep tells it again, and telling it twice costs one look. So the queue may be
//! emptied, broken or deleted at any moment, and this module never lets it be more than a hint:
//!
//! - [`mod@embedded`]: in a SQLite file, for one process; [`mod@file`] opens that with our own options, and
//!   mends it by putting it aside.
//! - [`mod@redis`]: a Redis, shared by several machines.
//! - [`worker`]: runs one apalis worker until it ends, for whatever reason.
//! - [`mod@nudge`]: hints from after a commit, batched into pushes.
//! - this file: feeding (never past a bound, never what already waits) and tidying.
//!
//! What is known of apalis 1.0 and of its SQLite backend, and how it can't hurt here:
//!
//! | | trap | here |
//! |---|---|---|
//! | A1 | an idle worker looks every 30 s | our own stream wakes it when something is pushed, and every 100 ms or, where nobody else pushes, every second |
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
//! | R1 | from 8,000 due tasks on, Redis hands out none | at most `queue.most_waiting`, which can't be set beyond 5,000 |
//! | R2 | its keys against repeats don't hold | our own (`mod@redis`); the claim decides |
//! | R3 R7 | its counts and pauses of attempts are its own | handlers always answer Ok; the rows count |
//! | R4 | a name can't be used again for minutes | a fresh name for each start; dead after 15 s |
//! | R5 | half a second without an answer ends a worker | our own connection, 10 s; supervisor |
//! | R6 | an acknowledgement that comes late ends a worker | supervisor; the claim decides |
//! | R8 R10 | its statistics and its leases fail | not used |
//! | R9 | nothing is ever deleted | own deletes in small batches |
//! | R12 | with `persist_results(false)` nothing is acknowledged, and a dead worker's finished tasks run again (found here) | results are persisted, and deleted with their tasks |
//! | R11 | Redis may lose everything | the sweep |
//! | S8 | an acknowledgement reads every task its worker ever finished (found here, not in the list the other rows are from) | the index that misleads it is dropped; finished tasks are deleted |

mod embedded;
mod file;
mod nudge;
mod redis;
mod worker;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_redis;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eencent_activations::failpoint::{self, Moment};
use eencent_activations::ledger::Work;

pub(crate) use nudge::push_hints;
pub use nudge::{Feeder, QueueNudge, nudge};
pub(crate) use redis::RedisAddress;
pub(crate) use worker::{Bell, Handler, Intervals, ROUNDS, WorkerEnd, work_until};

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
    /// No Redis at its address.
    #[error("the Redis of queue.url ({address}) can't be used; check that it runs, the address and the password")]
    Redis {
        /// Where it should be, without a password.
        address: String,
        /// Why it can't be used.
        #[source]
        source: ::redis::RedisError,
    },
    /// Redis failed.
    #[error("Redis gave an error")]
    Command(#[from] ::redis::RedisError),
    /// apalis failed on Redis.
    #[error("the queue on Redis gave an error")]
    PushToRedis(#[from] apalis_redis::Error),
}

/// Where a queue is.
#[derive(Debug, Clone)]
pub(crate) enum QueueAddress {
    /// In a SQLite file.
    File(PathBuf),
    /// On a Redis.
    Redis(RedisAddress),
}

/// How many rows of each kind one task may point to: so many share the transactions of their work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Groups {
    /// Of events.
    pub(crate) events: usize,
    /// Of approvals.
    pub(crate) approvals: usize,
    /// Of e-mails.
    pub(crate) emails: usize,
}

impl Groups {
    /// One row a task.
    #[cfg(test)]
    pub(crate) const ALONE: Self = Self {
        events: 1,
        approvals: 1,
        emails: 1,
    };

    /// Those of a kind whose rows are worked on one by one are alone.
    pub(crate) const fn of(self, work: Work) -> usize {
        match work {
            Work::Event => self.events,
            Work::Approval => self.approvals,
            Work::Email => self.emails,
            Work::Reread | Work::Checkout | Work::Delivery | Work::Names => 1,
        }
    }
}

/// How the queue is to behave.
#[derive(Debug, Clone)]
pub(crate) struct QueueOptions {
    /// Where it is.
    pub(crate) address: QueueAddress,
    /// At most this many rows of one kind wait in it.
    pub(crate) most_waiting: usize,
    /// How often an idle worker looks, where others push as well.
    pub(crate) poll_interval: Duration,
    /// How many rows a task may point to.
    pub(crate) groups: Groups,
}

/// The task that says: look at these rows.
pub(crate) fn task_text<S: AsRef<str>>(work: Work, ids: &[S]) -> String {
    let mut text = format!("{}:", work.as_str());
    for (place, id) in ids.iter().enumerate() {
        if place > 0 {
            text.push(' ');
        }
        text.push_str(id.as_ref());
    }
    text
}

/// What a task says; `None` when it says something that no version of this program would. A version that put one
/// row in a task wrote the same.
pub(crate) fn read_task(bytes: &[u8]) -> Option<(Work, Vec<&str>)> {
    let (work, ids) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
    let work = Work::ALL.iter().copied().find(|one| one.as_str() == work)?;
    let fits = |id: &&str| !id.is_empty() && id.len() <= 200 && id.bytes().all(|b| b.is_ascii_graphic());
    let ids: Vec<&str> = ids.split(' ').collect();
    ids.iter().all(fits).then_some((work, ids))
}

/// The queue of this process.
pub(crate) struct Queue {
    options: QueueOptions,
    place: Place,
    /// Wakes the worker of a kind when something was pushed for it.
    bells: HashMap<Work, Arc<Bell>>,
}

/// What became of a push.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// So many rows are new in the queue.
    pub(crate) new: usize,
    /// So many wait in it now.
    pub(crate) waiting: usize,
}

/// What holds its tasks.
enum Place {
    File(embedded::FileQueue),
    Redis(redis::RedisQueue),
}

/// Who has a bell looks this often without it.
const IDLE: Duration = Duration::from_secs(1);
/// What was pushed and not begun after this long is taken for lost and pushed again.
const PUSH_AGAIN: Duration = Duration::from_secs(30);
/// Finished tasks are deleted so many at a time.
const TIDY_BATCH: i64 = 500;

impl Queue {
    /// A queue at its address, which is opened when it is first needed.
    pub(crate) fn new(options: QueueOptions) -> Self {
        let place = match options.address.clone() {
            QueueAddress::File(path) => Place::File(embedded::FileQueue::new(path)),
            QueueAddress::Redis(address) => Place::Redis(redis::RedisQueue::new(address)),
        };
        Self {
            options,
            place,
            bells: Work::ALL.iter().map(|work| (*work, Arc::default())).collect(),
        }
    }

    /// What rings when something was pushed.
    pub(crate) fn bell(&self, work: Work) -> Arc<Bell> {
        self.bells.get(&work).map(Arc::clone).unwrap_or_default()
    }

    /// When its idle workers look. Into the file only this process pushes, and rings; for what another machine pushed
    /// into a Redis nobody does.
    pub(crate) fn intervals(&self) -> Intervals {
        let after_a_bell = self.options.poll_interval;
        let idle = match &self.place {
            Place::File(_) => after_a_bell.max(IDLE),
            Place::Redis(_) => after_a_bell,
        };
        Intervals { after_a_bell, idle }
    }

    /// Opens it; an error that only somebody who changes a setting can mend.
    pub(crate) async fn must_be_ours(&self) -> Result<(), QueueError> {
        match &self.place {
            Place::File(file) => match file.file.pool().await {
                Err(error @ QueueError::Foreign { .. }) => Err(error),
                _ => Ok(()),
            },
            Place::Redis(_) => Ok(()),
        }
    }

    /// Tries whether it can be used; changes nothing.
    pub(crate) async fn probe(&self) -> Result<(), QueueError> {
        match &self.place {
            Place::File(file) => file.file.probe().await,
            Place::Redis(redis) => redis.probe().await,
        }
    }

    /// Looks whether it is sound, and mends what can be mended from here.
    pub(crate) async fn mend(&self) {
        match &self.place {
            Place::File(file) => file.file.mend().await,
            // A new connection, in case it is the connection.
            Place::Redis(redis) => redis.close().await,
        }
    }

    /// Starts empty: workers keep dying on it. A Redis is others' too, and stays as it is.
    pub(crate) async fn start_over(&self) {
        match &self.place {
            Place::File(file) => file.start_over().await,
            Place::Redis(redis) => redis.close().await,
        }
    }

    /// Pushes those ids that don't wait already, as many as there is room for; answers how many.
    /// What finds no room is found again by the sweep.
    pub(crate) async fn feed(&self, work: Work, ids: &[String]) -> Result<usize, QueueError> {
        self.push(work, ids, self.options.most_waiting).await
    }

    /// The same for what has waited already. A quarter of the room is kept for what is fresh: on a Monday
    /// morning nobody who pays then waits behind everybody who paid since Friday.
    pub(crate) async fn feed_backlog(&self, work: Work, ids: &[String]) -> Result<usize, QueueError> {
        self.push(work, ids, self.backlog_room()).await
    }

    /// So many rows of a kind may wait in it before no more of the backlog is taken in.
    pub(crate) const fn backlog_room(&self) -> usize {
        let most = self.options.most_waiting;
        most - most / 4
    }

    /// How many rows of a kind wait in it.
    pub(crate) async fn waiting(&self, work: Work) -> Result<usize, QueueError> {
        match &self.place {
            Place::File(file) => file.waiting(work).await,
            Place::Redis(redis) => redis.waiting(work).await,
        }
    }

    async fn push(&self, work: Work, ids: &[String], most: usize) -> Result<usize, QueueError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let group = self.options.groups.of(work);
        let Pushed { new, waiting } = match &self.place {
            Place::File(file) => file.push(work, ids, most, group).await?,
            Place::Redis(redis) => redis.push(work, ids, most, group).await?,
        };
        metrics::gauge!("eencent_queue_depth", "work" => work.as_str())
            .set(f64::from(u32::try_from(waiting).unwrap_or(u32::MAX)));
        if new > 0 {
            failpoint::pass(Moment::TaskPushed);
            self.bell(work).ring();
        }
        Ok(new)
    }

    /// They were claimed, or there is nothing to do: from here on their claims tell that they are taken.
    pub(crate) async fn begun(&self, work: Work, ids: &[&str]) {
        match &self.place {
            Place::File(file) => file.begun(work, ids),
            Place::Redis(redis) => {
                if let Err(error) = redis.begun(work, ids).await {
                    // They leave by themselves; until then the rows aren't told again.
                    tracing::debug!(work = work.as_str(), %error, "Redis wasn't told what was begun");
                }
            }
        }
    }

    /// Deletes what is finished, and workers that are long gone; answers how many tasks.
    pub(crate) async fn tidy(&self) -> Result<u64, QueueError> {
        match &self.place {
            Place::File(file) => file.tidy().await,
            Place::Redis(redis) => {
                let mut deleted = 0_u64;
                for work in Work::ALL {
                    deleted = deleted.saturating_add(redis.tidy(*work).await?);
                }
                Ok(deleted)
            }
        }
    }

    /// Closes it.
    pub(crate) async fn close(&self) {
        match &self.place {
            Place::File(file) => file.file.close().await,
            Place::Redis(redis) => redis.close().await,
        }
    }

    #[cfg(test)]
    pub(crate) async fn pool(&self) -> Result<sqlx::SqlitePool, QueueError> {
        match &self.place {
            Place::File(file) => file.file.pool().await,
            Place::Redis(_) => Err(sqlx::Error::PoolClosed.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_task_reads_as_what_was_written(ids in proptest::collection::vec("[a-z]{3}_[0-9A-Z]{26}", 1..70)) {
            for work in Work::ALL {
                let text = task_text(*work, &ids);
                prop_assert_eq!(read_task(text.as_bytes()), Some((*work, ids.iter().map(String::as_str).collect())));
            }
        }

        #[test]
        fn anything_else_is_no_task(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some((work, ids)) = read_task(&bytes) {
                prop_assert_eq!(task_text(work, &ids).into_bytes(), bytes.clone());
            }
        }
    }
}
