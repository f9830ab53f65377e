//! Rows that wait for work: what is due, who is at it, and what became of it.
//!
//! A queue may lose or repeat what it was told; the rows don't. A claim holds for a lease. Starting is
//! committed before the work begins, so that a row that kills its process is noticed: after
//! [`MAX_STARTS`] starts without an end it is set apart and the next one goes on.

pub mod attempts;
mod backlog;
mod kinds;
pub(crate) mod mail_pace;
pub mod paused;
pub(crate) mod pulse;

use std::collections::HashMap;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use tracing::Span;
use tracing::field::Empty;

use crate::clock::Timestamp;
use crate::desk::GIVE_UP_AFTER;
use crate::store::many::{Columns, Many};
use crate::store::{Store, StoreError, Tx, instant, maybe_text, number, text};
use crate::trace::{self, TraceParent};

pub use backlog::Waiting;
pub use kinds::Work;
pub use pulse::{BEAT, Pulse, SILENT_FOR};

/// How often a row may be started without ever ending before it is set apart.
pub const MAX_STARTS: u32 = 5;

/// A row that was started this often without an end is worked on while no other such row is. Whoever ends the
/// process ends it for everybody who shared a group with it; by this its neighbours are told from it, long before
/// [`MAX_STARTS`].
const ALONE_FROM: u32 = 2;

/// The right to work on one row until its lease runs out. Whoever lost it can't write.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Kind of work.
    pub work: Work,
    /// The row.
    pub id: String,
    /// How often it was begun since it last ended, this time included.
    pub starts: u32,
    /// How often it failed before.
    pub attempts: u32,
    /// Since when it waits.
    pub waiting_since: Timestamp,
    pub(crate) lease: String,
    span: Span,
}

impl Claim {
    /// What the log says with each line of its work, and its place in the trace of the row. A group works on several,
    /// for whichever of them came first: each has its own. It ends with the last clone of the claim.
    pub fn span(&self) -> &Span {
        &self.span
    }
}

/// The span of an attempt at a row, which goes on in the row's trace.
fn attempt_at(work: Work, id: &str, attempts: u32, parent: Option<&str>) -> Span {
    let span = tracing::info_span!(parent: None, "job", work = work.as_str(), id, trace = Empty);
    if let Some(parent) = parent.and_then(TraceParent::parse) {
        parent.goes_on_in(&span);
    }
    trace::log_by(&span);
    trace::note(&span, "attempt", i64::from(attempts) + 1);
    span
}

/// Told, after a commit, that a row waits. Only a hint: it may be lost, the sweep finds the row.
pub trait Nudge: Send + Sync {
    /// Look at this row soon.
    fn look(&self, work: Work, id: &str);
}

/// Tells nobody; the sweep alone finds the rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNudge;

impl Nudge for NoNudge {
    fn look(&self, _: Work, _: &str) {}
}

impl Store {
    /// Rows that are due and that nobody is at, at most `limit`: the oldest; where there are more than that,
    /// three quarters of them the oldest, and the rest the newest.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn due(&self, work: Work, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let limit = match self.mail_pace.filter(|_| work == Work::Email) {
            // What is over isn't fed to the queue, only to be put off there.
            Some(pace) => limit.min(self.mail_free(pace, now).await?),
            None => limit,
        };
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut due = self.due_in(work, now, "ASC", limit).await?;
        if due.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(due);
        }
        due.truncate(due.len() - due.len() / 4);
        for id in self.due_in(work, now, "DESC", limit / 4).await? {
            if !due.contains(&id) {
                due.push(id);
            }
        }
        Ok(due)
    }

    async fn due_in(&self, work: Work, now: Timestamp, order: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(due_now(work, order, limit)))
            .bind(now.micros())
            .bind(self.lease_time(now).micros())
            .fetch_all(self.reader())
            .await?;
        rows.iter().map(|row| text(row, "id")).collect()
    }

    /// Takes a row to work on, for as long as `lease`. `None` when it isn't due, is done, or somebody
    /// is at it; also when it was started [`MAX_STARTS`] times without an end: then it is set apart.
    ///
    /// # Errors
    /// When the store doesn't answer; the row then stays as it was.
    pub async fn claim(
        &self,
        work: Work,
        id: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        let claims = self.claim_many(work, &[id.to_owned()], now, lease).await?;
        Ok(claims.into_iter().next().flatten())
    }

    /// Takes several rows in one transaction, as [`Store::claim`] does each; the answers in their order.
    ///
    /// # Errors
    /// When the store doesn't answer; the rows then stay as they were.
    pub async fn claim_many(
        &self,
        work: Work,
        ids: &[String],
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Option<Claim>>, StoreError> {
        let tx = self.begin().await?;
        self.claim_many_in(tx, work, ids, now, lease).await
    }

    /// The same in a transaction that has begun, which it commits.
    pub(crate) async fn claim_many_in(
        &self,
        tx: Tx,
        work: Work,
        ids: &[String],
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Option<Claim>>, StoreError> {
        let token = self.new_lease();
        let claimed = self.try_claim(tx, work, ids, now, lease, &token).await;
        if claimed.is_err() {
            // It may have been committed all the same, and nobody works on them.
            self.forsaken().add(work, ids, &token);
        }
        claimed
    }

    async fn try_claim(
        &self,
        mut tx: Tx,
        work: Work,
        ids: &[String],
        now: Timestamp,
        lease: Duration,
        token: &str,
    ) -> Result<Vec<Option<Claim>>, StoreError> {
        let lease_time = self.lease_time(now);
        let until = lease_time.plus(lease).micros();
        let pace = self.mail_pace.filter(|_| work == Work::Email);
        let free = claiming(work, &self.held_if_free(work.table()), pace.is_some());
        let claiming = Many {
            head: CLAIMING,
            columns: Columns::Typed(&["TEXT", "BIGINT", "BIGINT", "TEXT", "BIGINT"]),
            tail: &free,
        };
        let turn = match pace {
            Some(pace) => Some(self.mail_turn(&mut tx, pace, lease_time.micros()).await?),
            None => None,
        };
        let most = turn.as_ref().map_or(ids.len(), |turn| turn.free().min(ids.len()));
        let (in_turn, put_off) = ids.split_at(most);
        let rows = claiming
            .fetch(&mut tx, in_turn, |query, id| {
                query
                    .bind(id.as_str())
                    .bind(now.micros())
                    .bind(lease_time.micros())
                    .bind(token)
                    .bind(until)
            })
            .await?;
        let mut claims = HashMap::with_capacity(rows.len());
        for row in &rows {
            let id = text(row, "id")?;
            let attempts = u32::try_from(number(row, "attempts")?).unwrap_or(u32::MAX);
            let claim = Claim {
                work,
                starts: u32::try_from(number(row, "starts")?).unwrap_or(u32::MAX),
                attempts,
                waiting_since: instant(row, "since")?,
                lease: token.to_owned(),
                span: attempt_at(work, &id, attempts, maybe_text(row, "traceparent")?.as_deref()),
                id: id.clone(),
            };
            if claim.starts > MAX_STARTS {
                let why = format!("started {MAX_STARTS} times and never ended: it may be ending the process");
                end_badly(&mut tx, &claim, now, &why).await?;
                trace::note(claim.span(), "outcome", "given_up");
                trace::failed(claim.span());
                tracing::error!(
                    work = work.as_str(),
                    id,
                    "set apart: started {MAX_STARTS} times without an end"
                );
                continue;
            }
            claims.insert(id, claim);
        }
        if let Some(turn) = turn {
            turn.took(&mut tx, rows.len()).await?;
            metrics::counter!("eencent_emails_put_off_total").increment(put_off.len().try_into().unwrap_or(u64::MAX));
        }
        tx.commit().await?;
        Ok(ids.iter().map(|id| claims.remove(id)).collect())
    }

    /// Ends a claim that failed: counts and keeps the attempt, and lets the row wait until `retry_at`. Does nothing
    /// when the lease was lost.
    ///
    /// # Errors
    /// When the store doesn't answer; the row is then free when it answers again.
    pub async fn put_back(
        &self,
        claim: &Claim,
        now: Timestamp,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let putting = async {
            let mut tx = self.begin().await?;
            failed_in(&mut tx, claim, now, retry_at, error).await?;
            Ok(tx.commit().await?)
        };
        let put = putting.await;
        if put.is_err() {
            self.forsake(claim);
        }
        put
    }

    /// Ends a claim for good: the row is set apart, shown to operators, and not tried again.
    ///
    /// # Errors
    /// When the store doesn't answer; the lease then runs out by itself.
    pub async fn give_up(&self, claim: &Claim, now: Timestamp, error: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        end_badly(&mut tx, claim, now, error).await?;
        Ok(tx.commit().await?)
    }

    /// Frees every lease; for the only worker process of a database, when it starts: whoever held them
    /// is dead. Returns how many there were.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn free_leases(&self) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let mut freed = 0;
        for work in Work::ALL {
            let sql = format!(
                "UPDATE {} SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL",
                work.table()
            );
            freed += sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await?.rows_affected();
        }
        tx.commit().await?;
        Ok(freed)
    }
}

/// The first rows that are due, of those that nobody is at; `$1` is now, `$2` the leases' now.
fn due_now(work: Work, order: &str, limit: u32) -> String {
    format!(
        "SELECT id FROM {} WHERE {}{} AND (next_attempt_at IS NULL OR next_attempt_at <= $1) \
         AND (lease_until IS NULL OR lease_until <= $2) ORDER BY {} {order} LIMIT {limit}",
        work.table(),
        work.waiting(),
        work.not_held_back(),
        work.due_by(),
    )
}

/// What stands before the rows that are to be claimed.
const CLAIMING: &str = "WITH asked (row_id, now_at, lease_at, token, until_when) AS (";

/// What stands behind them. Rows that another process is taking at this moment are its own (`held`): nobody waits
/// for them. The joins go from what is asked to the rows, one by one by their id, however many wait.
fn claiming(work: Work, held: &str, paced: bool) -> String {
    let table = work.table();
    // However long it waited for its turn, its time to be delivered in begins with the first attempt.
    let whole = if paced {
        let whole = GIVE_UP_AFTER.as_micros();
        format!(", give_up_at = CASE WHEN attempts = 0 THEN asked.now_at + {whole} ELSE give_up_at END")
    } else {
        String::new()
    };
    format!(
        ") UPDATE {table} SET starts = starts + 1, lease = asked.token, lease_until = asked.until_when{whole} \
         FROM asked WHERE {table}.id = asked.row_id AND {table}.id IN \
         (SELECT {table}.id FROM asked CROSS JOIN {table} WHERE {table}.id = asked.row_id AND {waiting}{not_held_back} \
         AND (next_attempt_at IS NULL OR next_attempt_at <= asked.now_at) \
         AND (lease_until IS NULL OR lease_until <= asked.lease_at) \
         AND ({table}.starts < {ALONE_FROM} OR ({table}.id = \
           (SELECT s.id FROM asked w CROSS JOIN {table} s WHERE s.id = w.row_id AND s.starts >= {ALONE_FROM} \
            AND (s.lease_until IS NULL OR s.lease_until <= w.lease_at) ORDER BY s.starts, s.id LIMIT 1) \
           AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.starts > {ALONE_FROM} \
            AND o.lease_until > (SELECT MAX(m.lease_at) FROM asked m)))){held}) \
         RETURNING {table}.id AS id, starts, attempts, traceparent, {since} AS since",
        waiting = work.waiting().replace("$1", "asked.now_at"),
        not_held_back = work.not_held_back(),
        since = work.since(),
    )
}

/// Counts and keeps a failure inside a transaction, and lets the row wait until `retry_at`.
pub(crate) async fn failed_in(
    tx: &mut Tx,
    claim: &Claim,
    now: Timestamp,
    retry_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    if put_back_in(tx, claim, retry_at, error, 1).await? {
        attempts::keep(tx, claim.work, &claim.id, now, attempts::Outcome::Again, error).await?;
    }
    Ok(())
}

/// Lets the row wait until `retry_at` inside a transaction, by design.
pub(crate) async fn wait_in(tx: &mut Tx, claim: &Claim, retry_at: Timestamp, why: &str) -> Result<bool, StoreError> {
    put_back_in(tx, claim, retry_at, why, 0).await
}

/// `failed` is 1 for a failure, 0 for a wait by design.
async fn put_back_in(
    tx: &mut Tx,
    claim: &Claim,
    retry_at: Timestamp,
    error: &str,
    failed: i64,
) -> Result<bool, StoreError> {
    let sql = format!(
        "UPDATE {} SET starts = 0, attempts = attempts + $1, next_attempt_at = $2, last_error = $3, lease = NULL, lease_until = NULL \
         WHERE id = $4 AND lease = $5",
        claim.work.table()
    );
    let ended = sqlx::query(AssertSqlSafe(sql))
        .bind(failed)
        .bind(retry_at.micros())
        .bind(cut(error))
        .bind(claim.id.as_str())
        .bind(claim.lease.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(ended.rows_affected() == 1)
}

async fn end_badly(tx: &mut Tx, claim: &Claim, now: Timestamp, error: &str) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE {} SET {}, starts = 0, last_error = $2, lease = NULL, lease_until = NULL WHERE id = $3 AND lease = $4",
        claim.work.table(),
        claim.work.given_up()
    );
    let ended = sqlx::query(AssertSqlSafe(sql))
        .bind(now.micros())
        .bind(cut(error))
        .bind(claim.id.as_str())
        .bind(claim.lease.as_str())
        .execute(&mut **tx)
        .await?;
    if ended.rows_affected() == 1 {
        attempts::keep(tx, claim.work, &claim.id, now, attempts::Outcome::GivenUp, error).await?;
    }
    Ok(())
}

/// Ends a claim well inside the transaction of its work; `set` is what else to write. The fence: when
/// the lease was lost, nothing of the transaction may be committed.
pub(crate) async fn end_well(tx: &mut Tx, claim: &Claim, set: &str) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE {} SET {set} starts = 0, next_attempt_at = NULL, last_error = NULL, lease = NULL, lease_until = NULL WHERE id = $1 AND lease = $2",
        claim.work.table()
    );
    let ended = sqlx::query(AssertSqlSafe(sql))
        .bind(claim.id.as_str())
        .bind(claim.lease.as_str())
        .execute(&mut **tx)
        .await?;
    if ended.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::LeaseLost(claim.id.clone()))
    }
}

/// Errors are kept short: an SMTP server may answer with a page.
pub(crate) fn cut(error: &str) -> String {
    error
        .chars()
        .take(500)
        .map(|c| if c == '\0' { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use sqlx::Row as _;

    async fn plan(store: &Store, sql: String) -> Vec<String> {
        let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps = sqlx::query(sql).fetch_all(store.reader()).await.unwrap();
        steps.iter().map(|step| step.get("detail")).collect()
    }

    #[tokio::test]
    async fn a_row_is_found_and_claimed_by_an_index_however_many_wait() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/truth.db", folder.path().display()))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        for work in Work::ALL {
            for order in ["ASC", "DESC"] {
                let due = plan(&store, due_now(*work, order, 10)).await;
                let sorted = due.iter().any(|step| step.contains("TEMP B-TREE"));
                let scanned = due
                    .iter()
                    .any(|step| step.starts_with("SCAN") && !step.contains("USING INDEX"));
                assert!(!sorted && !scanned, "{work}: {due:#?}");
            }
            let claim = plan(
                &store,
                format!("{CLAIMING} VALUES ('a', 1, 1, 'b', 2){}", claiming(*work, "", false)),
            )
            .await;
            let ways: Vec<&String> = claim.iter().filter(|step| step.contains(" USING ")).collect();
            let by_id = ways
                .iter()
                .filter(|way| way.contains("sqlite_autoindex") && way.ends_with("(id=?)"));
            let begun_often = ways.iter().filter(|way| way.contains("_begun_often"));
            let in_order = ways.iter().filter(|way| way.contains("_in_order"));
            let in_order = in_order.count();
            let stopped = |way: &&&String| way.contains("remembered") || way.contains("paused");
            let others = ways.iter().filter(stopped).count();
            assert_eq!(
                (by_id.count(), begun_often.count(), in_order, ways.len()),
                (3, 1, usize::from(*work == Work::Delivery), 4 + in_order + others),
                "{work}: {claim:#?}"
            );
        }
    }
}
