//! Rows of work, of each kind alike: those that wait, failed, were dropped or are done; and one with every attempt.

use serde::Serialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::sought::{Condition, List, Page, Sought, Standing};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::ledger::Work;
use crate::ledger::attempts::AttemptView;
use crate::ledger::paused::Paused;
use crate::masking::masked_text;
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, instant, maybe_instant, maybe_text, named, number, text};

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

/// The order in which approvals take effect, or nothing for one that doesn't: what its index is of.
const APPROVALS: &str = "CASE WHEN t.set_apart_at IS NOT NULL THEN NULL WHEN t.state = 'approved' THEN 0 \
     WHEN t.state = 'scheduled' THEN t.due_at END IS NOT NULL";

/// Which rows stand so, as SQL.
pub(super) fn stands(work: Work, standing: Standing) -> &'static str {
    match (work, standing) {
        (Work::Approval, Standing::Waiting | Standing::PutOff) => APPROVALS,
        (Work::Approval, Standing::Failed) => "t.set_apart_at IS NOT NULL",
        // There are none, and an index finds that out.
        (Work::Approval, Standing::Dropped | Standing::Done) => "t.set_apart_at IS NOT NULL AND 1 = 0",
        (_, Standing::Waiting | Standing::PutOff) => "t.state = 'waiting'",
        (Work::Event, Standing::Failed) => "t.state = 'quarantined'",
        (_, Standing::Failed) => "t.state = 'failed' AND t.dropped_at IS NULL",
        (_, Standing::Dropped) => "t.dropped_at IS NOT NULL",
        (Work::Event, Standing::Done) => "t.state IN ('processed', 'ignored') AND t.dropped_at IS NULL",
        (Work::Email, Standing::Done) => "t.state IN ('sent', 'withdrawn') AND t.dropped_at IS NULL",
        (_, Standing::Done) => "t.state NOT IN ('waiting', 'failed')",
    }
}

/// How a row stands, as SQL.
fn standing(work: Work) -> &'static str {
    match work {
        Work::Approval => {
            "CASE WHEN t.set_apart_at IS NOT NULL THEN 'failed' WHEN t.state NOT IN ('approved', 'scheduled') THEN 'done' \
             WHEN t.attempts > 0 THEN 'put_off' ELSE 'waiting' END"
        }
        _ => {
            "CASE WHEN t.dropped_at IS NOT NULL THEN 'dropped' WHEN t.state IN ('failed', 'quarantined') THEN 'failed' \
             WHEN t.state <> 'waiting' THEN 'done' WHEN t.attempts > 0 THEN 'put_off' ELSE 'waiting' END"
        }
    }
}

/// Where rows of a kind are, and what their columns are called.
struct Shape {
    joins: &'static str,
    prefix: Option<&'static str>,
    time: &'static str,
    of: &'static str,
    about: &'static str,
    activation: &'static str,
    next_at: &'static str,
    done_at: &'static str,
}

const NOTHING: &str = "CAST(NULL AS TEXT)";
const NEVER: &str = "CAST(NULL AS BIGINT)";

const fn shape(work: Work) -> Shape {
    let plain = Shape {
        joins: "",
        prefix: None,
        time: "t.created_at",
        of: "t.endpoint",
        about: NOTHING,
        activation: "t.activation_id",
        next_at: "t.next_attempt_at",
        done_at: NEVER,
    };
    match work {
        Work::Event => Shape {
            joins: "JOIN notifications n ON n.id = t.notification_id",
            prefix: Some("evt"),
            time: "t.received_at",
            of: "n.endpoint",
            about: "t.payment_id",
            done_at: "t.processed_at",
            ..plain
        },
        Work::Approval => Shape {
            prefix: Some("act"),
            time: "COALESCE(t.decided_at, t.due_at, t.created_at)",
            of: "t.method",
            about: "t.reference",
            activation: "t.id",
            next_at: "COALESCE(t.next_attempt_at, t.due_at)",
            ..plain
        },
        Work::Email => Shape {
            prefix: Some("eml"),
            of: "t.kind",
            done_at: "t.sent_at",
            ..plain
        },
        Work::Reread => Shape {
            time: "t.asked_at",
            about: "t.subject",
            activation: NOTHING,
            done_at: "t.answered_at",
            ..plain
        },
        Work::Checkout => Shape {
            prefix: Some("chk"),
            about: "t.payment_id",
            ..plain
        },
        Work::Delivery => Shape {
            joins: "JOIN outgoing_events o ON o.id = t.event_id",
            prefix: Some("dlv"),
            about: "o.type",
            done_at: "t.delivered_at",
            ..plain
        },
        Work::Names => Shape {
            time: "t.asked_at",
            // Not by a join, which SQLite would begin at the activations.
            of: "(SELECT a.identifier_scheme FROM activations a WHERE a.id = t.activation_id)",
            done_at: "t.answered_at",
            ..plain
        },
    }
}

/// What a text names, of rows of a kind: an id, or what belongs to an activation, a payment or a message.
fn named_by(work: Work, said: &str, activation: Option<String>) -> Condition {
    let said = said.to_owned();
    match work {
        Work::Event | Work::Reread => {
            let events = "SELECT e.id FROM events e WHERE e.id = ? OR e.event_id = ? OR e.payment_id = ? OR e.notification_id = ? \
                 UNION SELECT e.id FROM payments p JOIN events e ON e.payment_id = p.payment_id AND e.account = p.account \
                 WHERE p.activation_id = ?";
            let message = said.replacen("req_", "ntf_", 1);
            let values = vec![
                said.clone(),
                said.clone(),
                said.clone(),
                message,
                activation.unwrap_or_default(),
            ];
            match work {
                Work::Event => (format!("t.id IN ({events})"), values),
                _ => {
                    let mut all = vec![said];
                    all.extend(values);
                    (format!("t.id = ? OR t.event IN ({events})"), all)
                }
            }
        }
        Work::Approval => ("t.id = ?".to_owned(), vec![activation.unwrap_or(said)]),
        Work::Delivery => (
            "t.id = ? OR t.event_id = ? OR t.activation_id = ?".to_owned(),
            vec![said.clone(), said, activation.unwrap_or_default()],
        ),
        Work::Email | Work::Checkout | Work::Names => (
            "t.id = ? OR t.activation_id = ?".to_owned(),
            vec![said, activation.unwrap_or_default()],
        ),
    }
}

/// Approvals that wait or were set apart, each by its index.
fn to_be_carried_out() -> String {
    let those = |standing| {
        let condition = stands(Work::Approval, standing).replace("t.", "x.");
        format!("SELECT x.id FROM activations x WHERE {condition}")
    };
    format!(
        "t.id IN ({} UNION ALL {})",
        those(Standing::Waiting),
        those(Standing::Failed)
    )
}

/// The list of a kind, as it is sought.
pub(super) fn list(work: Work, sought: &Sought, now: Timestamp, activation: Option<String>) -> List {
    let Shape {
        joins,
        prefix,
        time,
        of,
        about,
        activation: whose,
        next_at,
        done_at,
    } = shape(work);
    let mut few = Vec::new();
    let mut more = Vec::new();
    match sought.standing {
        Some(Standing::Done) => more.push((stands(work, Standing::Done).to_owned(), Vec::new())),
        Some(one) => few.push((stands(work, one).to_owned(), Vec::new())),
        // Activations are another list; here are those that are to be carried out.
        None if work == Work::Approval => few.push((to_be_carried_out(), Vec::new())),
        None => {}
    }
    if sought.standing == Some(Standing::PutOff) {
        more.push(("t.attempts > 0".to_owned(), Vec::new()));
    }
    if let Some(said) = &sought.text {
        few.push(named_by(work, said.trim(), activation));
    }
    if let Some(wanted) = &sought.of {
        match work {
            Work::Event => more.push((
                "n.endpoint = ? OR n.provider = ?".to_owned(),
                vec![wanted.clone(), wanted.clone()],
            )),
            _ => more.push((format!("{of} = ?"), vec![wanted.clone()])),
        }
    }
    let dropped_at = if work == Work::Approval { NEVER } else { "t.dropped_at" };
    List {
        table: work.table(),
        id: "id",
        prefix,
        joins,
        columns: format!(
            "{standing} AS standing, {time} AS since, {of} AS of_what, {about} AS about, {whose} AS activation, \
             t.attempts AS attempts, {next_at} AS next_at, \
             CASE WHEN t.lease_until > {now} THEN 1 ELSE 0 END AS begun, {done_at} AS done_at, {dropped_at} AS dropped_at, \
             t.last_error AS last_error",
            standing = standing(work),
            now = now.micros(),
        ),
        time,
        few,
        more,
    }
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
        Ok(WorkPage {
            kind: work.as_str(),
            row,
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn no_list_walks_through_a_whole_table() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/truth.db", folder.path().display()))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let at = Timestamp::from_unix_seconds(1_773_000_000);
        let standings = Standing::ALL.iter().copied().map(Some).chain([None]);
        for standing in standings {
            for work in Work::ALL {
                for filter in 0..8 {
                    let sought = Sought {
                        standing,
                        of: (filter & 1 == 1).then(|| "mollie".to_owned()),
                        since: (filter & 2 == 2).then_some(at),
                        until: (filter & 2 == 2).then_some(at),
                        text: (filter & 4 == 4).then(|| "tr_1".to_owned()),
                        oldest_first: filter % 3 == 0,
                        ..Sought::default()
                    };
                    let list = list(*work, &sought, at, Some("act_1".to_owned()));
                    let (sql, values) = list.statements(&sought);
                    let mut query = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
                    for value in &values {
                        query = query.bind(value.as_str());
                    }
                    let steps = query.fetch_all(store.reader()).await.unwrap();
                    let steps: Vec<String> = steps.iter().map(|step| text(step, "detail").unwrap()).collect();
                    // Along all ids only where nothing is sought, or through so many.
                    let all = list.few.is_empty();
                    let walks = steps.iter().any(|step| {
                        step.starts_with("SCAN ")
                            && !step.starts_with("SCAN w")
                            && (!step.contains("INDEX") || (step.contains("autoindex") && !all))
                    });
                    assert!(!walks, "{work} {sought:?}: {sql}\n{steps:#?}");
                }
            }
        }
    }
}
