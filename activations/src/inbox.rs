//! The inbox: verified messages, committed before the provider gets its answer.
//!
//! Commits are shared. While one transaction is being written to disk, what arrives meanwhile
//! gathers; the next transaction takes all of it. A lone message waits for nobody.
//!
//! If we crash before the commit, the provider got no answer and sends again. If we crash between the
//! commit and the answer, it sends again too, and the repeat is recognised by what was committed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Timestamp;
use crate::ledger::{Nudge, Work};
use crate::notification::{Event, PaymentNotification, PaymentStatus, Receipt, Refusal, Told};
use crate::store::{Store, StoreError, Tx, json, text, to_json};

/// Most messages that share a transaction.
const LARGEST_GROUP: usize = 256;

/// Most messages that wait for one; beyond it senders are told to come back.
const WAITING_ROOM: usize = 2_048;

/// Most refusals of one endpoint that are recorded in a minute: a flood must not fill the disk.
const REFUSALS_A_MINUTE: u32 = 20;

/// How many refusals are kept in all.
const REFUSALS_KEPT: i64 = 10_000;

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
    metrics::histogram!("eencent_inbox_group")
        .record(u32::try_from(receipts.len()).unwrap_or(u32::MAX));
    match commit_group(store, receipts.iter().map(|(receipt, _)| receipt.as_ref())).await {
        Ok(waiting) => {
            for (_, answer) in receipts {
                let _ = answer.send(Ok(()));
            }
            for id in waiting {
                nudge.look(Work::Event, &id);
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
                    waiting.iter().for_each(|id| nudge.look(Work::Event, id));
                }
                let _ = answer.send(result.map(|_| ()));
            }
        }
    }
}

async fn commit_group(
    store: &Store,
    receipts: impl Iterator<Item = &Receipt>,
) -> Result<Vec<String>, StoreError> {
    let mut tx = store.begin().await?;
    let mut waiting = Vec::new();
    for receipt in receipts {
        take(&mut tx, receipt, &mut waiting).await?;
    }
    tx.commit().await?;
    Ok(waiting)
}

/// What an event says about money; decides whether two say the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Facts {
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
enum Taken {
    New,
    Repeat { of: String },
    Conflict { with: String, about_money: bool },
}

async fn take(tx: &mut Tx, receipt: &Receipt, waiting: &mut Vec<String>) -> Result<(), StoreError> {
    let notification_id = row_id("ntf", &receipt.request_id);
    let mut rows = Vec::new();
    for (position, event) in receipt.events.iter().enumerate() {
        let id = format!("{}_{position}", row_id("evt", &receipt.request_id));
        match recognise(tx, receipt, event, &id).await? {
            Taken::Repeat { of } => count_repeat(tx, &of, receipt.received_at).await?,
            Taken::New => rows.push((id, event, None)),
            Taken::Conflict { with, about_money } => {
                rows.push((id, event, Some((with, about_money))))
            }
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    insert_notification(tx, &notification_id, receipt).await?;
    for (id, event, conflict) in rows {
        if insert_event(tx, &notification_id, receipt, &id, event, conflict).await? {
            waiting.push(id);
        }
    }
    Ok(())
}

/// A row's id from the request's, which is unique: `req_X` becomes `ntf_X`.
fn row_id(prefix: &str, request_id: &str) -> String {
    let tail = request_id
        .split_once('_')
        .map_or(request_id, |(_, tail)| tail);
    format!("{prefix}_{tail}")
}

/// Compares an event with what was seen, and remembers it.
async fn recognise(
    tx: &mut Tx,
    receipt: &Receipt,
    event: &Event,
    id: &str,
) -> Result<Taken, StoreError> {
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
    let aspect = if payment.name_comes_separately {
        ":unnamed"
    } else {
        ""
    };
    format!(
        "payment:{}:{}{aspect}",
        payment.payment_id,
        payment.status.as_str()
    )
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
        let row = sqlx::query(
            "SELECT event, digest, facts FROM seen WHERE account = $1 AND seen_key = $2",
        )
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
        sqlx::query("INSERT INTO seen (account, seen_key, event, digest, facts, seen_at) VALUES ($1, $2, $3, $4, $5, $6)")
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
        metrics::counter!("eencent_events_set_apart_total", "endpoint" => receipt.endpoint.clone(), "kind" => kind).increment(1);
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

/// Lets through a bounded number of refusals an endpoint and minute.
#[derive(Default)]
struct Sampler {
    minute: i64,
    kept: HashMap<String, u32>,
}

impl Sampler {
    fn keeps(&mut self, refusal: &Refusal) -> bool {
        let minute = refusal.received_at.unix_seconds().div_euclid(60);
        if minute != self.minute {
            self.minute = minute;
            self.kept.clear();
        }
        let kept = self.kept.entry(refusal.endpoint.clone()).or_default();
        *kept = kept.saturating_add(1);
        *kept <= REFUSALS_A_MINUTE
    }
}

async fn store_refusals(store: &Store, refusals: &[Box<Refusal>]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    for refusal in refusals {
        sqlx::query(
            "INSERT INTO refusals (request_id, endpoint, received_at, code, reason, claimed_id, remote) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (request_id) DO NOTHING",
        )
        .bind(refusal.request_id.as_str())
        .bind(refusal.endpoint.as_str())
        .bind(refusal.received_at.micros())
        .bind(refusal.code.as_str())
        .bind(refusal.reason.as_str())
        .bind(refusal.claimed_id.as_deref())
        .bind(refusal.remote.as_str())
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query(
        "DELETE FROM refusals WHERE received_at < (SELECT received_at FROM refusals ORDER BY received_at DESC LIMIT 1 OFFSET $1)",
    )
    .bind(REFUSALS_KEPT)
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
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
