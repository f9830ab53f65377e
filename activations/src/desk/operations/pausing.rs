//! Kinds of work held back and let go on: see [`paused`](crate::ledger::paused).

use super::Order;
use crate::desk::{Desk, moves::GIVE_UP_AFTER};
use crate::ledger::Work;
use crate::refused::DeskError;

impl Desk {
    /// Holds a kind of work back, on all machines. `false` when it is already; then nothing changes.
    ///
    /// # Errors
    /// Refused without a reason; or when the store doesn't answer.
    pub async fn pause_work(&self, work: Work, order: Order<'_>) -> Result<bool, DeskError> {
        order.check()?;
        if work == Work::Email {
            return self.stop_mail(&order.actor.to_string(), order.reason).await;
        }
        let mut desking = self.begin().await?;
        let paused = sqlx::query(
            "INSERT INTO paused (kind, at, actor, reason) VALUES ($1, $2, $3, $4) ON CONFLICT (kind) DO NOTHING",
        )
        .bind(work.as_str())
        .bind(self.now().micros())
        .bind(order.actor.to_string())
        .bind(order.reason)
        .execute(&mut *desking.tx)
        .await?;
        if paused.rows_affected() == 0 {
            return Ok(false);
        }
        self.note(&mut desking, order.actor, "work paused", work.as_str(), order.reason)
            .await?;
        self.commit(desking).await?;
        Ok(true)
    }

    /// Lets it go on. `false` when it is not held back.
    ///
    /// # Errors
    /// Refused without a reason; or when the store doesn't answer.
    pub async fn resume_work(&self, work: Work, order: Order<'_>) -> Result<bool, DeskError> {
        order.check()?;
        if work == Work::Email {
            return self.start_mail(&order.actor.to_string(), order.reason).await;
        }
        let mut desking = self.begin().await?;
        let resumed = sqlx::query("DELETE FROM paused WHERE kind = $1")
            .bind(work.as_str())
            .execute(&mut *desking.tx)
            .await?;
        if resumed.rows_affected() == 0 {
            return Ok(false);
        }
        if work == Work::Delivery {
            // Let go after four days, all would be given up at once.
            let whole = self.now().plus(GIVE_UP_AFTER).micros();
            sqlx::query("UPDATE deliveries SET give_up_at = $1 WHERE state = 'waiting' AND give_up_at < $1")
                .bind(whole)
                .execute(&mut *desking.tx)
                .await?;
        }
        self.note(&mut desking, order.actor, "work resumed", work.as_str(), order.reason)
            .await?;
        self.commit(desking).await?;
        Ok(true)
    }
}
