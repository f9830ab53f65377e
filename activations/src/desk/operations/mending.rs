//! Retry and drop: one row, or all that a filter finds, counted first.
//!
//! Retrying makes a row due at once with its counts at zero, whether it was put off, set apart or dropped. Dropping ends
//! it for good: it isn't tried again, stays where it is seen, with the reason, and can be retried all the same. A row
//! that somebody is working on is left alone.
//!
//! All of a filter are done in transactions of `BATCH` rows, the oldest first, never more than were counted, and each under
//! the condition that the row still stands as it was sought. If we crash in between, what was done is done, and the
//! audit has the order of it.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::rows::{kind_of, no_such_row};
use super::shapes::{list, stands};
use super::{Order, Sought, Standing};
use crate::clock::Timestamp;
use crate::desk::{Desk, Desking, moves::GIVE_UP_AFTER};
use crate::ledger::Work;
use crate::ledger::attempts::{self, Outcome};
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{maybe_text, number, text};

/// So many rows in one transaction: on SQLite the receiver waits for the same connection.
const BATCH: usize = 100;

/// Most rows of one order.
const MOST: usize = 1_000_000;

/// What is done to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mend {
    /// Try again now.
    Retry,
    /// Never try again.
    Drop,
}

impl Mend {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Retry => Outcome::Retried,
            Self::Drop => Outcome::Dropped,
        }
    }

    const fn act(self) -> &'static str {
        match self {
            Self::Retry => "work retried",
            Self::Drop => "work dropped",
        }
    }
}

/// How many rows a filter finds, and when they were counted.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Counted {
    /// So many.
    pub many: usize,
    /// When. What comes later is not meant.
    pub at: Timestamp,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// Done to so many.
    pub done: usize,
    /// Left as they are: changed meanwhile, being worked on, or not to be tried again.
    pub skipped: usize,
}

impl Desk {
    /// Retries or drops one row, by its id.
    ///
    /// # Errors
    /// Refused when there is none, it is done with, somebody is at it, or it can't be tried again or dropped.
    pub async fn mend(&self, mend: Mend, id: &str, order: Order<'_>) -> Result<(), DeskError> {
        order.check()?;
        let work = kind_of(id).ok_or_else(no_such_row)?;
        may_be(mend, work)?;
        let mut desking = self.begin().await?;
        self.mend_in(&mut desking, mend, work, id, order).await?;
        self.note(&mut desking, order.actor, mend.act(), id, order.reason)
            .await?;
        self.commit(desking).await
    }

    /// How many rows a filter finds that can be retried or dropped: those that wait, are put off, failed, or were
    /// dropped, whichever is asked for.
    ///
    /// # Errors
    /// Refused when the filter doesn't say how they stand, or says that they are done.
    pub async fn count_work(&self, work: Work, sought: &Sought) -> Result<Counted, DeskError> {
        must_stand(sought)?;
        let at = self.now();
        let many = self.found(work, sought, MOST).await?.len();
        Ok(Counted { many, at })
    }

    /// Retries or drops all that a filter finds, at most as many as were counted. `progress` hears how far it is.
    ///
    /// # Errors
    /// Refused as [`Desk::count_work`] is, or where a kind can't be dropped; when the store fails, what was done stays.
    pub async fn mend_all(
        &self,
        mend: Mend,
        (work, sought): (Work, &Sought),
        counted: Counted,
        order: Order<'_>,
        mut progress: impl FnMut(Mended),
    ) -> Result<Mended, DeskError> {
        order.check()?;
        may_be(mend, work)?;
        must_stand(sought)?;
        let until = sought.until.map_or(counted.at, |until| until.min(counted.at));
        let meant = Sought {
            // What came in the same moment was counted.
            until: Some(Timestamp::from_micros(until.micros().saturating_add(1))),
            ..sought.clone()
        };
        let ids = self.found(work, &meant, counted.many.min(MOST)).await?;
        let what = format!("{} of kind {work}, {}: {}", ids.len(), told(sought), order.reason);
        let mut begun = self.begin().await?;
        self.note(&mut begun, order.actor, mend.act(), work.as_str(), &what)
            .await?;
        self.commit(begun).await?;
        let mut mended = Mended::default();
        for batch in ids.chunks(BATCH) {
            let mut desking = self.begin().await?;
            for id in batch {
                match self.mend_in(&mut desking, mend, work, id, order).await {
                    Ok(()) => mended.done += 1,
                    Err(DeskError::Refused(_)) => mended.skipped += 1,
                    Err(error) => return Err(error),
                }
            }
            self.commit(desking).await?;
            progress(mended);
        }
        let report = format!("done {}, skipped {}", mended.done, mended.skipped);
        let mut ended = self.begin().await?;
        self.note(&mut ended, order.actor, mend.act(), work.as_str(), &report)
            .await?;
        self.commit(ended).await?;
        Ok(mended)
    }

    async fn found(&self, work: Work, sought: &Sought, limit: usize) -> Result<Vec<String>, DeskError> {
        let activation = self.activation_named(sought.text.as_deref()).await?;
        let list = list(work, sought, self.store.lease_time(self.now()), activation);
        Ok(list.ids(&self.store, sought, limit).await?)
    }

    /// Does it to one row inside a transaction. A refusal leaves the row as it was.
    async fn mend_in(
        &self,
        desking: &mut Desking,
        mend: Mend,
        work: Work,
        id: &str,
        order: Order<'_>,
    ) -> Result<(), DeskError> {
        let now = self.now();
        self.may_be_touched(desking, mend, work, id).await?;
        let failed_email = mend == Mend::Retry && work == Work::Email && !self.waits(desking, work, id).await?;
        if failed_email {
            // Only as long as what it says holds.
            self.send_again_in(desking, id).await?;
        } else {
            let set = match mend {
                Mend::Retry => retried(work, now),
                Mend::Drop => dropped(work, now),
            };
            let sql = format!(
                "UPDATE {} SET {set}, starts = 0, next_attempt_at = NULL, lease = NULL, lease_until = NULL WHERE id = $1",
                work.table()
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(id)
                .execute(&mut *desking.tx)
                .await?;
            if mend == Mend::Retry {
                desking.will_wait(work, id);
            }
        }
        attempts::keep(&mut desking.tx, work, id, now, mend.outcome(), &order.told()).await?;
        Ok(())
    }

    /// Holds the row until the end of the transaction, and refuses where nothing may be done to it.
    async fn may_be_touched(&self, desking: &mut Desking, mend: Mend, work: Work, id: &str) -> Result<(), DeskError> {
        let now = self.store.lease_time(self.now()).micros();
        let kind = if work == Work::Event {
            "t.kind"
        } else {
            "CAST(NULL AS TEXT)"
        };
        let dropped = if work == Work::Approval {
            "1 = 0"
        } else {
            stands(work, Standing::Dropped)
        };
        let case = |condition: &str| format!("CASE WHEN {condition} THEN 1 ELSE 0 END");
        let sql = format!(
            "SELECT {kind} AS kind, {waits} AS waits, {failed} AS failed, {dropped} AS dropped, {held} AS held FROM {table} t WHERE t.id = $1{locked}",
            waits = case(stands(work, Standing::Waiting)),
            failed = case(stands(work, Standing::Failed)),
            dropped = case(dropped),
            held = case(&format!("t.lease_until > {now}")),
            table = work.table(),
            locked = self.store.held("t"),
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&mut *desking.tx)
            .await?
            .ok_or_else(no_such_row)?;
        let is = |column: &str| number(&row, column).map(|one| one == 1);
        if is("held")? {
            return Err(being_worked_on().into());
        }
        let fits = match mend {
            Mend::Retry => is("waits")? || is("failed")? || is("dropped")?,
            Mend::Drop => (is("waits")? || is("failed")?) && !is("dropped")?,
        };
        if !fits {
            return Err(done_with().into());
        }
        if mend == Mend::Retry && maybe_text(&row, "kind")?.as_deref() == Some("quarantined") {
            return Err(unreadable().into());
        }
        Ok(())
    }

    async fn waits(&self, desking: &mut Desking, work: Work, id: &str) -> Result<bool, DeskError> {
        let sql = format!("SELECT state FROM {} WHERE id = $1", work.table());
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_one(&mut *desking.tx)
            .await?;
        Ok(text(&row, "state")? == "waiting")
    }
}

/// What trying again writes, as SQL.
fn retried(work: Work, now: Timestamp) -> String {
    let now_at = now.micros();
    match work {
        Work::Approval => "set_apart_at = NULL, attempts = 0".to_owned(),
        Work::Event => "state = 'waiting', processed_at = NULL, dropped_at = NULL, attempts = 0".to_owned(),
        // Those that wait already.
        Work::Email => "attempts = 0".to_owned(),
        Work::Reread | Work::Names => {
            format!("state = 'waiting', asked_at = {now_at}, answered_at = NULL, dropped_at = NULL, attempts = 0")
        }
        Work::Checkout => "state = 'waiting', dropped_at = NULL, attempts = 0".to_owned(),
        Work::Delivery => format!(
            "state = 'waiting', give_up_at = {}, dropped_at = NULL, attempts = 0",
            now.plus(GIVE_UP_AFTER).micros()
        ),
    }
}

/// What dropping writes, as SQL.
fn dropped(work: Work, now: Timestamp) -> String {
    let now = now.micros();
    let state = match work {
        Work::Event => format!("state = 'ignored', processed_at = {now}"),
        Work::Email => "state = 'withdrawn'".to_owned(),
        // What waits for the names is decided without them.
        Work::Reread | Work::Names => format!("state = 'failed', answered_at = {now}"),
        Work::Approval | Work::Checkout | Work::Delivery => "state = 'failed'".to_owned(),
    };
    format!("{state}, dropped_at = {now}")
}

fn told(sought: &Sought) -> String {
    let mut all = vec![sought.standing.map_or("any", Standing::as_str).to_owned()];
    let mut say = |what: &str, value: Option<String>| all.extend(value.map(|value| format!("{what} {value}")));
    say("of", sought.of.clone());
    say("since", sought.since.map(|at| at.to_string()));
    say("until", sought.until.map(|at| at.to_string()));
    say("named", sought.text.clone());
    all.join(", ")
}

fn must_stand(sought: &Sought) -> Result<(), Refused> {
    match sought.standing {
        Some(Standing::Waiting | Standing::PutOff | Standing::Failed | Standing::Dropped) => Ok(()),
        Some(Standing::Done) | None => Err(Refused::new(
            Kind::Invalid,
            "standing_needed",
            "Say which are meant: those that are waiting, put_off, failed or dropped.",
            "Zeg welke bedoeld zijn: die wachten (waiting), zijn uitgesteld (put_off), mislukt (failed) of afgevoerd (dropped).",
        )),
    }
}

fn may_be(mend: Mend, work: Work) -> Result<(), Refused> {
    if mend == Mend::Retry || work != Work::Approval {
        return Ok(());
    }
    Err(Refused::new(
        Kind::Conflict,
        "approval_not_dropped",
        "An approval can't be dropped: somebody waits for it. Withdraw the activation instead, or retry it.",
        "Een goedkeuring kan niet worden afgevoerd: er wacht iemand op. Trek de activering in, of probeer het opnieuw.",
    ))
}

fn being_worked_on() -> Refused {
    Refused::new(
        Kind::Conflict,
        "row_begun",
        "A worker is at this row at this moment; look again in a minute.",
        "Een worker is op dit moment met deze regel bezig; kijk over een minuut opnieuw.",
    )
}

fn done_with() -> Refused {
    Refused::new(
        Kind::Conflict,
        "row_done",
        "This row is done with, or was changed by somebody else: there is nothing to retry or drop.",
        "Deze regel is afgehandeld, of door iemand anders gewijzigd: er valt niets opnieuw te proberen of af te voeren.",
    )
}

fn unreadable() -> Refused {
    Refused::new(
        Kind::Conflict,
        "event_unreadable",
        "This message could not be read; trying again reads nothing else. After the program was mended, `eencent replay` reads it again.",
        "Dit bericht kon niet worden gelezen; opnieuw proberen verandert dat niet. Nadat het programma is hersteld, leest `eencent replay` het opnieuw.",
    )
}
