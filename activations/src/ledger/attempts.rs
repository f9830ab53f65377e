//! What went wrong with a row, attempt by attempt: a row itself only says what went wrong last.
//!
//! Written in the transaction that notes the failure. A row that fails for days doesn't fill the disk: its newest
//! `KEPT` stay.

use serde::Serialize;
use sqlx::any::AnyRow;

use super::{Work, cut};
use crate::clock::Timestamp;
use crate::store::{Store, StoreError, Tx, instant, named, number, text};

/// So many attempts of a row are kept.
const KEPT: i64 = 20;

/// What came of an attempt, or what a person did to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It failed, and is tried again.
    Again,
    /// It was set apart.
    GivenUp,
    /// A person had it tried again.
    Retried,
    /// A person dropped it.
    Dropped,
    /// Its message was read again by a person's order.
    Replayed,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Again, Self::GivenUp, Self::Retried, Self::Dropped, Self::Replayed];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::GivenUp => "given_up",
            Self::Retried => "retried",
            Self::Dropped => "dropped",
            Self::Replayed => "replayed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// One attempt that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptView {
    /// Which, counted from the first.
    pub number: i64,
    /// When it ended.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// What went wrong; or who did something to the row, and why.
    pub error: String,
}

impl AttemptView {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            number: number(row, "number")?,
            at: instant(row, "at")?,
            outcome: named(row, "outcome", Outcome::parse)?,
            error: text(row, "error")?,
        })
    }
}

/// Keeps one, in the transaction that writes it on the row: whoever does holds the row.
pub(crate) async fn keep(
    tx: &mut Tx,
    work: Work,
    id: &str,
    now: Timestamp,
    outcome: Outcome,
    error: &str,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "INSERT INTO attempts (kind, row_id, number, at, outcome, error) \
         SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COALESCE(MAX(number), 0) + 1, CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT) \
         FROM attempts WHERE kind = $1 AND row_id = $2 RETURNING number",
    )
    .bind(work.as_str())
    .bind(id)
    .bind(now.micros())
    .bind(outcome.as_str())
    .bind(cut(error))
    .fetch_one(&mut **tx)
    .await?;
    let beyond = number(&row, "number")? - KEPT;
    if beyond > 0 {
        sqlx::query("DELETE FROM attempts WHERE kind = $1 AND row_id = $2 AND number <= $3")
            .bind(work.as_str())
            .bind(id)
            .bind(beyond)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

impl Store {
    /// The attempts at a row that were kept, the newest first.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub(crate) async fn attempts_at(&self, work: Work, id: &str) -> Result<Vec<AttemptView>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, at, outcome, error FROM attempts WHERE kind = $1 AND row_id = $2 ORDER BY number DESC",
        )
        .bind(work.as_str())
        .bind(id)
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(AttemptView::read).collect()
    }
}
