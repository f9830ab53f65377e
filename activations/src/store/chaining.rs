//! Entries of the audit from before it was a chain: bound into it once, when the schema is brought up to date.

use crate::audit::Link;
use crate::desk::noting::salted;
use crate::entropy::OsEntropy;

use super::{Store, StoreError, instant, number, text};

impl Store {
    /// Chains the entries that have no hash yet; does nothing when there are none.
    pub(super) async fn chain_what_was(&self) -> Result<(), StoreError> {
        let unchained = "SELECT number FROM audit_head WHERE hash = ''";
        if sqlx::query(unchained).fetch_optional(&self.read).await?.is_none() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let held = format!("{unchained}{}", self.held("audit_head"));
        if sqlx::query(sqlx::AssertSqlSafe(held))
            .fetch_optional(&mut *tx)
            .await?
            .is_none()
        {
            // Another machine was first.
            return Ok(());
        }
        let rows = sqlx::query("SELECT number, id, at, actor, act, subject, reason FROM audit ORDER BY number")
            .fetch_all(&mut *tx)
            .await?;
        let mut hash = String::new();
        for row in &rows {
            let (salt, digest) = salted(&OsEntropy, &text(row, "reason")?)?;
            hash = Link {
                number: number(row, "number")?,
                at: instant(row, "at")?,
                id: &text(row, "id")?,
                actor: &text(row, "actor")?,
                act: &text(row, "act")?,
                subject: &text(row, "subject")?,
                reason_digest: &digest,
                line: None,
            }
            .hash(&hash);
            sqlx::query("UPDATE audit SET reason_salt = $1, reason_digest = $2, hash = $3 WHERE number = $4")
                .bind(salt)
                .bind(digest)
                .bind(hash.as_str())
                .bind(number(row, "number")?)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("UPDATE audit_head SET hash = $1")
            .bind(hash)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
