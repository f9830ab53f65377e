//! What has to be read from a provider's API, kept as rows that wait.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::ledger::{Claim, end_well};
use crate::notification::{Event, PaymentStatus, Receipt, Told};
use crate::store::{Store, StoreError, Tx, instant, maybe_text, text};

/// The same subject isn't asked about more often than this, however often a message says so: pings that
/// nobody signs must not turn us against the provider's API.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);

/// Something to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Through which endpoint's settings.
    pub endpoint: String,
    /// What, in the provider's own words.
    pub subject: String,
    /// Where the payment stands by the message that asked, if it said so.
    pub claimed: Option<PaymentStatus>,
    /// Since when it is to be read.
    pub asked_at: Timestamp,
}

/// Remembers that an event wants something read; the row's id when it waits now. Of the two ids, the second is the one
/// that the event has, or as a repeat would have had: two endpoints of one account may hear of one event, and
/// each reads through its own settings. Whoever asked last is whose trace goes on.
pub(super) async fn ask(
    tx: &mut Tx,
    receipt: &Receipt,
    event: &Event,
    (event_row, unique): (&str, &str),
    traceparent: Option<&str>,
) -> Result<Option<String>, StoreError> {
    let Some(subject) = &event.reread else {
        return Ok(None);
    };
    let claimed = match &event.told {
        Told::Payment(payment) => Some(payment.status.as_str()),
        Told::Ignored(_) | Told::Quarantined(_) => None,
    };
    let now = receipt.received_at;
    let row = sqlx::query(
        "INSERT INTO rereads (id, endpoint, subject, event, claimed, asked_at, state, traceparent) \
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $9) \
         ON CONFLICT (endpoint, subject) DO UPDATE SET \
           event = excluded.event, claimed = excluded.claimed, asked_at = excluded.asked_at, state = 'waiting', dropped_at = NULL, \
           traceparent = excluded.traceparent, \
           next_attempt_at = CASE \
             WHEN rereads.state = 'answered' AND rereads.answered_at > $7 THEN rereads.answered_at + $8 \
             WHEN rereads.state = 'waiting' THEN rereads.next_attempt_at \
             ELSE NULL END \
         RETURNING id",
    )
    .bind(unique.replacen("evt_", "rrd_", 1))
    .bind(receipt.endpoint.as_str())
    .bind(subject.as_str())
    .bind(event_row)
    .bind(claimed)
    .bind(now.micros())
    .bind(now.minus(AT_MOST_EVERY).micros())
    .bind(i64::try_from(AT_MOST_EVERY.as_micros()).unwrap_or(i64::MAX))
    .bind(traceparent)
    .fetch_one(&mut **tx)
    .await?;
    text(&row, "id").map(Some)
}

impl Store {
    /// What a claimed row wants read.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn question(&self, claim: &Claim) -> Result<Question, StoreError> {
        let row = sqlx::query("SELECT endpoint, subject, claimed, asked_at FROM rereads WHERE id = $1")
            .bind(claim.id.as_str())
            .fetch_one(self.reader())
            .await?;
        Ok(Question {
            endpoint: text(&row, "endpoint")?,
            subject: text(&row, "subject")?,
            claimed: maybe_text(&row, "claimed")?.and_then(|word| PaymentStatus::parse(&word)),
            asked_at: instant(&row, "asked_at")?,
        })
    }

    /// It was read, and what it said is committed. Ends the claim; when it was asked again meanwhile, it
    /// waits again, until it may be asked about again.
    ///
    /// # Errors
    /// When the store fails or the lease was lost; it is then read once more, without harm.
    pub async fn was_read(&self, claim: &Claim, asked_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let set = format!(
            // Not "later": another machine's clock may be behind.
            "state = CASE WHEN asked_at <> {} THEN 'waiting' ELSE 'answered' END, answered_at = {}, attempts = 0,",
            asked_at.micros(),
            now.micros()
        );
        end_well(&mut tx, claim, &set).await?;
        sqlx::query("UPDATE rereads SET next_attempt_at = $1 WHERE id = $2 AND state = 'waiting'")
            .bind(now.plus(AT_MOST_EVERY).micros())
            .bind(claim.id.as_str())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
