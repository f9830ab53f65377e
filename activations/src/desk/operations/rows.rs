//! Rows of work, of each kind alike: those that wait, failed, were dropped or are done; and one with every attempt.

use serde::Serialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::shapes::{Shape, list, shape, stands};
use super::sought::{Page, Sought, Standing};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::ledger::Work;
use crate::ledger::attempts::AttemptView;
use crate::ledger::paused::Paused;
use crate::masking::masked_text;
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, instant, maybe_instant, maybe_text, named, number, text};
use crate::trace::TraceParent;

/// One row of work.
#[derive(Debug, Clone, Serialize)]
pub struct WorkRow {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub standing: Standing,
    /// Since when it is there.
    pub since: Timestamp,
    /// Of what: the endpoint, the kind of e-mail, the method, the scheme of the number.
    pub of: String,
    /// What it is about, in a word: the payment, the type of event, the subject.
    pub about: Option<String>,
    /// The activation that it is of.
    pub activation: Option<String>,
    /// How often it failed since it was last put right.
    pub attempts: i64,
    /// When it is tried again, or takes effect.
    pub next_at: Option<Timestamp>,
    /// Whether somebody is at it, by its lease.
    pub begun: bool,
    /// When it was done with.
    pub done_at: Option<Timestamp>,
    /// When a person dropped it.
    pub dropped_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// One row with every attempt that was kept.
#[derive(Debug, Clone, Serialize)]
pub struct WorkPage {
    /// Its kind.
    pub kind: &'static str,
    /// The row.
    pub row: WorkRow,
    /// The id of the trace that it is worked on in, as a collector finds it; none where no traces are put out.
    pub trace: Option<String>,
    /// What went wrong, and what people did to it; the newest first.
    pub attempts: Vec<AttemptView>,
}

/// How much there is of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct WorkCounts {
    /// The kind.
    pub kind: &'static str,
    /// Waits and is due.
    pub due: i64,
    /// Waits until later: put off, or scheduled.
    pub later: i64,
    /// Of those that wait, how many failed before.
    pub put_off: i64,
    /// Somebody is at it.
    pub begun: i64,
    /// Was set apart or given up, and not dropped.
    pub failed: i64,
    /// Since when the oldest of those that are due waits.
    pub oldest: Option<Timestamp>,
    /// Who holds it back, since when and why.
    pub paused: Option<Paused>,
}

fn read(row: &AnyRow) -> Result<WorkRow, StoreError> {
    let standing = named(row, "standing", Standing::parse)?;
    let waits = matches!(standing, Standing::Waiting | Standing::PutOff);
    Ok(WorkRow {
        id: text(row, "row_id")?,
        standing,
        since: instant(row, "since")?,
        of: text(row, "of_what")?,
        about: maybe_text(row, "about")?,
        activation: maybe_text(row, "activation")?,
        attempts: number(row, "attempts")?,
        next_at: maybe_instant(row, "next_at")?.filter(|_| waits),
        begun: number(row, "begun")? == 1,
        done_at: maybe_instant(row, "done_at")?,
        dropped_at: maybe_instant(row, "dropped_at")?,
        last_error: maybe_text(row, "last_error")?.map(|said| masked_text(&said)),
    })
}

impl Desk {
    /// The activation that a text names by id or reference.
    pub(super) async fn activation_named(&self, said: Option<&str>) -> Result<Option<String>, StoreError> {
        let Some(said) = said.map(str::trim) else {
            return Ok(None);
        };
        let row = sqlx::query("SELECT id FROM activations WHERE id = $1 OR reference = $2")
            .bind(said)
            .bind(said.replace(' ', "").to_uppercase())
            .fetch_optional(self.store.reader())
            .await?;
        row.map(|row| text(&row, "id")).transpose()
    }

    /// Rows of a kind of work. Of approvals those that are to be carried out: the others are activations like any.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn work_rows(&self, work: Work, sought: &Sought) -> Result<Page<WorkRow>, DeskError> {
        let activation = self.activation_named(sought.text.as_deref()).await?;
        let now = self.store.lease_time(self.now());
        let list = list(work, sought, now, activation);
        Ok(list.page(&self.store, sought, read).await?)
    }

    /// One row with every attempt that was kept, and which kind it is of by its id.
    ///
    /// # Errors
    /// Refused when there is none with this id.
    pub async fn work_row(&self, id: &str) -> Result<WorkPage, DeskError> {
        let work = kind_of(id).ok_or_else(no_such_row)?;
        let sought = Sought {
            text: Some(id.to_owned()),
            limit: 2,
            ..Sought::default()
        };
        let now = self.store.lease_time(self.now());
        let mut list = list(work, &sought, now, None);
        list.few = vec![("t.id = ?".to_owned(), vec![id.to_owned()])];
        let page = list.page(&self.store, &sought, read).await?;
        let row = page.rows.into_iter().next().ok_or_else(no_such_row)?;
        let mut attempts = self.store.attempts_at(work, id).await?;
        for attempt in &mut attempts {
            attempt.error = masked_text(&attempt.error);
        }
        let trace = sqlx::query(AssertSqlSafe(format!(
            "SELECT traceparent FROM {} WHERE id = $1",
            work.table()
        )))
        .bind(id)
        .fetch_optional(self.store.reader())
        .await?;
        let trace = trace.map(|row| maybe_text(&row, "traceparent")).transpose()?.flatten();
        Ok(WorkPage {
            kind: work.as_str(),
            row,
            trace: trace.and_then(|text| Some(TraceParent::parse(&text)?.trace())),
            attempts,
        })
    }

    /// How much there is of each kind, and what is paused.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn work_counts(&self) -> Result<Vec<WorkCounts>, DeskError> {
        let now = self.now();
        let leases = self.store.lease_time(now).micros();
        let paused = self.store.paused().await?;
        let mut all = Vec::with_capacity(Work::ALL.len());
        for work in Work::ALL {
            let Shape { time, .. } = shape(*work);
            let later = match work {
                Work::Approval => "COALESCE(t.next_attempt_at, t.due_at)",
                _ => "t.next_attempt_at",
            };
            let now = now.micros();
            let sql = format!(
                "SELECT COUNT(*) AS many, CAST(COALESCE(SUM(CASE WHEN {later} > {now} THEN 1 ELSE 0 END), 0) AS BIGINT) AS later, \
                 CAST(COALESCE(SUM(CASE WHEN t.attempts > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS put_off, \
                 CAST(COALESCE(SUM(CASE WHEN t.lease_until > {leases} THEN 1 ELSE 0 END), 0) AS BIGINT) AS begun, \
                 MIN(CASE WHEN {later} > {now} THEN NULL ELSE {time} END) AS oldest, \
                 (SELECT COUNT(*) FROM {table} t WHERE {failed}) AS failed FROM {table} t WHERE {waits}",
                table = work.table(),
                failed = stands(*work, Standing::Failed),
                waits = stands(*work, Standing::Waiting),
            );
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(self.store.reader()).await?;
            let later = number(&row, "later")?;
            all.push(WorkCounts {
                kind: work.as_str(),
                due: number(&row, "many")? - later,
                later,
                put_off: number(&row, "put_off")?,
                begun: number(&row, "begun")?,
                failed: number(&row, "failed")?,
                oldest: maybe_instant(&row, "oldest")?,
                paused: paused.iter().find(|one| one.work == *work).cloned(),
            });
        }
        Ok(all)
    }
}

/// Which kind of work a row's id says that it is of.
pub(super) fn kind_of(id: &str) -> Option<Work> {
    let (prefix, _) = id.split_once('_')?;
    Some(match prefix {
        "evt" => Work::Event,
        "act" => Work::Approval,
        "eml" => Work::Email,
        "rrd" => Work::Reread,
        "chk" => Work::Checkout,
        "dlv" => Work::Delivery,
        "rfr" => Work::Names,
        _ => return None,
    })
}

pub(super) fn no_such_row() -> Refused {
    Refused::new(
        Kind::NotFound,
        "row_unknown",
        "There is no row with this id: `eencent queue list` shows those there are.",
        "Er is geen regel met dit id: `eencent queue list` toont welke er zijn.",
    )
}
