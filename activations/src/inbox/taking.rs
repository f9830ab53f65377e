//! What a group of messages writes: one transaction, and a handful of statements whatever its size.

use std::collections::{HashMap, HashSet};

use super::rereads;
use super::seen::{Arrival, Marks, Taken, recognise};
use crate::clock::Timestamp;
use crate::failpoint::{self, Moment};
use crate::ledger::Work;
use crate::notification::{Event, Receipt, Told};
use crate::store::many::{Columns, Many};
use crate::store::{Store, StoreError, Tx, to_json};
use crate::trace;

/// A message with everything computed that can be before it comes to the store: many at once, while the
/// transaction before is being written.
pub(super) struct Prepared {
    receipt: Receipt,
    notification_id: String,
    headers: String,
    /// The request's place in its trace: what is done with the events goes on from there.
    traceparent: Option<String>,
    entries: Vec<Entry>,
}

/// One event of a message.
struct Entry {
    id: String,
    marks: Marks,
    /// JSON: the notification in our words; or why it isn't one.
    told: String,
}

impl Prepared {
    pub(super) fn of(receipt: Receipt) -> Result<Self, StoreError> {
        let mut entries = Vec::with_capacity(receipt.events.len());
        for (position, event) in receipt.events.iter().enumerate() {
            entries.push(Entry {
                id: format!("{}_{position}", row_id("evt", &receipt.request_id)),
                marks: Marks::of(event)?,
                told: match &event.told {
                    Told::Payment(payment) => to_json(payment)?,
                    Told::Ignored(why) | Told::Quarantined(why) => to_json(why)?,
                },
            });
        }
        Ok(Self {
            notification_id: row_id("ntf", &receipt.request_id),
            headers: to_json(&receipt.headers)?,
            traceparent: trace::here(),
            entries,
            receipt,
        })
    }
}

/// A row's id from the request's, which is unique: `req_X` becomes `ntf_X`.
pub(super) fn row_id(prefix: &str, request_id: &str) -> String {
    let tail = request_id.split_once('_').map_or(request_id, |(_, tail)| tail);
    format!("{prefix}_{tail}")
}

/// One event on its way in.
struct Coming<'a> {
    message: &'a Prepared,
    entry: &'a Entry,
    event: &'a Event,
    taken: Taken,
}

/// Commits them, all or none; the rows that wait for work then.
pub(super) async fn commit(store: &Store, group: &[&Prepared]) -> Result<Vec<(Work, String)>, StoreError> {
    let mut tx = store.begin().await?;
    let waiting = take(store, &mut tx, group).await?;
    failpoint::pass(Moment::NotificationWritten);
    tx.commit().await?;
    failpoint::pass(Moment::NotificationCommitted);
    Ok(waiting)
}

async fn take(store: &Store, tx: &mut Tx, group: &[&Prepared]) -> Result<Vec<(Work, String)>, StoreError> {
    let coming: Vec<(&Prepared, &Entry, &Event)> = group
        .iter()
        .flat_map(|message| {
            let events = message.entries.iter().zip(&message.receipt.events);
            events.map(move |(entry, event)| (*message, entry, event))
        })
        .collect();
    let arrivals: Vec<Arrival<'_>> = coming
        .iter()
        .map(|(message, entry, _)| Arrival {
            account: &message.receipt.account,
            at: message.receipt.received_at,
            id: &entry.id,
            marks: &entry.marks,
        })
        .collect();
    let taken = recognise(store, tx, &arrivals).await?;
    let coming: Vec<Coming<'_>> = coming
        .into_iter()
        .zip(taken)
        .map(|((message, entry, event), taken)| Coming {
            message,
            entry,
            event,
            taken,
        })
        .collect();

    insert_notifications(tx, group, &coming).await?;
    let mut waiting = insert_events(tx, &coming).await?;
    count_repeats(tx, &coming).await?;
    for one in coming.iter().filter(|one| one.event.reread.is_some()) {
        // A ping about one payment always says the same, and means something new each time.
        let row = match &one.taken {
            Taken::Repeat { of } => of,
            _ => &one.entry.id,
        };
        let traceparent = one.message.traceparent.as_deref();
        let asked = rereads::ask(tx, &one.message.receipt, one.event, (row, &one.entry.id), traceparent).await?;
        waiting.extend(asked.map(|id| (Work::Reread, id)));
    }
    Ok(waiting)
}

/// The messages that say anything new.
async fn insert_notifications(tx: &mut Tx, group: &[&Prepared], coming: &[Coming<'_>]) -> Result<(), StoreError> {
    const INSERT: Many<'static> = Many {
        head: "INSERT INTO notifications \
               (id, endpoint, provider, account, mode, received_at, request_id, proven_by, headers, body)",
        columns: Columns::Inserted(10),
        tail: "",
    };
    let with_news: HashSet<&str> = coming
        .iter()
        .filter(|one| !matches!(one.taken, Taken::Repeat { .. }))
        .map(|one| one.message.notification_id.as_str())
        .collect();
    let new: Vec<&Prepared> = group
        .iter()
        .copied()
        .filter(|message| with_news.contains(message.notification_id.as_str()))
        .collect();
    INSERT
        .execute(tx, &new, |query, message| {
            let receipt = &message.receipt;
            query
                .bind(message.notification_id.as_str())
                .bind(receipt.endpoint.as_str())
                .bind(receipt.provider.as_str())
                .bind(receipt.account.as_str())
                .bind(receipt.mode.as_str())
                .bind(receipt.received_at.micros())
                .bind(receipt.request_id.as_str())
                .bind(receipt.proven_by.as_str())
                .bind(message.headers.as_str())
                .bind(receipt.body.as_slice())
        })
        .await?;
    Ok(())
}

/// Where an event stands from the start.
struct Standing {
    kind: &'static str,
    state: &'static str,
}

impl Standing {
    fn of(told: &Told, taken: &Taken) -> Option<Self> {
        let (kind, state) = match (told, taken) {
            (_, Taken::Repeat { .. }) => return None,
            (Told::Payment(_), Taken::Conflict { about_money: true, .. }) => ("conflict", "waiting"),
            (_, Taken::Conflict { about_money: true, .. }) => ("conflict", "quarantined"),
            (_, Taken::Conflict { about_money: false, .. }) => ("conflict", "processed"),
            (Told::Payment(_), Taken::New) => ("payment", "waiting"),
            (Told::Ignored(_), Taken::New) => ("ignored", "ignored"),
            (Told::Quarantined(_), Taken::New) => ("quarantined", "quarantined"),
        };
        Some(Self { kind, state })
    }
}

/// Those that are no repeats; the ones that wait for work.
async fn insert_events(tx: &mut Tx, coming: &[Coming<'_>]) -> Result<Vec<(Work, String)>, StoreError> {
    const INSERT: Many<'static> = Many {
        head: "INSERT INTO events (id, notification_id, account, event_id, kind, payment_id, told, received_at, state, \
               traceparent)",
        columns: Columns::Inserted(10),
        tail: "",
    };
    let new: Vec<(&Coming<'_>, Standing)> = coming
        .iter()
        .filter_map(|one| Some((one, Standing::of(&one.event.told, &one.taken)?)))
        .collect();
    INSERT
        .execute(tx, &new, |query, (one, standing)| {
            let payment_id = match &one.event.told {
                Told::Payment(payment) => Some(payment.payment_id.as_str()),
                Told::Ignored(_) | Told::Quarantined(_) => None,
            };
            query
                .bind(one.entry.id.as_str())
                .bind(one.message.notification_id.as_str())
                .bind(one.message.receipt.account.as_str())
                .bind(one.event.event_id.as_str())
                .bind(standing.kind)
                .bind(payment_id)
                .bind(one.entry.told.as_str())
                .bind(one.message.receipt.received_at.micros())
                .bind(standing.state)
                .bind(one.message.traceparent.as_deref())
        })
        .await?;
    let mut waiting = Vec::new();
    for (one, standing) in &new {
        if let Taken::Conflict { with, .. } = &one.taken {
            // The one it contradicts may have been purged.
            sqlx::query("UPDATE events SET conflicts_with = (SELECT id FROM events WHERE id = $1) WHERE id = $2")
                .bind(with.as_str())
                .bind(one.entry.id.as_str())
                .execute(&mut **tx)
                .await?;
        }
        if matches!(standing.kind, "conflict" | "quarantined") {
            set_apart(&one.message.receipt, standing.kind);
        }
        if standing.state == "waiting" {
            waiting.push((Work::Event, one.entry.id.clone()));
        }
    }
    Ok(waiting)
}

fn set_apart(receipt: &Receipt, kind: &'static str) {
    tracing::warn!(
        endpoint = receipt.endpoint,
        request_id = receipt.request_id,
        kind,
        "a verified notification was set apart"
    );
    metrics::counter!("eencent_events_set_apart_total", "endpoint" => receipt.endpoint.clone(), "kind" => kind)
        .increment(1);
}

async fn count_repeats(tx: &mut Tx, coming: &[Coming<'_>]) -> Result<(), StoreError> {
    const COUNT: Many<'static> = Many {
        head: "WITH repeated (id, times, at) AS (",
        columns: Columns::Typed(&["TEXT", "BIGINT", "BIGINT"]),
        tail: ") UPDATE events SET repeats = repeats + repeated.times, repeated_at = repeated.at \
               FROM repeated WHERE events.id = repeated.id",
    };
    let mut repeats: HashMap<&str, (i64, Timestamp)> = HashMap::new();
    for one in coming {
        if let Taken::Repeat { of } = &one.taken {
            let at = one.message.receipt.received_at;
            let (times, last) = repeats.entry(of).or_insert((0, at));
            *times += 1;
            *last = at.max(*last);
        }
    }
    let mut repeats: Vec<_> = repeats.into_iter().collect();
    // In one order everywhere, or two receivers could wait for each other.
    repeats.sort();
    COUNT
        .execute(tx, &repeats, |query, (id, (times, at))| {
            query.bind(*id).bind(*times).bind(at.micros())
        })
        .await?;
    Ok(())
}
