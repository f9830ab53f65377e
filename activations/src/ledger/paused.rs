//! Kinds of work that nobody begins, on any machine, until somebody lets them go on.
//!
//! Each claim looks at the row, so that a pause holds from its commit on. What is being worked on at that moment goes
//! on to its end. Nothing is lost and no attempt is counted: rows wait. The pause of e-mails is the stop of all mail
//! ([`mail_stop`](crate::desk::mail_stop)).

use serde::Serialize;

use super::Work;
use crate::clock::Timestamp;
use crate::store::{Store, StoreError, Tx, instant, named, text};

/// A kind of work that is held back.
#[derive(Debug, Clone, Serialize)]
pub struct Paused {
    /// Which.
    #[serde(serialize_with = "name")]
    pub work: Work,
    /// Since when.
    pub at: Timestamp,
    /// Who paused it.
    pub by: String,
    /// Why.
    pub reason: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn name<S: serde::Serializer>(work: &Work, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(work.as_str())
}

/// Whether a kind of work is held back, for a transaction that would do it without a claim.
pub(crate) async fn is_paused(tx: &mut Tx, work: Work) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT kind FROM paused WHERE kind = $1")
        .bind(work.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.is_some())
}

impl Store {
    /// What is held back, e-mails included.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn paused(&self) -> Result<Vec<Paused>, StoreError> {
        let rows = sqlx::query("SELECT kind, at, actor, reason FROM paused ORDER BY at")
            .fetch_all(self.reader())
            .await?;
        let mut paused = rows
            .iter()
            .map(|row| {
                Ok(Paused {
                    work: named(row, "kind", Work::parse)?,
                    at: instant(row, "at")?,
                    by: text(row, "actor")?,
                    reason: text(row, "reason")?,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        paused.extend(self.mail_stop().await?.map(|stop| Paused {
            work: Work::Email,
            at: stop.at,
            by: stop.by,
            reason: stop.reason,
        }));
        Ok(paused)
    }
}
