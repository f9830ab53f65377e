//! Carries SQLite's log over into the database while others write.
//!
//! SQLite does that by itself within the commit that finds the log long, and whoever waits for that commit waits
//! for all of it: tens of milliseconds. Here it is done beside the commits, a piece at a time; what is left for
//! them is the moment at which the log starts again from its beginning. If we crash, the log is read at the next
//! start, as always.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::AnyPool;

/// How often it is looked whether something was written.
const EVERY: Duration = Duration::from_millis(100);

/// How many transactions that write were begun.
#[derive(Debug, Clone, Default)]
pub(super) struct Writes(Arc<AtomicU64>);

impl Writes {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Until the pool is closed, or the last other holder of `writes` is gone.
pub(super) async fn beside(pool: AnyPool, writes: Writes) {
    let mut seen = 0;
    while !pool.is_closed() && Arc::strong_count(&writes.0) > 1 {
        tokio::time::sleep(EVERY).await;
        let now = writes.0.load(Ordering::Relaxed);
        if now == seen {
            continue;
        }
        seen = now;
        // Where it fails, the commits do it.
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_all(&pool).await {
            tracing::debug!(%error, "the log was not carried over");
        }
    }
}
