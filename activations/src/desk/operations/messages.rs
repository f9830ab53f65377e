//! Notifications with their events; and one of them, its body masked.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::no_such_row;
use super::shapes::{list, stands};
use super::sought::{List, Page, Sought, Standing};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::ledger::Work;
use crate::ledger::attempts::AttemptView;
use crate::masking::{masked_body, masked_json, masked_text};
use crate::refused::DeskError;
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, instant, json, maybe_instant, maybe_text, named, number, text};

/// A verified message.
#[derive(Debug, Clone, Serialize)]
pub struct MessageRow {
    /// Its id.
    pub id: String,
    /// The endpoint that it came to.
    pub endpoint: String,
    /// The provider.
    pub provider: String,
    /// Whether it is about live money.
    pub mode: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// The id of the request, as it was answered.
    pub request_id: String,
    /// How it was proven.
    pub proven_by: String,
    /// When its body was purged.
    pub emptied_at: Option<Timestamp>,
    /// What it says.
    pub events: Vec<MessageEvent>,
}

/// One event of a message.
#[derive(Debug, Clone, Serialize)]
pub struct MessageEvent {
    /// Its id.
    pub id: String,
    /// The provider's id of it.
    pub event_id: String,
    /// `payment`, `conflict`, `ignored` or `quarantined`.
    pub kind: String,
    /// How its row of work stands.
    pub standing: Standing,
    /// The provider's id of the payment.
    pub payment_id: Option<String>,
    /// The activation that it concerns.
    pub activation: Option<String>,
    /// When it was dealt with.
    pub processed_at: Option<Timestamp>,
    /// How often it came again.
    pub repeats: i64,
    /// What went wrong last, or why it is of no concern or can't be read.
    pub why: Option<String>,
}

/// One message with all that is kept of it.
#[derive(Debug, Clone, Serialize)]
pub struct MessagePage {
    /// The message.
    pub message: MessageRow,
    /// Names of the headers that were kept; their values are signatures.
    pub headers: Vec<String>,
    /// The body, with whatever is about persons masked; `None` once it is purged.
    pub body: Option<String>,
    /// How many bytes it has.
    pub bytes: usize,
    /// What each event was read as, masked, by its id.
    pub told: HashMap<String, Value>,
    /// What went wrong with each event, by its id; the newest first.
    pub attempts: HashMap<String, Vec<AttemptView>>,
}

const COLUMNS: &str = "t.endpoint AS endpoint, t.provider AS provider, t.mode AS mode, t.received_at AS received_at, \
     t.request_id AS request_id, t.proven_by AS proven_by, t.emptied_at AS emptied_at";

pub(super) fn messages(sought: &Sought, now: Timestamp, activation: Option<String>) -> List {
    let mut few = Vec::new();
    let mut more = Vec::new();
    match sought.standing {
        Some(Standing::Done) => more.push((
            "NOT EXISTS (SELECT 1 FROM events e WHERE e.notification_id = t.id AND e.state IN ('waiting', 'quarantined'))".to_owned(),
            Vec::new(),
        )),
        Some(standing) => {
            let mut those = stands(Work::Event, standing).replace("t.", "e.");
            if standing == Standing::PutOff {
                those.push_str(" AND e.attempts > 0");
            }
            few.push((format!("t.id IN (SELECT e.notification_id FROM events e WHERE {those})"), Vec::new()));
        }
        None => {}
    }
    if let Some(said) = &sought.text {
        // Whatever names an event names its message.
        let events = Sought {
            text: Some(said.clone()),
            ..Sought::default()
        };
        let events = list(Work::Event, &events, now, activation).few;
        for (condition, mut values) in events {
            let said = said.trim().to_owned();
            values.extend([said.clone(), said]);
            let those = format!(
                "t.id IN (SELECT x.notification_id FROM events x WHERE {}) OR t.id = ? OR t.request_id = ?",
                condition.replace("t.id", "x.id")
            );
            few.push((those, values));
        }
    }
    if let Some(wanted) = &sought.of {
        more.push((
            "t.endpoint = ? OR t.provider = ?".to_owned(),
            vec![wanted.clone(), wanted.clone()],
        ));
    }
    List {
        table: "notifications",
        id: "id",
        prefix: Some("ntf"),
        joins: "",
        columns: COLUMNS.to_owned(),
        time: "t.received_at",
        few,
        more,
    }
}

fn read(row: &AnyRow) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        id: text(row, "row_id")?,
        endpoint: text(row, "endpoint")?,
        provider: text(row, "provider")?,
        mode: text(row, "mode")?,
        received_at: instant(row, "received_at")?,
        request_id: text(row, "request_id")?,
        proven_by: text(row, "proven_by")?,
        emptied_at: maybe_instant(row, "emptied_at")?,
        events: Vec::new(),
    })
}

/// Why an event isn't about a payment stands where otherwise the payment does.
fn event(row: &AnyRow) -> Result<MessageEvent, StoreError> {
    let told: Value = json(row, "told")?;
    let why = maybe_text(row, "last_error")?.or_else(|| told.as_str().map(str::to_owned));
    Ok(MessageEvent {
        id: text(row, "id")?,
        event_id: text(row, "event_id")?,
        kind: text(row, "kind")?,
        standing: named(row, "standing", Standing::parse)?,
        payment_id: maybe_text(row, "payment_id")?,
        activation: maybe_text(row, "activation_id")?,
        processed_at: maybe_instant(row, "processed_at")?,
        repeats: number(row, "repeats")?,
        why: why.map(|why| masked_text(&why)),
    })
}

impl Desk {
    /// Notifications with their events. `of` is an endpoint or a provider; the text an id of ours or of the provider's,
    /// a payment, a request, or a reference. How they stand is how one of their events does.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn messages(&self, sought: &Sought) -> Result<Page<MessageRow>, DeskError> {
        let activation = self.activation_named(sought.text.as_deref()).await?;
        let list = messages(sought, self.now(), activation);
        let mut page = list.page(&self.store, sought, read).await?;
        self.with_events(&mut page.rows).await?;
        Ok(page)
    }

    async fn with_events(&self, messages: &mut [MessageRow]) -> Result<HashMap<String, Value>, DeskError> {
        const EVENTS: Many<'static> = Many {
            head: "WITH asked (row_id) AS (",
            columns: Columns::Typed(&["TEXT"]),
            tail: ") SELECT e.id, e.notification_id, e.event_id, e.kind, e.payment_id, e.told, e.processed_at, e.activation_id, \
                   e.repeats, e.last_error, CASE WHEN e.dropped_at IS NOT NULL THEN 'dropped' WHEN e.state = 'quarantined' THEN 'failed' \
                   WHEN e.state <> 'waiting' THEN 'done' WHEN e.attempts > 0 THEN 'put_off' ELSE 'waiting' END AS standing \
                   FROM asked JOIN events e ON e.notification_id = asked.row_id",
        };
        let ids: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
        let mut connection = self.store.reader().acquire().await?;
        let rows = EVENTS
            .fetch(&mut connection, &ids, |query, id| query.bind(id.as_str()))
            .await?;
        let mut events: HashMap<String, Vec<MessageEvent>> = HashMap::new();
        let mut told = HashMap::new();
        for row in &rows {
            let one = event(row)?;
            told.insert(one.id.clone(), masked_json(json(row, "told")?));
            events.entry(text(row, "notification_id")?).or_default().push(one);
        }
        for message in messages {
            message.events = events.remove(&message.id).unwrap_or_default();
            message.events.sort_by(|a, b| a.id.cmp(&b.id));
        }
        Ok(told)
    }

    /// One message with all that is kept of it, by its id.
    ///
    /// # Errors
    /// Refused when there is none.
    pub async fn message(&self, id: &str) -> Result<MessagePage, DeskError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT t.id AS row_id, {COLUMNS}, t.headers AS headers, t.body AS body FROM notifications t WHERE t.id = $1"
        )))
        .bind(id)
        .fetch_optional(self.store.reader())
        .await?
        .ok_or_else(no_such_row)?;
        let mut message = [read(&row)?];
        let told = self.with_events(&mut message).await?;
        let [message] = message;
        let mut attempts = HashMap::new();
        for event in &message.events {
            let mut all = self.store.attempts_at(Work::Event, &event.id).await?;
            for attempt in &mut all {
                attempt.error = masked_text(&attempt.error);
            }
            attempts.insert(event.id.clone(), all);
        }
        let headers: Vec<(String, String)> = json(&row, "headers")?;
        let body: Vec<u8> = row.try_get("body")?;
        Ok(MessagePage {
            headers: headers.into_iter().map(|(name, _)| name).collect(),
            body: message.emptied_at.is_none().then(|| masked_body(&body)),
            bytes: body.len(),
            told,
            attempts,
            message,
        })
    }
}
