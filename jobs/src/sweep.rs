//! Finds the rows that wait and tells the queue: the part that works when everything else forgets.
//!
//! Hints get lost: the channel was full, the process died between commit and hint, somebody emptied
//! the queue. The rows don't. So every second each kind of work is asked what is due, and a
//! batch of it or two go to the queue, never past the queue's bound: on Monday 09:00 fifty thousand
//! approvals may be due at once, and they come in portions. Most of a portion are the oldest, so that nobody
//! waits for ever; the rest are the newest, and hints have room of their own, so that whoever pays on Monday
//! doesn't wait behind the weekend. While the queue holds enough for the workers, the rows aren't asked: those that
//! would be found are mostly those that wait in it.

use std::sync::Arc;
use std::time::Duration;

use eencent_activations::clock::Clock;
use eencent_activations::ledger::Work;
use tokio_util::sync::CancellationToken;

use crate::queue::Queue;
use crate::rows::{Rows, told};

/// Finds rows and feeds the queue.
pub(crate) struct Sweep {
    pub(crate) rows: Arc<dyn Rows>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How often it looks.
    pub(crate) interval: Duration,
    /// How many rows of each kind it takes at a look.
    pub(crate) batch: u32,
}

/// With a full batch there is more; it looks again this soon.
const MORE: Duration = Duration::from_millis(50);

impl Sweep {
    /// Until `stop`.
    pub(crate) async fn run(self, stop: &CancellationToken) {
        loop {
            let mut more = false;
            for work in Work::ALL {
                more |= self.look(*work).await;
            }
            let pause = if more { MORE.min(self.interval) } else { self.interval };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One look; answers whether there was more than a batch, or may be.
    pub(crate) async fn look(&self, work: Work) -> bool {
        // Where the queue doesn't answer it is looked all the same, and feeding it tells why.
        let waiting = self.queue.waiting(work).await.unwrap_or_default();
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        if waiting > self.enough() {
            return true;
        }
        // Those that wait in the queue are found as well. One of two limits, so that there are few texts to prepare.
        let limit = match waiting {
            0 => self.batch,
            _ => self.batch.saturating_add(self.enough()),
        };
        let due = match self.rows.due(work, self.clock.now(), limit).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(work = work.as_str(), error = told(&error), "could not look for rows");
                return false;
            }
        };
        match self.queue.feed_backlog(work, &due).await {
            Ok(fed) if fed > 0 => tracing::debug!(work = work.as_str(), fed, "fed the queue"),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(
                    work = work.as_str(),
                    error = told(&error.into()),
                    "could not feed the queue"
                );
            }
        }
        u32::try_from(due.len()).unwrap_or(u32::MAX) >= limit
    }

    /// More than so many waiting in the queue are enough: at most a batch, and at most half of the backlog's room.
    fn enough(&self) -> u32 {
        let room = u32::try_from(self.queue.backlog_room()).unwrap_or(u32::MAX);
        self.batch.min(room / 2)
    }
}
