//! Counts of what happened in each minute, once it is over, by the indexes of what is counted.
//!
//! Every process that works calls [`Desk::tally`] every few seconds; one of them counts a minute. Counting one twice
//! writes the same again.

use std::time::Duration;

use super::silence;
use crate::clock::Timestamp;
use crate::desk::{Desk, Desking};
use crate::refused::DeskError;
use crate::store::{Kind, maybe_text};

/// A minute is counted this long after its end: what was begun in it has been committed.
const LATE: Duration = Duration::from_secs(10);

/// Minutes of a day: what wasn't counted for longer isn't any more.
const DAY: i64 = 24 * 60;

/// Minutes that counts are kept.
const KEPT: i64 = 8 * DAY;

pub(super) const MINUTE: i64 = 60_000_000;

/// What is counted, each by an index; `$1` and `$2` are the instants between which it happened.
const COUNTED: [&str; 3] = [
    "SELECT at / 60000000, 'decided', outcome, COUNT(*) FROM decisions WHERE at >= $1 AND at < $2 GROUP BY at / 60000000, outcome",
    "SELECT at / 60000000, CASE WHEN outcome = 'again' THEN 'failed' ELSE 'given_up' END, kind, COUNT(*) FROM attempts \
     WHERE at >= $1 AND at < $2 AND outcome IN ('again', 'given_up') \
     GROUP BY at / 60000000, CASE WHEN outcome = 'again' THEN 'failed' ELSE 'given_up' END, kind",
    "SELECT received_at / 60000000, 'set_apart', kind, COUNT(*) FROM events \
     WHERE state = 'quarantined' AND processed_at IS NULL AND received_at >= $1 AND received_at < $2 GROUP BY received_at / 60000000, kind",
];

impl Desk {
    /// Counts the minutes that are over and were not counted; whether there were any.
    ///
    /// # Errors
    /// When the store doesn't answer; they are counted the next time.
    pub async fn tally(&self) -> Result<bool, DeskError> {
        let now = self.now();
        let end = now.minus(LATE).micros().div_euclid(MINUTE);
        if self.tallied_to().await? >= end {
            return Ok(false);
        }
        let waiting = self.store.waiting(now).await?;
        let mut work = self.begin().await?;
        self.store.alone(&mut work.tx, "tally").await?;
        let from = tallied(&mut work).await?.max(end - DAY);
        if from >= end {
            return Ok(false);
        }
        for counted in COUNTED {
            let sql = format!(
                "INSERT INTO tallies (minute, what, part, many) {counted} \
                 ON CONFLICT (minute, what, part) DO UPDATE SET many = excluded.many"
            );
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(from * MINUTE)
                .bind(end * MINUTE)
                .execute(&mut *work.tx)
                .await?;
        }
        for one in waiting.iter().filter(|one| one.count > 0) {
            sqlx::query(
                "INSERT INTO tallies (minute, what, part, many) VALUES ($1, 'waiting', $2, $3) \
                 ON CONFLICT (minute, what, part) DO UPDATE SET many = excluded.many",
            )
            .bind(end - 1)
            .bind(one.what.as_str())
            .bind(one.count)
            .execute(&mut *work.tx)
            .await?;
        }
        silence::note(&mut work.tx, end).await?;
        sqlx::query("DELETE FROM tallies WHERE minute < $1")
            .bind(end - KEPT)
            .execute(&mut *work.tx)
            .await?;
        sqlx::query("INSERT INTO remembered (name, value) VALUES ('tallied_to', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(end.to_string())
            .execute(&mut *work.tx)
            .await?;
        if self.store.kind() == Kind::Sqlite {
            self.sign(&mut work, now).await?;
        }
        self.commit(work).await?;
        Ok(true)
    }

    /// A sign of life where no others are given: one process works on a SQLite database, and that it does is told by
    /// what it counts.
    async fn sign(&self, work: &mut Desking, now: Timestamp) -> Result<(), DeskError> {
        sqlx::query("DELETE FROM working WHERE instance <> $1")
            .bind(self.store.instance())
            .execute(&mut *work.tx)
            .await?;
        sqlx::query(
            "INSERT INTO working (instance, seen_at) VALUES ($1, $2) ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(self.store.instance())
        .bind(now.micros())
        .execute(&mut *work.tx)
        .await?;
        Ok(())
    }

    /// The first minute that isn't counted; 0 where none is.
    pub(super) async fn tallied_to(&self) -> Result<i64, DeskError> {
        let row = sqlx::query("SELECT value FROM remembered WHERE name = 'tallied_to'")
            .fetch_optional(self.store.reader())
            .await?;
        let value = row.map(|row| maybe_text(&row, "value")).transpose()?.flatten();
        Ok(value.and_then(|value| value.parse().ok()).unwrap_or(0))
    }
}

async fn tallied(work: &mut Desking) -> Result<i64, DeskError> {
    let row = sqlx::query("SELECT value FROM remembered WHERE name = 'tallied_to'")
        .fetch_optional(&mut *work.tx)
        .await?;
    let value = row.map(|row| maybe_text(&row, "value")).transpose()?.flatten();
    Ok(value.and_then(|value| value.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::store::{Store, text};

    #[tokio::test]
    async fn a_minute_is_counted_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/truth.db", folder.path().display()))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        for counted in COUNTED {
            let steps = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {counted}")))
                .bind(1_i64)
                .bind(2_i64)
                .fetch_all(store.reader())
                .await
                .unwrap();
            let first = text(steps.first().unwrap(), "detail").unwrap();
            assert!(first.starts_with("SEARCH "), "{counted}: {first}");
        }
    }
}
