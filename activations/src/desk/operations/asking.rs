//! Schedules that a person wants to run now. The row waits for a process that works; whoever takes it runs it.

use serde::Serialize;

use super::Order;
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::refused::DeskError;
use crate::store::{StoreError, instant, text};

/// A schedule that waits to be run, and the last time that it ran.
#[derive(Debug, Clone, Serialize)]
pub struct AskedSchedule {
    /// Its name.
    pub schedule: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Desk {
    /// Asks for a schedule to run now, once on all machines together. `false` when it waits to be run already.
    ///
    /// # Errors
    /// Refused without a reason; or when the store doesn't answer.
    pub async fn ask_schedule(&self, schedule: &str, order: Order<'_>) -> Result<bool, DeskError> {
        order.check()?;
        let mut work = self.begin().await?;
        let asked = sqlx::query(
            "INSERT INTO asked_schedules (schedule, at, actor, reason) VALUES ($1, $2, $3, $4) ON CONFLICT (schedule) DO NOTHING",
        )
        .bind(schedule)
        .bind(self.now().micros())
        .bind(order.actor.to_string())
        .bind(order.reason)
        .execute(&mut *work.tx)
        .await?;
        if asked.rows_affected() == 0 {
            return Ok(false);
        }
        self.note(&mut work, order.actor, "schedule asked for", schedule, order.reason)
            .await?;
        self.commit(work).await?;
        Ok(true)
    }

    /// Whether this process is the one that runs a schedule that was asked for.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn take_asked_schedule(&self, schedule: &str) -> Result<bool, DeskError> {
        let waits = sqlx::query("SELECT at FROM asked_schedules WHERE schedule = $1")
            .bind(schedule)
            .fetch_optional(self.store.reader())
            .await?;
        if waits.is_none() {
            return Ok(false);
        }
        let mut work = self.begin().await?;
        let taken = sqlx::query("DELETE FROM asked_schedules WHERE schedule = $1")
            .bind(schedule)
            .execute(&mut *work.tx)
            .await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        // It ran at this moment, beside its own times.
        sqlx::query(
            "INSERT INTO schedule_runs (schedule, fire_at) VALUES ($1, $2) ON CONFLICT (schedule, fire_at) DO NOTHING",
        )
        .bind(schedule)
        .bind(self.now().micros())
        .execute(&mut *work.tx)
        .await?;
        self.commit(work).await?;
        Ok(true)
    }

    /// Schedules that wait to be run.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn asked_schedules(&self) -> Result<Vec<AskedSchedule>, DeskError> {
        let rows = sqlx::query("SELECT schedule, at, actor, reason FROM asked_schedules ORDER BY at")
            .fetch_all(self.store.reader())
            .await?;
        let one = |row| -> Result<AskedSchedule, StoreError> {
            Ok(AskedSchedule {
                schedule: text(row, "schedule")?,
                at: instant(row, "at")?,
                by: text(row, "actor")?,
                reason: text(row, "reason")?,
            })
        };
        Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
    }

    /// When each schedule ran last, by its name; those that every process runs for itself are not among them.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn schedules_ran(&self) -> Result<Vec<(String, Timestamp)>, DeskError> {
        let rows =
            sqlx::query("SELECT schedule, MAX(fire_at) AS at FROM schedule_runs GROUP BY schedule ORDER BY schedule")
                .fetch_all(self.store.reader())
                .await?;
        let one = |row| -> Result<_, StoreError> { Ok((text(row, "schedule")?, instant(row, "at")?)) };
        Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
    }
}
