//! Endpoints from which nothing has come for longer than ever in the week before.
//!
//! A provider that gets no answer for days gives an endpoint up and tells nobody: what it would have sent is not
//! refused, it isn't there. So it is compared with what the endpoint itself is used to, nights and weekends included.
//! Found out once a minute with the counts, as a row of its own: pages and measurements read that.

use std::time::Duration;

use serde::Serialize;

use super::tally::MINUTE;
use crate::clock::Timestamp;
use crate::store::{Store, StoreError, Tx, number, text};

/// Minutes of a week: each weekday and each night is in it.
const WEEK: i64 = 7 * 24 * 60;

/// Messages in that week below which an endpoint has no habit.
const HABIT: i64 = 20;

/// Shorter silences, in minutes, are never told.
const SHORTEST: i64 = 60;

/// How many times the longest silence of the week.
const TIMES: i64 = 2;

/// Minutes for which what was found out holds: the next ones are counted by then.
const HOLDS: i64 = 3;

/// An endpoint that is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// Which.
    pub endpoint: String,
    /// Minutes since the last message that was believed.
    pub minutes: i64,
}

/// Notes which endpoints are silent at the end of a minute.
pub(super) async fn note(tx: &mut Tx, end: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tallies (minute, what, part, many) SELECT $1, 'silent', part, silence FROM \
         (SELECT part, CAST($1 AS BIGINT) - MAX(minute) AS silence, COALESCE(MAX(minute - before), 0) AS longest, SUM(many) AS many FROM \
          (SELECT part, minute, many, LAG(minute) OVER (PARTITION BY part ORDER BY minute) AS before FROM tallies \
           WHERE what = 'taken' AND minute >= $2 AND minute <= $1) AS taken GROUP BY part) AS habits \
         WHERE many >= $3 AND silence > $4 AND silence > longest * $5 \
         ON CONFLICT (minute, what, part) DO UPDATE SET many = excluded.many",
    )
    .bind(end - 1)
    .bind(end - WEEK)
    .bind(HABIT)
    .bind(SHORTEST)
    .bind(TIMES)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl Store {
    /// Which endpoints have been silent for more than an hour and more than twice as long as ever in the week before, in
    /// which they brought 20 messages or more; by name. An endpoint that was taken away counts for that week.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn silent(&self, now: Timestamp) -> Result<Vec<Silent>, StoreError> {
        let rows = sqlx::query(
            "SELECT part, MAX(many) AS many FROM tallies WHERE what = 'silent' AND minute >= $1 GROUP BY part ORDER BY part",
        )
        .bind(now.minus(Duration::from_secs(60 * HOLDS.unsigned_abs())).micros().div_euclid(MINUTE))
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Silent {
                    endpoint: text(row, "part")?,
                    minutes: number(row, "many")?,
                })
            })
            .collect()
    }
}
