//! Events on their way to the platform: to whom each goes, and what became of it.
//!
//! A delivery is written in the transaction of the move that its event tells of, one for each endpoint that wants
//! its type. If we crash between the platform's yes and our record, it is delivered again, under the same id:
//! receivers know a repeat by it.

use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::ledger::{Claim, Work, end_well};
use crate::refused::DeskError;
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, instant, maybe_instant, maybe_text, number, text};
use crate::trace;

/// Who is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The endpoint's name in the settings.
    pub endpoint: String,
    /// The types that it wants; none: all.
    pub types: Vec<String>,
}

impl Listener {
    fn wants(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|one| one == kind)
    }
}

/// What is to be delivered.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The event's id, the same at every attempt and for every endpoint.
    pub event: String,
    /// To which endpoint of the settings.
    pub endpoint: String,
    /// The event, as JSON: the same bytes at every attempt.
    pub payload: String,
    /// After this instant nobody tries any more.
    pub give_up_at: Timestamp,
}

/// What became of one delivery.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DeliveryView {
    /// Of which event.
    pub event: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of which activation.
    pub activation: String,
    /// To which endpoint.
    pub endpoint: String,
    /// When it was to be told.
    pub created_at: Timestamp,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// When the platform took it.
    pub delivered_at: Option<Timestamp>,
    /// How often an attempt failed.
    pub attempts: i64,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// An event goes to an endpoint.
pub(super) struct NewDelivery {
    pub id: String,
    pub event: String,
    pub endpoint: String,
    pub activation_id: String,
    pub number: i64,
    pub created_at: Timestamp,
    pub give_up_at: Timestamp,
    /// What it comes of.
    pub traceparent: Option<String>,
}

const INSERT: Many<'static> = Many {
    head: "INSERT INTO deliveries (id, event_id, endpoint, activation_id, number, created_at, give_up_at, state, traceparent)",
    columns: Columns::Inserted(9),
    tail: "",
};

const VIEWS: &str = "SELECT e.id, e.type, d.activation_id, d.endpoint, d.created_at, d.state, d.delivered_at, d.attempts, \
     d.next_attempt_at, d.last_error FROM deliveries d JOIN outgoing_events e ON e.id = d.event_id";

pub(super) async fn write(work: &mut Desking, new: &[NewDelivery]) -> Result<(), StoreError> {
    INSERT
        .execute(&mut work.tx, new, |query, one| {
            query
                .bind(one.id.as_str())
                .bind(one.event.as_str())
                .bind(one.endpoint.as_str())
                .bind(one.activation_id.as_str())
                .bind(one.number)
                .bind(one.created_at.micros())
                .bind(one.give_up_at.micros())
                .bind("waiting")
                .bind(one.traceparent.as_deref())
        })
        .await?;
    Ok(())
}

impl Desk {
    /// Notes to whom an event goes: to the endpoint of that name, or, where it is empty, to all that want it.
    pub(super) fn address(
        &self,
        work: &mut Desking,
        event: (&str, &str),
        to: &str,
        of: (&str, i64),
        (now, traceparent): (Timestamp, Option<String>),
    ) -> Result<(), DeskError> {
        let ((event, kind), (activation, number)) = (event, of);
        let wanting = self.rules.listeners.iter().filter(|one| one.wants(kind));
        for listener in wanting.filter(|one| to.is_empty() || one.endpoint == to) {
            let id = self.new_id("dlv")?;
            work.will_wait(Work::Delivery, &id);
            work.pending.deliveries.push(NewDelivery {
                id,
                event: event.to_owned(),
                endpoint: listener.endpoint.clone(),
                activation_id: activation.to_owned(),
                number,
                created_at: now,
                give_up_at: now.plus(super::moves::GIVE_UP_AFTER),
                traceparent: traceparent.clone(),
            });
        }
        Ok(())
    }

    /// What a claimed row delivers.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn parcel(&self, claim: &Claim) -> Result<Parcel, DeskError> {
        let row = sqlx::query(
            "SELECT d.event_id, d.endpoint, d.give_up_at, e.payload FROM deliveries d \
             JOIN outgoing_events e ON e.id = d.event_id WHERE d.id = $1",
        )
        .bind(claim.id.as_str())
        .fetch_one(self.store.reader())
        .await?;
        Ok(Parcel {
            event: text(&row, "event_id")?,
            endpoint: text(&row, "endpoint")?,
            payload: text(&row, "payload")?,
            give_up_at: instant(&row, "give_up_at")?,
        })
    }

    /// The platform has taken it. Ends the claim, and hints at the next one of the activation.
    ///
    /// # Errors
    /// When the store fails or the lease was lost.
    pub async fn delivered(&self, claim: &Claim) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        let set = format!("state = 'delivered', delivered_at = {},", self.now().micros());
        end_well(&mut work.tx, claim, &set).await?;
        let next = sqlx::query(
            "SELECT n.id FROM deliveries d JOIN deliveries n ON n.activation_id = d.activation_id AND n.endpoint = d.endpoint \
             AND n.number > d.number AND n.state = 'waiting' WHERE d.id = $1 ORDER BY n.number LIMIT 1",
        )
        .bind(claim.id.as_str())
        .fetch_optional(&mut *work.tx)
        .await?;
        if let Some(next) = next {
            work.will_wait(Work::Delivery, &text(&next, "id")?);
        }
        self.commit(work).await
    }

    /// Delivers again: the event with this id, or, without one, all that were given up, since an instant. To one
    /// endpoint or to all that are in the settings. Who asks for it and why goes into the audit. Answers how many
    /// deliveries will be made.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn deliver_again(
        &self,
        event: Option<&str>,
        endpoint: Option<&str>,
        since: Timestamp,
        (by, reason): (&str, &str),
    ) -> Result<usize, DeskError> {
        let now = self.now();
        let mut work = self.begin_group().await?;
        let rows = match event {
            Some(event) => {
                sqlx::query("SELECT id, type, activation_id, number, $2 AS wanted FROM outgoing_events WHERE id = $1")
                    .bind(event)
                    .bind(endpoint.unwrap_or_default())
                    .fetch_all(&mut *work.tx)
                    .await?
            }
            None => {
                sqlx::query(
                    "SELECT DISTINCT e.id, e.type, e.activation_id, e.number, d.endpoint AS wanted \
                     FROM outgoing_events e JOIN deliveries d ON d.event_id = e.id AND d.state = 'failed' AND d.dropped_at IS NULL \
                     WHERE e.created_at >= $1 AND ($2 = '' OR d.endpoint = $2) AND NOT EXISTS (SELECT 1 FROM deliveries l \
                     WHERE l.event_id = e.id AND l.endpoint = d.endpoint AND l.state <> 'failed') ORDER BY e.id",
                )
                .bind(since.micros())
                .bind(endpoint.unwrap_or_default())
                .fetch_all(&mut *work.tx)
                .await?
            }
        };
        let here = trace::here();
        for row in &rows {
            let (id, kind, wanted) = (text(row, "id")?, text(row, "type")?, text(row, "wanted")?);
            let (activation, line) = (text(row, "activation_id")?, number(row, "number")?);
            self.address(
                &mut work,
                (&id, &kind),
                &wanted,
                (&activation, line),
                (now, here.clone()),
            )?;
        }
        let many = work.pending.deliveries.len();
        if many > 0 {
            let subject = event.unwrap_or("all that were given up");
            self.note_by(&mut work, by, ("delivered_again", subject), reason)?;
        }
        self.commit(work).await?;
        Ok(many)
    }

    /// Deliveries since an instant that are in a state (`waiting`, `delivered`, `failed`; all when `None`), the
    /// newest first, at most `limit`.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn deliveries(
        &self,
        state: Option<&str>,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<DeliveryView>, DeskError> {
        let sql = format!(
            "{VIEWS} WHERE d.created_at >= $1 AND ($2 = '' OR d.state = $2) ORDER BY d.created_at DESC, d.id DESC LIMIT {limit}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(since.micros())
            .bind(state.unwrap_or_default())
            .fetch_all(self.store.reader())
            .await?;
        Ok(rows.iter().map(view).collect::<Result<_, _>>()?)
    }

    pub(super) async fn deliveries_of(&self, activation: &str) -> Result<Vec<DeliveryView>, StoreError> {
        let sql = format!("{VIEWS} WHERE d.activation_id = $1 ORDER BY d.number, d.created_at");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(activation)
            .fetch_all(self.store.reader())
            .await?;
        rows.iter().map(view).collect()
    }
}

fn view(row: &sqlx::any::AnyRow) -> Result<DeliveryView, StoreError> {
    Ok(DeliveryView {
        event: text(row, "id")?,
        kind: text(row, "type")?,
        activation: text(row, "activation_id")?,
        endpoint: text(row, "endpoint")?,
        created_at: instant(row, "created_at")?,
        state: text(row, "state")?,
        delivered_at: maybe_instant(row, "delivered_at")?,
        attempts: number(row, "attempts")?,
        next_attempt_at: maybe_instant(row, "next_attempt_at")?,
        last_error: maybe_text(row, "last_error")?,
    })
}
