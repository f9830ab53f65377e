//! What happens because time passes: reminders, ends, changed office hours, schedules.

use std::time::Duration;

use serde_json::{Value, json};

use super::moves::{Activation, Line, SELECT};
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::money::Money;
use crate::refused::DeskError;
use crate::state::{Happening, State};
use crate::store::{StoreError, maybe_text, text};

/// How many were reminded, and how many came to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// Reminded.
    pub reminded: u32,
    /// Expired.
    pub expired: u32,
}

/// How long it is remembered that a schedule has run; no schedule is caught up over a longer time.
const RUNS_REMEMBERED: Duration = Duration::from_secs(40 * 24 * 60 * 60);

impl Desk {
    /// Sends the reminders and makes the ends that are due, at most `limit` of each. Call again while
    /// either is not zero.
    ///
    /// # Errors
    /// When the store doesn't answer; what was done before stays done.
    pub async fn time_passes(&self, limit: u32) -> Result<Passed, DeskError> {
        let now = self.now();
        let mut passed = Passed::default();
        for (column, remind) in [("expires_at", false), ("remind_at", true)] {
            for id in self.ids_before(column, now, limit).await? {
                match self.pass_one(&id, now, remind).await {
                    Ok(true) if remind => passed.reminded += 1,
                    Ok(true) => passed.expired += 1,
                    Ok(false) => {}
                    // A row that can't be read must not keep the others from their end.
                    Err(DeskError::Store(error @ crate::store::StoreError::Unreadable(_))) => {
                        tracing::error!(activation = id, error = %error, "could not remind or expire");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        self.look_after_checkouts(limit).await?;
        self.decide_without_register(limit).await?;
        if passed == Passed::default() {
            self.store.forget_seen(now).await?;
        }
        Ok(passed)
    }

    async fn pass_one(&self, id: &str, now: Timestamp, remind: bool) -> Result<bool, DeskError> {
        let mut work = self.begin().await?;
        self.hold_payments_of(&mut work, id).await?;
        let Some(mut a) = self.load(&mut work, id).await? else {
            return Ok(false);
        };
        let due = if remind { a.remind_at } else { a.expires_at };
        if due.is_none_or(|at| at > now) {
            return Ok(false);
        }
        let moved = if remind && self.is_paid(&mut work, &a).await? {
            // Nobody is asked to pay who has, while a name is awaited or the register is asked.
            sqlx::query("UPDATE activations SET remind_at = NULL WHERE id = $1")
                .bind(id)
                .execute(&mut *work.tx)
                .await?;
            false
        } else if remind {
            a.remind_at = None;
            let email = self.part_paid(&mut work, &a).await?;
            let line = Line {
                email,
                ..Line::by_system(Happening::Reminded, "halfway to its end")
            };
            self.make(&mut work, &mut a, line).await?;
            true
        } else {
            self.end(&mut work, &mut a).await?
        };
        self.commit(work).await?;
        Ok(moved)
    }

    /// Its time is up, unless money for all of it is in and only being looked at: then it doesn't
    /// expire for want of payment.
    async fn end(&self, work: &mut Desking, activation: &mut Activation) -> Result<bool, DeskError> {
        if activation.state == State::AwaitingPayment && self.may_be_paid(work, activation).await? {
            return Ok(false);
        }
        if self.is_paid(work, activation).await? {
            // It waits for a name, not for money; without an end it isn't looked at here again.
            sqlx::query("UPDATE activations SET expires_at = NULL, remind_at = NULL WHERE id = $1")
                .bind(activation.id.as_str())
                .execute(&mut *work.tx)
                .await?;
            return Ok(false);
        }
        let was = activation.state.as_str();
        let unpaid = !self.covers(work, activation).await?;
        self.void_link(work, activation).await?;
        self.let_go(work, activation).await?;
        // Nobody pays it any more: without a credit note the books would keep an open claim. One that was paid is
        // settled; whether the money goes back, a person decides.
        if unpaid {
            self.credit(work, activation).await?;
        }
        let line = Line {
            happening: Happening::TimeUp,
            actor: "system",
            reason: "its time is up",
            email: serde_json::json!({ "was": was }),
        };
        self.make(work, activation, line).await?;
        Ok(true)
    }

    /// What has come in and what is missing, where part of it was paid: whoever is reminded pays no more than the rest.
    async fn part_paid(&self, work: &mut Desking, activation: &Activation) -> Result<Value, DeskError> {
        let received = self.received(work, activation).await?;
        if activation.state != State::AwaitingPayment || received <= 0 {
            return Ok(json!({}));
        }
        let Money { minor, currency } = activation.amount;
        let missing = Money::new(minor.saturating_sub(received), currency);
        let received = Money::new(received, currency);
        Ok(json!({ "received": received.value(), "missing": missing.value() }))
    }

    /// Whether a message that came in time wasn't looked at yet: it may tell of its payment. It is asked again the next
    /// time. Those that were looked at and wait for something hold nothing up.
    async fn may_be_paid(&self, work: &mut Desking, activation: &Activation) -> Result<bool, DeskError> {
        let Some(end) = activation.expires_at else {
            return Ok(false);
        };
        let waiting = sqlx::query(
            "SELECT 1 FROM events WHERE state = 'waiting' AND next_attempt_at IS NULL AND received_at < $1 LIMIT 1",
        )
        .bind(end.micros())
        .fetch_optional(&mut *work.tx)
        .await
        .map_err(StoreError::from)?;
        Ok(waiting.is_some())
    }

    /// Whether money for all of it is in, and only being looked at.
    async fn is_paid(&self, work: &mut Desking, activation: &Activation) -> Result<bool, DeskError> {
        Ok(activation.state == State::AwaitingPayment && self.covers(work, activation).await?)
    }

    /// Whether what has come in is all of it.
    async fn covers(&self, work: &mut Desking, activation: &Activation) -> Result<bool, DeskError> {
        Ok(self.received(work, activation).await? >= activation.amount.minor)
    }

    /// The minor units that have come in.
    async fn received(&self, work: &mut Desking, activation: &Activation) -> Result<i64, DeskError> {
        let paid = self.counting(work, &activation.id).await?;
        let amounts = paid.iter().filter_map(|payment| payment.amount);
        Ok(amounts.fold(0_i64, |sum, amount| sum.saturating_add(amount.minor)))
    }

    async fn ids_before(&self, column: &'static str, now: Timestamp, limit: u32) -> Result<Vec<String>, DeskError> {
        let sql = format!("SELECT id FROM activations WHERE {column} <= $1 ORDER BY {column} LIMIT {limit}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now.micros())
            .fetch_all(self.store.reader())
            .await?;
        Ok(rows.iter().map(|row| text(row, "id")).collect::<Result<_, _>>()?)
    }

    /// Computes again when scheduled activations take effect, if the office hours in the settings are
    /// not those that they were scheduled by. Returns how many changed.
    ///
    /// # Errors
    /// When the store doesn't answer; it is done again at the next start then.
    pub async fn hours_changed(&self) -> Result<u32, DeskError> {
        let hours = &self.rules.hours;
        let current = format!("{} @ {}", hours.expression(), hours.zone());
        let known = sqlx::query("SELECT value FROM remembered WHERE name = 'office_hours'")
            .fetch_optional(self.store.reader())
            .await?;
        let known = known.map(|row| maybe_text(&row, "value")).transpose()?.flatten();
        if known.as_deref() == Some(current.as_str()) {
            return Ok(0);
        }
        let sql = format!("{SELECT} WHERE a.state = 'scheduled'");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(self.store.reader())
            .await?;
        let mut changed = 0;
        for row in rows {
            let id = Activation::read(&row)?.id;
            let mut work = self.begin().await?;
            if let Some(mut activation) = self.load(&mut work, &id).await?
                && activation.state == State::Scheduled
                && self.reschedule(&mut work, &mut activation).await?
            {
                self.commit(work).await?;
                changed += 1;
            }
        }
        // Remembered last: if we crash before this, it is all computed again and changes nothing twice.
        let mut work = self.begin().await?;
        sqlx::query("INSERT INTO remembered (name, value) VALUES ('office_hours', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(current)
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await?;
        Ok(changed)
    }

    async fn reschedule(&self, work: &mut Desking, activation: &mut Activation) -> Result<bool, DeskError> {
        let now = self.now();
        let decided = activation.decided_at.unwrap_or(now);
        let hours = &self.rules.hours;
        // What lay within the new hours takes effect now; the rest at the next opening from now.
        let within = hours.takes_effect(activation.made_at, decided) == Some(decided);
        let due = if within { Some(now) } else { hours.next_opening(now) };
        let Some(due) = due.filter(|due| Some(*due) != activation.due_at) else {
            return Ok(false);
        };
        activation.due_at = Some(due);
        let why = format!("the office hours are now {}; takes effect {due}", hours.expression());
        self.make(work, activation, Line::by_system(Happening::HoursChanged, &why))
            .await?;
        work.will_wait(crate::ledger::Work::Approval, &activation.id);
        Ok(true)
    }

    /// Whether this process is the one that runs a schedule at one of its times: true once, on however
    /// many machines.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn begin_scheduled(&self, schedule: &str, fire_at: Timestamp) -> Result<bool, DeskError> {
        let mut work = self.begin().await?;
        let mine = sqlx::query(
            "INSERT INTO schedule_runs (schedule, fire_at) VALUES ($1, $2) ON CONFLICT (schedule, fire_at) DO NOTHING",
        )
        .bind(schedule)
        .bind(fire_at.micros())
        .execute(&mut *work.tx)
        .await?;
        sqlx::query("DELETE FROM schedule_runs WHERE schedule = $1 AND fire_at < $2")
            .bind(schedule)
            .bind(fire_at.minus(RUNS_REMEMBERED).micros())
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await?;
        Ok(mine.rows_affected() == 1)
    }
}
