//! Stored messages since a time, read again by today's code: for after the program was mended.
//!
//! Each message is translated from its stored bytes, and proven again by the secrets of today's settings: what can't be
//! proven any more is left as it is, and counted. What becomes of each event is in
//! [`anew`](crate::inbox::anew). A few messages share a transaction; if we crash in between, what was read is read, and
//! the same order again finds the rest.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::Order;
use crate::clock::Timestamp;
use crate::desk::Desk;
pub use crate::inbox::anew::Reading;
use crate::inbox::anew::read_again;
use crate::ledger::Work;
use crate::ledger::attempts::{self, Outcome};
use crate::notification::{Event, Mode, Receipt};
use crate::refused::DeskError;
use crate::store::{StoreError, instant, json, named, text};

/// So many messages in one transaction.
const BATCH: u32 = 50;

/// So many reasons why messages were left as they are, told.
const REASONS: usize = 20;

/// A message as it is stored.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// The endpoint that it came to.
    pub endpoint: String,
    /// The provider's name.
    pub provider: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// How it was proven then, in words.
    pub proven_by: String,
    /// The headers that the provider's scheme reads.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// Translates stored messages; by the providers, which this crate doesn't know.
pub trait Retranslating: Send + Sync {
    /// What it says, by today's code.
    ///
    /// # Errors
    /// A sentence that says why it can't be translated again; nothing of the message in it.
    fn retranslate(&self, message: &StoredMessage) -> Result<Vec<Event>, String>;
}

/// Which messages are read again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Those that came in from then on.
    pub since: Timestamp,
    /// And before then.
    pub until: Option<Timestamp>,
    /// Only of this endpoint.
    pub endpoint: Option<String>,
    /// Also looks at those again that were processed and say the same.
    pub all: bool,
    /// Only tells what would come of it.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Replayed {
    /// Messages that were read.
    pub messages: usize,
    /// Messages that were left as they are.
    pub left: usize,
    /// Why, with how many of each; the most frequent twenty.
    pub why: BTreeMap<String, usize>,
    /// Events by what reading them came to.
    pub events: BTreeMap<Reading, usize>,
}

impl Replayed {
    /// Events that wait to be processed now.
    pub fn waiting(&self) -> usize {
        let waiting = self.events.iter().filter(|(reading, _)| reading.waits());
        waiting.map(|(_, many)| many).sum()
    }

    fn leave(&mut self, why: String) {
        self.left += 1;
        if self.why.len() < REASONS || self.why.contains_key(&why) {
            *self.why.entry(why).or_default() += 1;
        }
    }
}

const MESSAGES: &str = "SELECT id, endpoint, provider, account, mode, received_at, request_id, proven_by, headers, body \
     FROM notifications WHERE emptied_at IS NULL AND received_at >= $1 AND received_at < $2 \
     AND (received_at > $1 OR id > $3) AND ($4 = '' OR endpoint = $4) ORDER BY received_at, id";

impl Desk {
    /// How many messages there are to be read again; bodies that were purged are not among them.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn count_messages(&self, replay: &Replay) -> Result<i64, DeskError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS many FROM notifications WHERE emptied_at IS NULL AND received_at >= $1 AND received_at < $2 \
             AND ($3 = '' OR endpoint = $3)",
        )
        .bind(replay.since.micros())
        .bind(replay.until.map_or(i64::MAX, Timestamp::micros))
        .bind(replay.endpoint.as_deref().unwrap_or_default())
        .fetch_one(self.store.reader())
        .await?;
        Ok(crate::store::number(&row, "many")?)
    }

    /// Reads them again. `progress` hears how many messages are done with.
    ///
    /// # Errors
    /// Refused without a reason; when the store fails, what was read stays read.
    pub async fn replay(
        &self,
        replay: &Replay,
        translator: &dyn Retranslating,
        order: Order<'_>,
        mut progress: impl FnMut(&Replayed),
    ) -> Result<Replayed, DeskError> {
        order.check()?;
        let subject = replay.endpoint.as_deref().unwrap_or("all");
        if !replay.dry_run {
            let what = format!("since {}: {}", replay.since, order.reason);
            let mut begun = self.begin().await?;
            self.note(&mut begun, order.actor, "messages replayed", subject, &what)
                .await?;
            self.commit(begun).await?;
        }
        let until = replay.until.map_or(self.now(), |until| until.min(self.now()));
        let (mut from, mut after) = (replay.since, String::new());
        let mut replayed = Replayed::default();
        loop {
            let sql = format!("{MESSAGES} LIMIT {BATCH}");
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(from.micros())
                .bind(until.micros())
                .bind(after.as_str())
                .bind(replay.endpoint.as_deref().unwrap_or_default())
                .fetch_all(self.store.reader())
                .await?;
            let Some(last) = rows.last() else { break };
            (from, after) = (instant(last, "received_at")?, text(last, "id")?);
            self.replay_batch(&rows, replay, translator, order, &mut replayed)
                .await?;
            progress(&replayed);
        }
        if !replay.dry_run {
            let report = format!(
                "{} messages read, {} left, {} events wait",
                replayed.messages,
                replayed.left,
                replayed.waiting()
            );
            let mut ended = self.begin().await?;
            self.note(&mut ended, order.actor, "messages replayed", subject, &report)
                .await?;
            self.commit(ended).await?;
        }
        Ok(replayed)
    }

    async fn replay_batch(
        &self,
        rows: &[AnyRow],
        replay: &Replay,
        translator: &dyn Retranslating,
        order: Order<'_>,
        replayed: &mut Replayed,
    ) -> Result<(), DeskError> {
        let now = self.now();
        let mut work = self.begin().await?;
        for row in rows {
            let mut receipt = receipt(row)?;
            let message = StoredMessage {
                endpoint: receipt.endpoint.clone(),
                provider: receipt.provider.clone(),
                received_at: receipt.received_at,
                proven_by: receipt.proven_by.clone(),
                headers: std::mem::take(&mut receipt.headers),
                body: std::mem::take(&mut receipt.body),
            };
            match translator.retranslate(&message) {
                Ok(events) => receipt.events = events,
                Err(why) => {
                    replayed.leave(why);
                    continue;
                }
            }
            replayed.messages += 1;
            for (id, reading) in read_again(&self.store, &mut work.tx, &receipt, replay.all, now).await? {
                *replayed.events.entry(reading).or_default() += 1;
                if reading.waits() && !replay.dry_run {
                    attempts::keep(&mut work.tx, Work::Event, &id, now, Outcome::Replayed, &order.told()).await?;
                    work.will_wait(Work::Event, &id);
                }
            }
        }
        if replay.dry_run {
            // Dropped, so rolled back.
            return Ok(());
        }
        self.commit(work).await
    }
}

fn receipt(row: &AnyRow) -> Result<Receipt, StoreError> {
    Ok(Receipt {
        endpoint: text(row, "endpoint")?,
        provider: text(row, "provider")?,
        account: text(row, "account")?,
        mode: named(row, "mode", Mode::parse)?,
        received_at: instant(row, "received_at")?,
        request_id: text(row, "request_id")?,
        proven_by: text(row, "proven_by")?,
        headers: json(row, "headers")?,
        body: row.try_get("body")?,
        events: Vec::new(),
    })
}
