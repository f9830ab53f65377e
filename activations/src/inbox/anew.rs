//! Stored messages, translated again by today's code: what could not be read before waits now, and what was read
//! otherwise is looked at again.
//!
//! An event keeps its row. Looking at one again that was processed does no harm: a payment's picture only moves forward,
//! and every move is made from the state that it belongs to. What a person dropped stays dropped, and a row that a worker
//! is at is left alone.

use serde::Serialize;
use serde_json::Value;

use super::rereads;
use super::seen::{Anew, read_anew};
use super::taking::row_id;
use crate::clock::Timestamp;
use crate::notification::{Event, Receipt, Told};
use crate::store::{Store, StoreError, Tx, json, maybe_number, text, to_json};
use crate::trace;

/// What reading one event again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// It could not be read, or was of no concern; now it tells of a payment, and waits.
    Readable,
    /// It tells of the payment otherwise than before, and waits.
    Otherwise,
    /// It is of no concern, by today's code.
    OfNoConcern,
    /// It says the same; it was set apart, or all are looked at again, and waits.
    Again,
    /// It says the same, and is left as it is.
    Same,
    /// It tells less than what is stored, since not all of a request is kept; it is left as it is.
    Poorer,
    /// It still can't be read.
    Unreadable,
    /// A person dropped it, or a worker is at it.
    LeftAlone,
}

impl Reading {
    /// What it is, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Readable => "could not be read or used before, and tell of a payment now",
            Self::Otherwise => "tell of their payment otherwise than before",
            Self::OfNoConcern => "could not be read before, and are of no concern",
            Self::Again => "say the same, and are looked at again",
            Self::Same => "say the same",
            Self::Poorer => "tell less than what is stored, and are left as they are",
            Self::Unreadable => "still can't be read",
            Self::LeftAlone => "were dropped by a person, or are being worked on",
        }
    }

    /// Whether it waits to be processed now.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Readable | Self::Otherwise | Self::Again)
    }
}

/// An event as it is stored.
struct Stored {
    kind: String,
    state: String,
    told: Value,
    untouchable: bool,
}

/// Reads the events of a stored message again, each as today's code translates it; `all`: also those that were
/// processed and say the same. The rows that wait then, and what each reading came to.
pub(crate) async fn read_again(
    store: &Store,
    tx: &mut Tx,
    receipt: &Receipt,
    all: bool,
    now: Timestamp,
) -> Result<Vec<(String, Reading)>, StoreError> {
    let mut readings = Vec::with_capacity(receipt.events.len());
    let mut was_unreadable = false;
    for (position, event) in receipt.events.iter().enumerate() {
        let id = format!("{}_{position}", row_id("evt", &receipt.request_id));
        let reading = match stored(store, tx, &id, now).await? {
            Some(stored) => {
                was_unreadable |= stored.kind == "quarantined";
                read_one(tx, receipt, event, &id, stored, all, now).await?
            }
            // A part of what could not be read as a whole; otherwise it was a repeat, and has no row.
            None if was_unreadable => match insert(tx, receipt, event, &id).await? {
                Some(reading) => reading,
                None => continue,
            },
            None => continue,
        };
        if reading.waits() && event.reread.is_some() {
            let here = trace::here();
            rereads::ask(tx, receipt, event, (&id, &id), here.as_deref()).await?;
        }
        readings.push((id, reading));
    }
    Ok(readings)
}

async fn stored(store: &Store, tx: &mut Tx, id: &str, now: Timestamp) -> Result<Option<Stored>, StoreError> {
    let sql = format!(
        "SELECT t.kind, t.state, t.told, t.dropped_at, t.lease_until FROM events t WHERE t.id = $1{}",
        store.held("t")
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let held = maybe_number(&row, "lease_until")?.is_some_and(|until| until > store.lease_time(now).micros());
    Ok(Some(Stored {
        kind: text(&row, "kind")?,
        state: text(&row, "state")?,
        told: json(&row, "told")?,
        untouchable: held || maybe_number(&row, "dropped_at")?.is_some(),
    }))
}

async fn read_one(
    tx: &mut Tx,
    receipt: &Receipt,
    event: &Event,
    id: &str,
    stored: Stored,
    all: bool,
    now: Timestamp,
) -> Result<Reading, StoreError> {
    if stored.untouchable {
        return Ok(Reading::LeftAlone);
    }
    let was_payment = matches!(stored.kind.as_str(), "payment" | "conflict");
    match &event.told {
        Told::Payment(payment) => {
            let told = serde_json::to_value(payment).map_err(|error| StoreError::Unreadable(error.to_string()))?;
            let same = was_payment && told == stored.told;
            let reading = match (was_payment, same) {
                (false, _) => Reading::Readable,
                (true, false) if is_poorer(&told, &stored.told) => return Ok(Reading::Poorer),
                (true, false) => Reading::Otherwise,
                (true, true) if stored.state == "quarantined" || (all && stored.state == "processed") => Reading::Again,
                (true, true) => return Ok(Reading::Same),
            };
            let anew = read_anew(tx, &receipt.account, receipt.received_at, id, event).await?;
            let kind = match (&anew.contradicts, stored.kind.as_str()) {
                (Some(_), _) | (None, "conflict") => "conflict",
                _ => "payment",
            };
            sqlx::query(
                "UPDATE events SET kind = $1, event_id = $2, payment_id = $3, told = $4, \
                 conflicts_with = COALESCE((SELECT id FROM events WHERE id = $5), conflicts_with), state = 'waiting', \
                 processed_at = NULL, starts = 0, attempts = 0, next_attempt_at = NULL, last_error = NULL WHERE id = $6",
            )
            .bind(kind)
            .bind(event.event_id.as_str())
            .bind(payment.payment_id.as_str())
            .bind(told.to_string())
            .bind(anew.contradicts.as_deref())
            .bind(id)
            .execute(&mut **tx)
            .await?;
            Ok(reading)
        }
        Told::Ignored(why) if stored.kind == "quarantined" => {
            sqlx::query(
                "UPDATE events SET kind = 'ignored', state = 'ignored', told = $1, processed_at = $2 WHERE id = $3",
            )
            .bind(to_json(why)?)
            .bind(now.micros())
            .bind(id)
            .execute(&mut **tx)
            .await?;
            Ok(Reading::OfNoConcern)
        }
        Told::Quarantined(_) if stored.kind == "quarantined" => Ok(Reading::Unreadable),
        // It was read before and isn't now: what it said then stays.
        Told::Ignored(_) | Told::Quarantined(_) => Ok(Reading::Same),
    }
}

/// Whether something is missing that was there, or less of it is proven.
fn is_poorer(told: &Value, stored: &Value) -> bool {
    let missing = stored.as_object().is_some_and(|fields| {
        let gone = |name: &String| told.get(name).is_none_or(Value::is_null);
        fields.iter().any(|(name, value)| !value.is_null() && gone(name))
    });
    let whole = |value: &Value| {
        let proof = value.get("proof").and_then(Value::as_str);
        proof.is_some_and(|proof| proof.starts_with("whole") || proof == "read_back")
    };
    missing || (whole(stored) && !whole(told))
}

/// An event that had no row of its own; `None` where it was told elsewhere, or tells of no payment.
async fn insert(tx: &mut Tx, receipt: &Receipt, event: &Event, id: &str) -> Result<Option<Reading>, StoreError> {
    let Told::Payment(payment) = &event.told else {
        return Ok(None);
    };
    let Anew { new_event, contradicts } = read_anew(tx, &receipt.account, receipt.received_at, id, event).await?;
    if !new_event {
        return Ok(None);
    }
    let kind = if contradicts.is_some() { "conflict" } else { "payment" };
    sqlx::query(
        "INSERT INTO events (id, notification_id, account, event_id, kind, payment_id, told, received_at, state, conflicts_with) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', (SELECT id FROM events WHERE id = $9))",
    )
    .bind(id)
    .bind(row_id("ntf", &receipt.request_id))
    .bind(receipt.account.as_str())
    .bind(event.event_id.as_str())
    .bind(kind)
    .bind(payment.payment_id.as_str())
    .bind(to_json(payment)?)
    .bind(receipt.received_at.micros())
    .bind(contradicts.as_deref())
    .execute(&mut **tx)
    .await?;
    Ok(Some(Reading::Readable))
}
