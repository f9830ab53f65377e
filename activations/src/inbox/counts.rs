//! How many messages were taken and refused, by endpoint and minute, for the overview.
//!
//! Counted in memory and added to the store every few seconds: a row for each message would be as dear as the message,
//! and a flood of refusals is recorded in samples only. A crash loses the last seconds of the counts, never a message.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::notification::Refusal;
use crate::store::many::{Columns, Many};
use crate::store::{Store, StoreError};

/// How often they are added to the store.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Minute, what, and of what: in one order everywhere, or two receivers could wait for each other.
type Key = (i64, &'static str, String);

/// What was counted and isn't in the store yet.
#[derive(Default)]
pub(super) struct Counts(Mutex<BTreeMap<Key, i64>>);

impl Counts {
    pub(super) fn taken(&self, endpoint: String, at: Timestamp) {
        self.add("taken", endpoint, at, 1);
    }

    pub(super) fn refused(&self, refusal: &Refusal) {
        // Neither has a space in it.
        let part = format!("{} {}", refusal.endpoint, refusal.code);
        self.add("refused", part, refusal.received_at, 1);
    }

    fn add(&self, what: &'static str, part: String, at: Timestamp, many: i64) {
        let minute = at.unix_seconds().div_euclid(60);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((minute, what, part)).or_default();
        *count = count.saturating_add(many);
    }

    /// Adds them to the store; where it fails they are added the next time.
    pub(super) async fn keep(&self, store: &Store) {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counted.is_empty() {
            return;
        }
        let rows: Vec<(Key, i64)> = counted.into_iter().collect();
        if let Err(error) = add(store, &rows).await {
            tracing::debug!(error = %error, "the counts of messages could not be kept; they are with the next ones");
            for ((minute, what, part), many) in rows {
                self.add(
                    what,
                    part,
                    Timestamp::from_unix_seconds(minute.saturating_mul(60)),
                    many,
                );
            }
        }
    }
}

async fn add(store: &Store, rows: &[(Key, i64)]) -> Result<(), StoreError> {
    const ADD: Many<'static> = Many {
        head: "INSERT INTO tallies (minute, what, part, many)",
        columns: Columns::Inserted(4),
        tail: " ON CONFLICT (minute, what, part) DO UPDATE SET many = tallies.many + excluded.many",
    };
    let mut tx = store.begin().await?;
    ADD.execute(&mut tx, rows, |query, ((minute, what, part), many)| {
        query.bind(*minute).bind(*what).bind(part.as_str()).bind(*many)
    })
    .await?;
    Ok(tx.commit().await?)
}
