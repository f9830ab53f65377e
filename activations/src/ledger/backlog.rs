//! How much waits, for metrics and the overview.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::Work;
use crate::clock::Timestamp;
use crate::store::{Store, StoreError, instant, number};

/// How much waits, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What: a kind of work, or a state of activations.
    pub what: String,
    /// How many rows.
    pub count: i64,
    /// Age of the oldest; zero when there is none.
    pub oldest: Duration,
}

impl Store {
    /// How much waits, for metrics: each kind of work, what was set apart, and each state of an activation that isn't final.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn waiting(&self, now: Timestamp) -> Result<Vec<Waiting>, StoreError> {
        let mut all = Vec::new();
        for work in Work::ALL {
            let sql = format!(
                "SELECT COUNT(*) AS many, COALESCE(MIN({}), $1) AS oldest FROM {} WHERE {}",
                work.since(),
                work.table(),
                work.waiting()
            );
            let row = sqlx::query(AssertSqlSafe(sql))
                .bind(now.micros())
                .fetch_one(self.reader())
                .await?;
            all.push(waiting(work.as_str(), &row, now)?);
        }
        let quarantined =
            "SELECT COUNT(*) AS many, COALESCE(MIN(received_at), $1) AS oldest FROM events WHERE state = 'quarantined'";
        let row = sqlx::query(quarantined)
            .bind(now.micros())
            .fetch_one(self.reader())
            .await?;
        all.push(waiting("quarantined", &row, now)?);
        let unallocated = "SELECT COUNT(*) AS many, COALESCE(MIN(received_at), $1) AS oldest FROM payments WHERE standing = 'unallocated'";
        let row = sqlx::query(unallocated)
            .bind(now.micros())
            .fetch_one(self.reader())
            .await?;
        all.push(waiting("unallocated", &row, now)?);
        for state in crate::state::State::ALL.iter().filter(|state| !state.is_final()) {
            let sql = "SELECT COUNT(*) AS many, COALESCE(MIN(h.at), $1) AS oldest FROM activations a \
                       JOIN history h ON h.activation_id = a.id AND h.number = a.version WHERE a.state = $2";
            let row = sqlx::query(sql)
                .bind(now.micros())
                .bind(state.as_str())
                .fetch_one(self.reader())
                .await?;
            all.push(waiting(state.as_str(), &row, now)?);
        }
        Ok(all)
    }
}

fn waiting(what: &str, row: &sqlx::any::AnyRow, now: Timestamp) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        what: what.to_owned(),
        count: number(row, "many")?,
        oldest: now.since(instant(row, "oldest")?),
    })
}
