//! All e-mails held back, at once and on all machines, until somebody lets them go again.
//!
//! What is being handed over at that moment goes on. Nothing is lost and no attempt is counted: rows wait, and when
//! they are let go each has its whole time again, however long it was held back.

use serde::{Deserialize, Serialize};

use super::Desk;
use crate::clock::Timestamp;
use crate::refused::DeskError;
use crate::store::{Store, StoreError, json, to_json};

/// Who holds e-mails back, since when and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailStop {
    /// Since when.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Store {
    /// Whether e-mails are held back.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn mail_stop(&self) -> Result<Option<MailStop>, StoreError> {
        let row = sqlx::query("SELECT value FROM remembered WHERE name = 'mail_stopped'")
            .fetch_optional(self.reader())
            .await?;
        row.map(|row| json(&row, "value")).transpose()
    }
}

impl Desk {
    /// Holds all e-mails back. `false` when they are already; then nothing changes.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn stop_mail(&self, by: &str, reason: &str) -> Result<bool, DeskError> {
        let stop = to_json(&MailStop {
            at: self.now(),
            by: by.to_owned(),
            reason: reason.to_owned(),
        })?;
        let sql = "INSERT INTO remembered (name, value) VALUES ('mail_stopped', $1) ON CONFLICT (name) DO NOTHING";
        self.turn_mail(sql, &stop, "mail_stopped", (by, reason)).await
    }

    /// Lets them go again. `false` when none are held back.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn start_mail(&self, by: &str, reason: &str) -> Result<bool, DeskError> {
        let sql = "DELETE FROM remembered WHERE name = $1";
        self.turn_mail(sql, "mail_stopped", "mail_started", (by, reason)).await
    }

    async fn turn_mail(
        &self,
        sql: &'static str,
        value: &str,
        act: &str,
        (by, reason): (&str, &str),
    ) -> Result<bool, DeskError> {
        let mut work = self.begin().await?;
        let turned = sqlx::query(sql)
            .bind(value)
            .execute(&mut *work.tx)
            .await?
            .rows_affected()
            > 0;
        if turned {
            // While they are held back nothing reads this; let go after four days, all would be given up at once.
            let whole = self.now().plus(super::moves::GIVE_UP_AFTER).micros();
            sqlx::query("UPDATE emails SET give_up_at = $1 WHERE state = 'waiting' AND give_up_at < $1")
                .bind(whole)
                .execute(&mut *work.tx)
                .await?;
            self.note_by(&mut work, by, (act, "mail"), reason)?;
        }
        self.commit(work).await?;
        Ok(turned)
    }
}
