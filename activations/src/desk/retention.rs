//! What is purged when: each kind of data has a clock of its own.
//!
//! | kind | what goes | when |
//! |---|---|---|
//! | `bodies` | body and headers of a message | `body_days` after it came in |
//! | `messages` | its row, and the events in it | `finished_days` after it came in |
//! | `rereads`, `refreshes`, `checkouts`, `links`, `outgoing_events` | rows that are done with | `finished_days` |
//! | `attempts` | what went wrong at each attempt | `finished_days` |
//! | `refusals` | requests that were not believed | `refusal_days` |
//! | `emails` | recipient, text and data; that it was sent, and when, stays | `email_days` |
//! | `kept_answers` | what was answered to requests with an `Idempotency-Key` | a day |
//! | `payers` | name, account and reference of who paid for what activated nobody | `payer_days` |
//! | `uploads`, `answers` | what creators answered to questions, and their files; that they did, and when, stays | `answer_days` |
//! | `decisions` | decisions with their inputs | `decision_days`; 0: never |
//!
//! Counts by the minute go after 8 days, in the transaction that adds the newest.
//! What has been seen is forgotten after 400 days ([`Store::forget_seen`](crate::store::Store::forget_seen)), runs of schedules after 40. Activations,
//! their history, payments as such, organisations, keys and the audit stay.
//!
//! Nothing goes that somebody still has to act on: what waits, is set apart, unallocated, or belongs to an
//! activation that isn't over. Each transaction takes a few hundred rows, because on SQLite the receiver waits
//! for the same connection. What was purged is counted by the transaction that purged it (in `remembered`), and the
//! audit gets one entry for each run, at its end; that of a run that was cut short the next one writes.

use std::time::Duration;

use serde::Deserialize;

use super::Desk;
use crate::clock::Timestamp;
use crate::refused::DeskError;
use crate::store::{Tx, text};

/// Section `[retention]`: days, of which 0 is only for decisions, and means never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Bodies and headers of messages.
    pub body_days: u32,
    /// Work that is finished.
    pub finished_days: u32,
    /// Recipients and texts of e-mails.
    pub email_days: u32,
    /// Who paid, where it activated nobody.
    pub payer_days: u32,
    /// What creators answered, and their files.
    pub answer_days: u32,
    /// Requests that were refused.
    pub refusal_days: u32,
    /// Decisions with their inputs; 0: for ever.
    pub decision_days: u32,
}

/// A kind of data with a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bodies and headers of messages.
    Bodies,
    /// Messages and their events.
    Messages,
    /// What was read from providers.
    Rereads,
    /// What was fetched from registers.
    Refreshes,
    /// Payments that were made at providers.
    Checkouts,
    /// Links that have ended.
    Links,
    /// Events that the platform was told of.
    OutgoingEvents,
    /// What went wrong at each attempt.
    Attempts,
    /// Requests that were refused.
    Refusals,
    /// Answers to requests with a key.
    KeptAnswers,
    /// Recipients and texts of e-mails.
    Emails,
    /// Who paid, where it activated nobody.
    Payers,
    /// Files that came with answers.
    Uploads,
    /// What creators answered.
    Answers,
    /// Decisions with their inputs.
    Decisions,
}

/// So many rows in one transaction.
const BATCH: u32 = 300;

/// So often a batch is tried when others change what it chose.
const TRIES: u32 = 3;

/// What somebody may still have to act on, of the events of message `n`; also what a later message contradicts.
const IN_USE: &str = "EXISTS (SELECT 1 FROM events e \
     LEFT JOIN payments p ON p.account = e.account AND p.payment_id = e.payment_id \
     LEFT JOIN activations a ON a.id = COALESCE(p.activation_id, e.activation_id) \
     LEFT JOIN states s ON s.state = a.state \
     WHERE e.notification_id = n.id AND (e.state IN ('waiting', 'quarantined') OR p.standing = 'unallocated' OR s.final = 0 \
       OR EXISTS (SELECT 1 FROM rereads r WHERE r.event = e.id AND r.state = 'waiting')))";

/// That the activation of row `t` is over.
const OVER: &str = "EXISTS (SELECT 1 FROM activations a JOIN states s ON s.state = a.state WHERE a.id = t.activation_id AND s.final = 1)";

impl Kind {
    /// All kinds, in the order in which they go.
    pub const ALL: &'static [Self] = &[
        Self::Bodies,
        Self::Messages,
        Self::Rereads,
        Self::Refreshes,
        Self::Checkouts,
        Self::Links,
        Self::OutgoingEvents,
        Self::Attempts,
        Self::Refusals,
        Self::KeptAnswers,
        Self::Emails,
        Self::Payers,
        Self::Uploads,
        Self::Answers,
        Self::Decisions,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bodies => "bodies",
            Self::Messages => "messages",
            Self::Rereads => "rereads",
            Self::Refreshes => "refreshes",
            Self::Checkouts => "checkouts",
            Self::Links => "links",
            Self::OutgoingEvents => "outgoing_events",
            Self::Attempts => "attempts",
            Self::Refusals => "refusals",
            Self::KeptAnswers => "kept_answers",
            Self::Emails => "emails",
            Self::Payers => "payers",
            Self::Uploads => "uploads",
            Self::Answers => "answers",
            Self::Decisions => "decisions",
        }
    }

    const fn days(self, retention: &Retention) -> u32 {
        match self {
            Self::Bodies => retention.body_days,
            Self::Messages
            | Self::Rereads
            | Self::Refreshes
            | Self::Checkouts
            | Self::Links
            | Self::OutgoingEvents
            | Self::Attempts => retention.finished_days,
            Self::Refusals => retention.refusal_days,
            // [`KEPT_FOR`](super::idempotency::KEPT_FOR)
            Self::KeptAnswers => 1,
            Self::Emails => retention.email_days,
            Self::Payers => retention.payer_days,
            Self::Uploads | Self::Answers => retention.answer_days,
            Self::Decisions => retention.decision_days,
        }
    }

    /// What takes one batch of it, in order; `$1` is the instant before which it goes. The last
    /// statement's rows are those that count.
    fn statements(self, now: i64) -> Vec<String> {
        let gone = |table: &str, key: &str, which: String| {
            vec![format!("DELETE FROM {table} WHERE {key} IN ({which} LIMIT {BATCH})")]
        };
        match self {
            Self::Bodies => vec![format!(
                // An empty blob is written otherwise in each database; none of its bytes is the same in both.
                "UPDATE notifications SET body = SUBSTR(body, 1, 0), headers = '[]', emptied_at = {now} WHERE id IN \
                 (SELECT n.id FROM notifications n WHERE n.emptied_at IS NULL AND n.received_at < $1 AND NOT {IN_USE} \
                  ORDER BY n.received_at LIMIT {BATCH})"
            )],
            Self::Messages => {
                let old = "SELECT n.id FROM notifications n WHERE n.emptied_at IS NOT NULL AND n.received_at < $1";
                let in_order = format!("ORDER BY n.received_at, n.id LIMIT {BATCH}");
                // What another message contradicts goes in the batch after that one.
                let contradicted = "EXISTS (SELECT 1 FROM events e JOIN events c ON c.conflicts_with = e.id \
                     WHERE e.notification_id = n.id AND c.notification_id <> n.id)";
                // The first changes what it chooses by; the second takes those that have nothing left.
                let left = "EXISTS (SELECT 1 FROM events e WHERE e.notification_id = n.id)";
                vec![
                    format!(
                        "DELETE FROM events WHERE notification_id IN \
                         ({old} AND NOT {IN_USE} AND NOT {contradicted} {in_order})"
                    ),
                    format!("DELETE FROM notifications WHERE id IN ({old} AND NOT {left} {in_order})"),
                ]
            }
            Self::Rereads => gone(
                "rereads",
                "id",
                "SELECT t.id FROM rereads t WHERE t.state <> 'waiting' AND t.asked_at < $1".to_owned(),
            ),
            Self::Refreshes => gone(
                "refreshes",
                "id",
                format!("SELECT t.id FROM refreshes t WHERE t.state <> 'waiting' AND t.asked_at < $1 AND {OVER}"),
            ),
            Self::Checkouts => gone(
                "checkouts",
                "id",
                format!(
                    "SELECT t.id FROM checkouts t WHERE t.state <> 'waiting' AND t.look_at IS NULL AND t.created_at < $1 AND {OVER}"
                ),
            ),
            Self::Links => gone(
                "links",
                "token_hash",
                format!("SELECT t.token_hash FROM links t WHERE t.expires_at < $1 AND {OVER}"),
            ),
            Self::OutgoingEvents => {
                // Both statements choose the same events: nothing that they choose by is changed by the first.
                let chosen = format!(
                    "SELECT t.id FROM outgoing_events t WHERE t.state <> 'waiting' AND t.created_at < $1 AND {OVER} \
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = t.id AND d.state = 'waiting') \
                     ORDER BY t.created_at, t.id LIMIT {BATCH}"
                );
                vec![
                    format!("DELETE FROM deliveries WHERE event_id IN ({chosen})"),
                    format!("DELETE FROM outgoing_events WHERE id IN ({chosen})"),
                ]
            }
            Self::Attempts => vec![format!(
                "DELETE FROM attempts WHERE (kind, row_id, number) IN \
                 (SELECT t.kind, t.row_id, t.number FROM attempts t WHERE t.at < $1 LIMIT {BATCH})"
            )],
            Self::Refusals => gone(
                "refusals",
                "request_id",
                "SELECT t.request_id FROM refusals t WHERE t.received_at < $1".to_owned(),
            ),
            // A key that is done with again meanwhile has a row that is new.
            Self::KeptAnswers => vec![format!(
                "DELETE FROM kept_answers WHERE done_at < $1 AND (caller, idempotency_key) IN \
                 (SELECT t.caller, t.idempotency_key FROM kept_answers t WHERE t.done_at < $1 LIMIT {BATCH})"
            )],
            Self::Emails => {
                // Both statements choose the same e-mails: nothing that they choose by is changed by the first, and
                // what others change meanwhile neither sees.
                let chosen = format!(
                    "SELECT t.id FROM emails t WHERE t.state <> 'waiting' AND t.recipient <> '' AND t.created_at < $1 \
                     AND (t.activation_id IS NULL OR {OVER}) ORDER BY t.created_at, t.id LIMIT {BATCH}"
                );
                vec![
                    format!("DELETE FROM renderings WHERE email_id IN ({chosen})"),
                    // A mail server's last words may repeat the address.
                    format!(
                        "UPDATE emails SET recipient = '', recipient_name = NULL, data = '{{}}', rendered = NULL, \
                         last_error = NULL WHERE id IN ({chosen})"
                    ),
                ]
            }
            Self::Payers => {
                // Looked over once, also where the payer is kept: the next run doesn't look at it again.
                let kept = "EXISTS (SELECT 1 FROM activations a WHERE a.id = payments.activation_id AND a.state = 'activated')";
                vec![format!(
                    "UPDATE payments SET looked_over_at = {now}, holder_name = CASE WHEN {kept} THEN holder_name END, \
                     account_number = CASE WHEN {kept} THEN account_number END, account_hash = CASE WHEN {kept} THEN account_hash END, reference = CASE WHEN {kept} THEN reference END WHERE changed_at < $1 AND id IN \
                     (SELECT t.id FROM payments t WHERE t.changed_at > COALESCE(t.looked_over_at, 0) AND t.changed_at < $1 \
                      AND t.standing <> 'unallocated' AND (t.activation_id IS NULL OR {OVER}) LIMIT {BATCH})"
                )]
            }
            Self::Uploads => gone(
                "uploads",
                "id",
                format!("SELECT t.id FROM uploads t WHERE t.uploaded_at < $1 AND {OVER}"),
            ),
            Self::Answers => vec![format!(
                "UPDATE questions SET answer = NULL WHERE (activation_id, number) IN (SELECT t.activation_id, t.number FROM questions t \
                 WHERE t.answer IS NOT NULL AND t.answered_at < $1 AND {OVER} LIMIT {BATCH})"
            )],
            Self::Decisions => vec![format!(
                "DELETE FROM decisions WHERE (activation_id, number) IN (SELECT t.activation_id, t.number FROM decisions t \
                 WHERE t.at < $1 AND {OVER} LIMIT {BATCH})"
            )],
        }
    }
}

/// One run of the purge, and what it took so far.
#[derive(Debug)]
pub struct Purge {
    retention: Retention,
    /// Under which name it is remembered until the audit tells of it.
    name: String,
    counts: Vec<(Kind, u64)>,
    /// Those of which the audit doesn't tell yet.
    untold: Vec<(Kind, u64)>,
}

/// What names of runs begin with, in `remembered`.
const RUN: &str = "purging/";

impl Purge {
    /// What was purged, by kind; those of which nothing was are left out.
    pub fn counts(&self) -> &[(Kind, u64)] {
        &self.counts
    }

    fn told(&self) -> String {
        let told: Vec<String> = self
            .untold
            .iter()
            .map(|(kind, many)| format!("{} {many}", kind.as_str()))
            .collect();
        told.join(", ")
    }
}

fn count(counts: &mut Vec<(Kind, u64)>, kind: Kind, many: u64) {
    match counts.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, count)) => *count = count.saturating_add(many),
        None => counts.push((kind, many)),
    }
}

impl Desk {
    /// Begins a run.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn begin_purge(&self, retention: Retention) -> Result<Purge, DeskError> {
        Ok(Purge {
            retention,
            name: format!("{RUN}{}", self.new_id("run")?),
            counts: Vec::new(),
            untold: Vec::new(),
        })
    }

    /// Takes one batch of each kind that is old enough; how many rows. Call again while it isn't 0.
    ///
    /// # Errors
    /// When the store doesn't answer; what was purged before stays purged, and the next run tells the audit of it.
    pub async fn purge(&self, run: &mut Purge) -> Result<u64, DeskError> {
        let mut all = 0_u64;
        for kind in Kind::ALL {
            let days = kind.days(&run.retention);
            if days == 0 {
                continue;
            }
            let before = self.now().minus(Duration::from_secs(u64::from(days) * 86_400));
            let mut tries = TRIES;
            let many = loop {
                tries -= 1;
                let untold = run.untold.clone();
                let taken = self.purge_batch(run, *kind, before).await;
                if taken.is_err() {
                    run.untold = untold;
                }
                match taken {
                    Err(DeskError::Store(error)) if tries > 0 && error.is_passing_conflict() => {}
                    taken => break taken?,
                }
            };
            if many > 0 {
                count(&mut run.counts, *kind, many);
            }
            all = all.saturating_add(many);
        }
        if all == 0 {
            self.tell_of_purges().await?;
        }
        Ok(all)
    }

    /// A batch is chosen and taken at one moment: what others change meanwhile, none of its statements sees.
    async fn purge_batch(&self, run: &mut Purge, kind: Kind, before: Timestamp) -> Result<u64, DeskError> {
        let mut work = self.begin_at_one_moment().await?;
        let many = take(&mut work.tx, kind, before, self.now()).await?;
        // With none it is dropped, so rolled back: there is nothing to keep.
        if many > 0 {
            account_for(&mut work.tx, run, kind, many).await?;
            self.commit(work).await?;
        }
        Ok(many)
    }

    /// Writes the entry of this run into the audit, and of those that were cut short before it.
    async fn tell_of_purges(&self) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        let rows = sqlx::query("DELETE FROM remembered WHERE name LIKE $1 RETURNING name, value")
            .bind(format!("{RUN}%"))
            .fetch_all(&mut *work.tx)
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            self.note_by(&mut work, "system", ("purged", "retention"), &text(row, "value")?)?;
        }
        self.commit(work).await
    }
}

/// Remembers what a run took up to this transaction, until the audit tells of it.
async fn account_for(tx: &mut Tx, run: &mut Purge, kind: Kind, many: u64) -> Result<(), DeskError> {
    count(&mut run.untold, kind, many);
    let updated = sqlx::query("UPDATE remembered SET value = $1 WHERE name = $2")
        .bind(run.told())
        .bind(run.name.as_str())
        .execute(&mut **tx)
        .await?
        .rows_affected();
    if updated == 0 {
        // It is new, or another run took it for one that was cut short, and has told of what was taken before.
        run.untold = vec![(kind, many)];
        sqlx::query("INSERT INTO remembered (name, value) VALUES ($1, $2)")
            .bind(run.name.as_str())
            .bind(run.told())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn take(tx: &mut Tx, kind: Kind, before: Timestamp, now: Timestamp) -> Result<u64, DeskError> {
    let mut many = 0;
    for sql in kind.statements(now.micros()) {
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(before.micros())
            .execute(&mut **tx)
            .await?;
        many = done.rows_affected();
    }
    Ok(many)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn each_batch_finds_its_rows_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/truth.db", folder.path().display()))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        for kind in Kind::ALL {
            for sql in kind.statements(1) {
                let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                    .bind(1_i64)
                    .fetch_all(store.reader())
                    .await
                    .unwrap();
                for row in rows {
                    let step = text(&row, "detail").unwrap();
                    assert!(
                        !step.starts_with("SCAN ") || step.contains(" INDEX "),
                        "{kind:?}: {step}"
                    );
                }
            }
        }
    }
}
