//! Rows that wait for work: what is due, who is at it, and what became of it.
//!
//! A queue may lose or repeat what it was told; the rows don't. A claim holds for a lease. Starting is
//! committed before the work begins, so that a row that kills its process is noticed: after
//! [`MAX_STARTS`] starts without an end it is set apart and the next one goes on.
//!
//! - `kinds`: the kinds of work, and what tells of a row of each that it waits.
//! - `claims`: taking a row, and ending with it.
//! - `backlog`: how much waits, and how long.
//! - `pulse`: which processes live; `mail_pace`: how many e-mails a minute.

mod backlog;
mod claims;
mod kinds;
pub(crate) mod mail_pace;
pub(crate) mod pulse;

use sqlx::AssertSqlSafe;

use crate::clock::Timestamp;
use crate::store::{Store, StoreError, text};

pub use backlog::Waiting;
pub use claims::{Claim, MAX_STARTS};
pub(crate) use claims::{end_well, put_back_in};
pub use kinds::Work;
pub use pulse::{BEAT, Pulse, SILENT_FOR};

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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::claims::{CLAIMING, claiming};
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
            let others = ways.iter().filter(|way| way.contains("remembered")).count();
            assert_eq!(
                (by_id.count(), begun_often.count(), in_order, ways.len()),
                (3, 1, usize::from(*work == Work::Delivery), 4 + in_order + others),
                "{work}: {claim:#?}"
            );
        }
    }
}
