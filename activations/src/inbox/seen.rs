//! What has been seen before: repeats, contradictions, and what only fills in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::notification::{Event, PaymentNotification, PaymentStatus, Receipt, Told};
use crate::store::{Store, StoreError, Tx, json, text, to_json};

/// What an event says about money; decides whether two say the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Facts {
    #[serde(default)]
    payment: Option<String>,
    status: Option<String>,
    amount: Option<crate::money::Money>,
    holder: Option<crate::personal::HolderName>,
    account_number: Option<crate::personal::AccountNumber>,
    reference: Option<crate::notification::ReferenceHint>,
    mode: Option<crate::notification::Mode>,
}

impl Facts {
    fn of(told: &Told) -> Self {
        let payment = match told {
            Told::Payment(payment) => Some(payment.as_ref()),
            Told::Ignored(_) | Told::Quarantined(_) => None,
        };
        Self {
            payment: payment.map(|p| p.payment_id.clone()),
            status: payment.map(|p| p.status.as_str().to_owned()),
            amount: payment.and_then(|p| p.amount),
            holder: payment.and_then(|p| p.holder.clone()),
            account_number: payment.and_then(|p| p.account_number.clone()),
            reference: payment.and_then(|p| p.reference.clone()),
            mode: payment.and_then(|p| p.mode),
        }
    }

    /// Whether `later` contradicts: both say something, and it differs.
    fn contradicted_by(&self, later: &Self) -> bool {
        fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        differ(self.status.as_ref(), later.status.as_ref())
            || differ(self.amount.as_ref(), later.amount.as_ref())
            || differ(self.holder.as_ref(), later.holder.as_ref())
            || differ(self.account_number.as_ref(), later.account_number.as_ref())
            || differ(self.reference.as_ref(), later.reference.as_ref())
            || differ(self.mode.as_ref(), later.mode.as_ref())
    }

    /// Whether `later` fills in what is missing here.
    fn supplemented_by(&self, later: &Self) -> bool {
        (self.amount.is_none() && later.amount.is_some())
            || (self.holder.is_none() && later.holder.is_some())
            || (self.account_number.is_none() && later.account_number.is_some())
            || (self.reference.is_none() && later.reference.is_some())
    }
}

/// What became of one event of a message.
pub(super) enum Taken {
    New,
    Repeat { of: String },
    Conflict { with: String, about_money: bool },
}

/// Compares an event with what was seen, and remembers it.
pub(super) async fn recognise(tx: &mut Tx, receipt: &Receipt, event: &Event, id: &str) -> Result<Taken, StoreError> {
    let digest = hex::encode(event.digest);
    let facts = Facts::of(&event.told);
    let seen = Seen {
        account: &receipt.account,
        at: receipt.received_at,
        id,
        digest: &digest,
        facts: &facts,
    };
    let event_key = format!("event:{}", event.event_id);
    if let Some(earlier) = seen.look_up(tx, &event_key).await? {
        if earlier.digest == digest {
            return Ok(Taken::Repeat { of: earlier.event });
        }
        // The same contradiction again is a repeat of itself.
        let conflict_key = format!("conflict:{}:{digest}", event.event_id);
        if let Some(again) = seen.look_up(tx, &conflict_key).await? {
            return Ok(Taken::Repeat { of: again.event });
        }
        seen.remember(tx, &conflict_key).await?;
        return Ok(Taken::Conflict {
            about_money: earlier.facts != facts,
            with: earlier.event,
        });
    }
    seen.remember(tx, &event_key).await?;
    let Told::Payment(payment) = &event.told else {
        return Ok(Taken::New);
    };
    let payment_key = payment_key(payment);
    let Some(earlier) = seen.look_up(tx, &payment_key).await? else {
        seen.remember(tx, &payment_key).await?;
        return Ok(Taken::New);
    };
    if earlier.facts.contradicted_by(&facts) {
        // Refunds come in parts, and an amount on its way may grow: only what is paid is fixed.
        if payment.status == PaymentStatus::Paid {
            return Ok(Taken::Conflict {
                with: earlier.event,
                about_money: true,
            });
        }
        return Ok(Taken::New);
    }
    if earlier.facts.supplemented_by(&facts) {
        seen.replace(tx, &payment_key).await?;
        return Ok(Taken::New);
    }
    Ok(Taken::Repeat { of: earlier.event })
}

/// A kind of message that never carries the name is another aspect of the payment than the one that
/// does: neither repeats the other.
fn payment_key(payment: &PaymentNotification) -> String {
    let aspect = if payment.name_comes_separately { ":unnamed" } else { "" };
    format!("payment:{}:{}{aspect}", payment.payment_id, payment.status.as_str())
}

struct Seen<'a> {
    account: &'a str,
    at: Timestamp,
    id: &'a str,
    digest: &'a str,
    facts: &'a Facts,
}

struct Earlier {
    event: String,
    digest: String,
    facts: Facts,
}

impl Seen<'_> {
    async fn look_up(&self, tx: &mut Tx, key: &str) -> Result<Option<Earlier>, StoreError> {
        let row = sqlx::query("SELECT event, digest, facts FROM seen WHERE account = $1 AND seen_key = $2")
            .bind(self.account)
            .bind(key)
            .fetch_optional(&mut **tx)
            .await?;
        row.map(|row| {
            Ok(Earlier {
                event: text(&row, "event")?,
                digest: text(&row, "digest")?,
                facts: json(&row, "facts")?,
            })
        })
        .transpose()
    }

    async fn remember(&self, tx: &mut Tx, key: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO seen (account, seen_key, event, digest, facts, seen_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.account)
        .bind(key)
        .bind(self.id)
        .bind(self.digest)
        .bind(to_json(self.facts)?)
        .bind(self.at.micros())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    async fn replace(&self, tx: &mut Tx, key: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE seen SET facts = $1 WHERE account = $2 AND seen_key = $3")
            .bind(to_json(self.facts)?)
            .bind(self.account)
            .bind(key)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// How long what was seen is remembered, whatever else is purged: Adyen sends again for 30 days, and
/// a chargeback may come after a year.
const SEEN_FOR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Store {
    /// Forgets what was seen over 400 days ago, a bounded number at a time; how many.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn forget_seen(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let gone = sqlx::query(
            "DELETE FROM seen WHERE seen_at < $1 AND seen_at <= \
             (SELECT MAX(seen_at) FROM (SELECT seen_at FROM seen ORDER BY seen_at LIMIT 500) AS oldest)",
        )
        .bind(now.minus(SEEN_FOR).micros())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}
