//! Bank statements that somebody imported: who did, and what was new in them.

use super::{Actor, Desk};
use crate::refused::DeskError;
use crate::store::number;

impl Desk {
    /// Records that a statement was imported; `subject` names the file and its contents' hash.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn statement_imported(&self, actor: &Actor, subject: &str, what: &str) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        self.note(&mut work, actor, "statement_imported", subject, what).await?;
        self.commit(work).await
    }

    /// How many events the message of a request left behind: those that were new.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn new_events_of(&self, request_id: &str) -> Result<u64, DeskError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS many FROM events e JOIN notifications n ON n.id = e.notification_id WHERE n.request_id = $1",
        )
        .bind(request_id)
        .fetch_one(self.store.reader())
        .await?;
        Ok(u64::try_from(number(&row, "many")?).unwrap_or(0))
    }
}
