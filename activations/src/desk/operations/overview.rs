//! The overview: what came in, was decided, waits and failed over the last day; how long it takes; who works; what each
//! endpoint's messages came to.
//!
//! The flow is told from the counts by the minute (`tally`), so up to some seconds after the last minute's end; what
//! waits is counted as it is now.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::any::AnyRow;

use super::rows::WorkCounts;
use super::silence::Silent;
use super::tally::MINUTE;
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::ledger::{SILENT_FOR, Waiting};
use crate::refused::DeskError;
use crate::store::{Kind, StoreError, instant, number, text};

/// Hours of the flow.
const HOURS: i64 = 24;

/// Newest decisions that the latency is told from.
const NEWEST: u32 = 2_000;

/// On SQLite a sign is given with each minute that is counted.
const SILENT_MINUTES: i64 = 3;

/// How things are.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// As seen at.
    pub at: Timestamp,
    /// The flow is counted up to then.
    pub counted_to: Timestamp,
    /// The last 24 hours, the oldest first.
    pub hours: Vec<Flow>,
    /// The last 60 minutes, the oldest first.
    pub minutes: Vec<Flow>,
    /// What waits, by kind of work and state of activations, with the age of the oldest.
    pub waiting: Vec<Waits>,
    /// Each kind of work.
    pub work: Vec<WorkCounts>,
    /// From a message to its decision, over the last hour.
    pub latency: Latency,
    /// Who works.
    pub machines: Vec<Machine>,
    /// The last hour's messages, by endpoint.
    pub providers: Vec<Provider>,
    /// Endpoints from which nothing has come for unusually long.
    pub silent: Vec<Silent>,
}

/// What happened in an hour, or in a minute.
#[derive(Debug, Clone, Serialize)]
pub struct Flow {
    /// When it began.
    pub from: Timestamp,
    /// Messages that were believed.
    pub taken: i64,
    /// Messages that were not.
    pub refused: i64,
    /// Decisions.
    pub decided: i64,
    /// Of these, approvals without a person.
    pub approved: i64,
    /// Of these, those that went to review.
    pub to_review: i64,
    /// Attempts that failed and were made again.
    pub failed: i64,
    /// Rows that were set apart or given up.
    pub given_up: i64,
    /// Most rows of work that waited at the end of a minute.
    pub waiting: i64,
}

/// How much waits.
#[derive(Debug, Clone, Serialize)]
pub struct Waits {
    /// What.
    pub what: String,
    /// How many.
    pub count: i64,
    /// Seconds since the oldest came.
    pub oldest_seconds: u64,
}

/// How long decisions took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Latency {
    /// Of how many.
    pub decisions: usize,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: u64,
    /// Nineteen of twenty took no longer, in milliseconds.
    pub p95_ms: u64,
}

/// A process that works.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// By what its leases begin with.
    pub instance: String,
    /// When it gave its last sign.
    pub seen_at: Timestamp,
    /// Whether it is taken for alive.
    pub alive: bool,
}

/// What an endpoint's messages came to.
#[derive(Debug, Clone, Serialize)]
pub struct Provider {
    /// The endpoint.
    pub endpoint: String,
    /// Messages that were believed.
    pub taken: i64,
    /// Messages that were not.
    pub refused: i64,
    /// The share that was not, in percent of all.
    pub refused_percent: i64,
    /// Why not, the most frequent first.
    pub why: Vec<Refusals>,
}

/// How often messages were refused for one reason.
#[derive(Debug, Clone, Serialize)]
pub struct Refusals {
    /// Stable code, such as `signature_mismatch`.
    pub code: String,
    /// How often.
    pub many: i64,
}

impl Flow {
    const fn begins(from: Timestamp) -> Self {
        Self {
            from,
            taken: 0,
            refused: 0,
            decided: 0,
            approved: 0,
            to_review: 0,
            failed: 0,
            given_up: 0,
            waiting: 0,
        }
    }

    fn count(&mut self, what: &str, part: &str, many: i64) {
        match (what, part) {
            ("taken", _) => self.taken += many,
            ("refused", _) => self.refused += many,
            ("decided", _) => {
                self.decided += many;
                match part {
                    "approved" => self.approved += many,
                    "under_review" => self.to_review += many,
                    _ => {}
                }
            }
            ("failed", _) => self.failed += many,
            ("given_up" | "set_apart", _) => self.given_up += many,
            _ => {}
        }
    }
}

impl Desk {
    /// How things are.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn overview(&self) -> Result<Overview, DeskError> {
        let now = self.now();
        let minute = now.micros().div_euclid(MINUTE);
        let waiting = self.store.waiting(now).await?;
        Ok(Overview {
            at: now,
            counted_to: Timestamp::from_micros(self.tallied_to().await?.saturating_mul(MINUTE)),
            hours: self.flow(minute.div_euclid(60) - HOURS + 1, HOURS, 60).await?,
            minutes: self.flow(minute - 59, 60, 1).await?,
            waiting: waiting.into_iter().map(waits).collect(),
            work: self.work_counts().await?,
            latency: self.latency(now).await?,
            machines: self.machines().await?,
            providers: self.providers(minute - 59).await?,
            silent: self.store.silent(now).await?,
        })
    }

    /// So many spans of so many minutes, from the first on.
    async fn flow(&self, first: i64, spans: i64, minutes: i64) -> Result<Vec<Flow>, DeskError> {
        let sql = format!(
            "SELECT minute / {minutes} AS span, what, CASE WHEN what = 'decided' THEN part ELSE '' END AS part, \
             CAST(SUM(many) AS BIGINT) AS many FROM tallies WHERE minute >= $1 AND what <> 'waiting' \
             GROUP BY minute / {minutes}, what, CASE WHEN what = 'decided' THEN part ELSE '' END"
        );
        let counted = self.tallied(sql, first * minutes).await?;
        let sql = format!(
            "SELECT minute / {minutes} AS span, 'waiting' AS what, '' AS part, MAX(many) AS many FROM \
             (SELECT minute, CAST(SUM(many) AS BIGINT) AS many FROM tallies WHERE minute >= $1 AND what = 'waiting' \
              AND part IN ('event', 'approval', 'email', 'reread', 'checkout', 'delivery', 'names') GROUP BY minute) m \
             GROUP BY minute / {minutes}"
        );
        let waited = self.tallied(sql, first * minutes).await?;
        let mut flow: BTreeMap<i64, Flow> = (first..first + spans)
            .map(|span| (span, Flow::begins(Timestamp::from_micros(span * minutes * MINUTE))))
            .collect();
        for row in &counted {
            if let Some(span) = flow.get_mut(&number(row, "span")?) {
                span.count(&text(row, "what")?, &text(row, "part")?, number(row, "many")?);
            }
        }
        for row in &waited {
            if let Some(span) = flow.get_mut(&number(row, "span")?) {
                span.waiting = number(row, "many")?;
            }
        }
        Ok(flow.into_values().collect())
    }

    async fn tallied(&self, sql: String, from: i64) -> Result<Vec<AnyRow>, StoreError> {
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(from);
        Ok(query.fetch_all(self.store.reader()).await?)
    }

    /// From the payment's last message to the decision on it, of the newest of the last hour.
    async fn latency(&self, now: Timestamp) -> Result<Latency, DeskError> {
        let sql = format!(
            "SELECT d.at AS at, MAX(p.received_at) AS received_at FROM \
             (SELECT activation_id, at FROM decisions WHERE at >= $1 ORDER BY at DESC LIMIT {NEWEST}) d \
             JOIN payments p ON p.activation_id = d.activation_id AND p.received_at <= d.at GROUP BY d.activation_id, d.at"
        );
        let rows = self.tallied(sql, now.micros() - 60 * MINUTE).await?;
        let mut took = Vec::with_capacity(rows.len());
        for row in &rows {
            let took_now = instant(row, "at")?.since(instant(row, "received_at")?);
            took.push(u64::try_from(took_now.as_millis()).unwrap_or(u64::MAX));
        }
        took.sort_unstable();
        let at = |percent: usize| {
            took.get(took.len() * percent / 100)
                .or(took.last())
                .copied()
                .unwrap_or(0)
        };
        Ok(Latency {
            decisions: took.len(),
            p50_ms: at(50),
            p95_ms: at(95),
        })
    }

    async fn machines(&self) -> Result<Vec<Machine>, DeskError> {
        let now = self.store.lease_time(self.now());
        let rows = sqlx::query("SELECT instance, seen_at FROM working ORDER BY seen_at DESC")
            .fetch_all(self.store.reader())
            .await?;
        let silent = match self.store.kind() {
            Kind::Sqlite => std::time::Duration::from_micros(u64::try_from(SILENT_MINUTES * MINUTE).unwrap_or(0)),
            Kind::Postgres => SILENT_FOR,
        };
        let one = |row| -> Result<Machine, StoreError> {
            let seen_at = instant(row, "seen_at")?;
            Ok(Machine {
                instance: text(row, "instance")?,
                seen_at,
                alive: now.since(seen_at) < silent,
            })
        };
        Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
    }

    /// What each endpoint's messages came to, from a minute on.
    async fn providers(&self, from: i64) -> Result<Vec<Provider>, DeskError> {
        let sql = "SELECT what, part, CAST(SUM(many) AS BIGINT) AS many FROM tallies \
                   WHERE minute >= $1 AND what IN ('taken', 'refused') GROUP BY what, part";
        let mut all: BTreeMap<String, Provider> = BTreeMap::new();
        for row in &self.tallied(sql.to_owned(), from).await? {
            let (part, many) = (text(row, "part")?, number(row, "many")?);
            let taken = text(row, "what")? == "taken";
            let (endpoint, code) = match part.rsplit_once(' ') {
                Some(both) if !taken => both,
                _ => (part.as_str(), ""),
            };
            let provider = all.entry(endpoint.to_owned()).or_insert_with(|| Provider {
                endpoint: endpoint.to_owned(),
                taken: 0,
                refused: 0,
                refused_percent: 0,
                why: Vec::new(),
            });
            if taken {
                provider.taken += many;
            } else {
                provider.refused += many;
                provider.why.push(Refusals {
                    code: code.to_owned(),
                    many,
                });
            }
        }
        let mut all: Vec<Provider> = all.into_values().collect();
        for provider in &mut all {
            let total = (provider.taken + provider.refused).max(1);
            provider.refused_percent = provider.refused * 100 / total;
            provider
                .why
                .sort_by(|a, b| b.many.cmp(&a.many).then(a.code.cmp(&b.code)));
        }
        Ok(all)
    }
}

fn waits(one: Waiting) -> Waits {
    Waits {
        what: one.what,
        count: one.count,
        oldest_seconds: one.oldest.as_secs(),
    }
}
