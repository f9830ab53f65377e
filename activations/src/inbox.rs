//! The inbox: verified messages, committed before the provider gets its answer.
//!
//! Commits are shared. While one transaction is being written to disk, what arrives meanwhile
//! gathers; the next transaction takes all of it. A lone message waits for nobody.
//!
//! If we crash before the commit, the provider got no answer and sends again. If we crash between the
//! commit and the answer, it sends again too, and the repeat is recognised by what was committed.

mod refusals;
mod rereads;
mod seen;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::clock::Timestamp;
use crate::ledger::{Nudge, Work};
use crate::notification::{Event, Receipt, Refusal, Told};
use crate::store::{Store, StoreError, Tx, to_json};
use refusals::{Sampler, store_refusals};
pub use rereads::Question;
use seen::{Taken, recognise};

/// Most messages that share a transaction.
const LARGEST_GROUP: usize = 256;

/// Most messages that wait for one; beyond it senders are told to come back.
const WAITING_ROOM: usize = 2_048;

/// What was posted could not be stored; the provider has to send it again.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// More is waiting than can be stored soon.
    #[error("too many notifications are waiting to be stored")]
    Full,
    /// The inbox has been closed.
    #[error("the program is stopping")]
    Closed,
    /// The store refused.
    #[error("the notification could not be stored")]
    Store(#[source] Arc<StoreError>),
}

enum Item {
    Receipt(Box<Receipt>, oneshot::Sender<Result<(), InboxError>>),
    Refusal(Box<Refusal>),
    Close(oneshot::Sender<()>),
}

/// Takes verified messages and commits them. Clones share the same writer.
#[derive(Clone)]
pub struct Inbox {
    items: mpsc::Sender<Item>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

impl Inbox {
    /// Starts the writer on the current tokio runtime.
    pub fn start(store: Store, nudge: Arc<dyn Nudge>) -> Self {
        let (items, receiver) = mpsc::channel(WAITING_ROOM);
        tokio::spawn(write(store, nudge, receiver));
        Self { items }
    }

    /// Commits a message with its events. When this returns `Ok`, they survive a crash; a repeat of
    /// what was committed before is `Ok` as well.
    ///
    /// # Errors
    /// When nothing was stored, or (with [`InboxError::Closed`]) when that isn't known.
    pub async fn commit(&self, receipt: Receipt) -> Result<(), InboxError> {
        let (answer, answered) = oneshot::channel();
        let item = Item::Receipt(Box::new(receipt), answer);
        self.items.try_send(item).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => InboxError::Full,
            mpsc::error::TrySendError::Closed(_) => InboxError::Closed,
        })?;
        answered.await.unwrap_or(Err(InboxError::Closed))
    }

    /// Records, in samples, that a request was not believed. Never waits.
    pub fn refused(&self, refusal: Refusal) {
        // Dropping one of a flood is what sampling is for.
        let _ = self.items.try_send(Item::Refusal(Box::new(refusal)));
    }

    /// Ends the writer after everything that was handed in is stored.
    pub async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.items.send(Item::Close(done)).await.is_ok() {
            let _ = ended.await;
        }
    }
}

type Answer = oneshot::Sender<Result<(), InboxError>>;

async fn write(store: Store, nudge: Arc<dyn Nudge>, mut items: mpsc::Receiver<Item>) {
    let mut sampler = Sampler::default();
    let mut group = Vec::new();
    loop {
        group.clear();
        if items.recv_many(&mut group, LARGEST_GROUP).await == 0 {
            return;
        }
        let mut receipts: Vec<(Box<Receipt>, Answer)> = Vec::new();
        let mut refusals = Vec::new();
        let mut closing = None;
        for item in group.drain(..) {
            match item {
                Item::Receipt(receipt, answer) => receipts.push((receipt, answer)),
                Item::Refusal(refusal) if sampler.keeps(&refusal) => refusals.push(refusal),
                Item::Refusal(_) => {}
                Item::Close(done) => closing = Some(done),
            }
        }
        commit_receipts(&store, nudge.as_ref(), receipts).await;
        if !refusals.is_empty()
            && let Err(error) = store_refusals(&store, &refusals).await
        {
            tracing::warn!(error = %error, "a refused request could not be recorded");
        }
        if let Some(done) = closing {
            let _ = done.send(());
            return;
        }
    }
}

async fn commit_receipts(store: &Store, nudge: &dyn Nudge, receipts: Vec<(Box<Receipt>, Answer)>) {
    if receipts.is_empty() {
        return;
    }
    metrics::histogram!("eencent_inbox_group").record(u32::try_from(receipts.len()).unwrap_or(u32::MAX));
    match commit_group(store, receipts.iter().map(|(receipt, _)| receipt.as_ref())).await {
        Ok(waiting) => {
            for (_, answer) in receipts {
                let _ = answer.send(Ok(()));
            }
            for (work, id) in waiting {
                nudge.look(work, &id);
            }
        }
        Err(error) if receipts.len() == 1 => {
            let error = Arc::new(error);
            tracing::error!(error = %error, cause = ?std::error::Error::source(&*error), "a notification could not be stored");
            for (_, answer) in receipts {
                let _ = answer.send(Err(InboxError::Store(error.clone())));
            }
        }
        // One message that can't be stored must not cost the others theirs.
        Err(_) => {
            for (receipt, answer) in receipts {
                let result = commit_group(store, std::iter::once(receipt.as_ref())).await;
                let result = result.map_err(|error| InboxError::Store(Arc::new(error)));
                if let Ok(waiting) = &result {
                    waiting.iter().for_each(|(work, id)| nudge.look(*work, id));
                }
                let _ = answer.send(result.map(|_| ()));
            }
        }
    }
}

/// So often a group is tried in all when another receiver stores the same at the same moment.
const TRIES: usize = 3;

async fn commit_group(
    store: &Store,
    receipts: impl Iterator<Item = &Receipt> + Clone,
) -> Result<Vec<(Work, String)>, StoreError> {
    for _ in 1..TRIES {
        match try_commit(store, receipts.clone()).await {
            Err(error) if error.is_passing_conflict() => {}
            result => return result,
        }
    }
    try_commit(store, receipts).await
}

async fn try_commit(
    store: &Store,
    receipts: impl Iterator<Item = &Receipt>,
) -> Result<Vec<(Work, String)>, StoreError> {
    let mut tx = store.begin().await?;
    let mut waiting = Vec::new();
    for receipt in receipts {
        take(&mut tx, receipt, &mut waiting).await?;
    }
    tx.commit().await?;
    Ok(waiting)
}

async fn take(tx: &mut Tx, receipt: &Receipt, waiting: &mut Vec<(Work, String)>) -> Result<(), StoreError> {
    let notification_id = row_id("ntf", &receipt.request_id);
    let mut rows = Vec::new();
    for (position, event) in receipt.events.iter().enumerate() {
        let id = format!("{}_{position}", row_id("evt", &receipt.request_id));
        match recognise(tx, receipt, event, &id).await? {
            Taken::Repeat { of } => {
                count_repeat(tx, &of, receipt.received_at).await?;
                // A ping about one payment always says the same, and means something new each time.
                let asked = rereads::ask(tx, receipt, event, &of, &id).await?;
                waiting.extend(asked.map(|id| (Work::Reread, id)));
            }
            Taken::New => rows.push((id, event, None)),
            Taken::Conflict { with, about_money } => rows.push((id, event, Some((with, about_money)))),
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    insert_notification(tx, &notification_id, receipt).await?;
    for (id, event, conflict) in rows {
        let asked = rereads::ask(tx, receipt, event, &id, &id).await?;
        if insert_event(tx, &notification_id, receipt, &id, event, conflict).await? {
            waiting.push((Work::Event, id));
        }
        waiting.extend(asked.map(|id| (Work::Reread, id)));
    }
    Ok(())
}

/// A row's id from the request's, which is unique: `req_X` becomes `ntf_X`.
fn row_id(prefix: &str, request_id: &str) -> String {
    let tail = request_id.split_once('_').map_or(request_id, |(_, tail)| tail);
    format!("{prefix}_{tail}")
}

async fn count_repeat(tx: &mut Tx, event: &str, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE events SET repeats = repeats + 1, repeated_at = $1 WHERE id = $2")
        .bind(at.micros())
        .bind(event)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn insert_notification(tx: &mut Tx, id: &str, receipt: &Receipt) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO notifications (id, endpoint, provider, account, mode, received_at, request_id, proven_by, headers, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id)
    .bind(receipt.endpoint.as_str())
    .bind(receipt.provider.as_str())
    .bind(receipt.account.as_str())
    .bind(receipt.mode.as_str())
    .bind(receipt.received_at.micros())
    .bind(receipt.request_id.as_str())
    .bind(receipt.proven_by.as_str())
    .bind(to_json(&receipt.headers)?)
    .bind(receipt.body.as_slice())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Inserts an event; whether it waits for work.
async fn insert_event(
    tx: &mut Tx,
    notification_id: &str,
    receipt: &Receipt,
    id: &str,
    event: &Event,
    conflict: Option<(String, bool)>,
) -> Result<bool, StoreError> {
    let (told, payment_id) = match &event.told {
        Told::Payment(payment) => (to_json(payment)?, Some(payment.payment_id.as_str())),
        Told::Ignored(why) | Told::Quarantined(why) => (to_json(why)?, None),
    };
    let (kind, state) = match (&event.told, &conflict) {
        (Told::Payment(_), Some((_, true))) => ("conflict", "waiting"),
        (_, Some((_, true))) => ("conflict", "quarantined"),
        (_, Some((_, false))) => ("conflict", "processed"),
        (Told::Payment(_), None) => ("payment", "waiting"),
        (Told::Ignored(_), None) => ("ignored", "ignored"),
        (Told::Quarantined(_), None) => ("quarantined", "quarantined"),
    };
    if kind == "conflict" || kind == "quarantined" {
        tracing::warn!(
            endpoint = receipt.endpoint,
            request_id = receipt.request_id,
            kind,
            "a verified notification was set apart"
        );
        metrics::counter!("eencent_events_set_apart_total", "endpoint" => receipt.endpoint.clone(), "kind" => kind)
            .increment(1);
    }
    sqlx::query(
        "INSERT INTO events (id, notification_id, account, event_id, kind, payment_id, told, conflicts_with, received_at, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT id FROM events WHERE id = $8), $9, $10)",
    )
    .bind(id)
    .bind(notification_id)
    .bind(receipt.account.as_str())
    .bind(event.event_id.as_str())
    .bind(kind)
    .bind(payment_id)
    .bind(told)
    .bind(conflict.map(|(with, _)| with))
    .bind(receipt.received_at.micros())
    .bind(state)
    .execute(&mut **tx)
    .await?;
    Ok(state == "waiting")
}
