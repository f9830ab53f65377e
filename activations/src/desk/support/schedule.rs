//! What is approved and takes effect when, and why then; and two acts on it: now, or not after all.

use serde::Serialize;
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::clock::Timestamp;
use crate::desk::moves::{Activation, Line};
use crate::desk::{Act, Actor, Desk};
use crate::ledger::Work;
use crate::refused::{DeskError, Kind, Refused};
use crate::rules::Completion;
use crate::state::{Happening, Method, State};
use crate::store::{StoreError, instant, maybe_instant, maybe_number, maybe_text, named, number, text};
use crate::views::{ActivationView, ReasonView};

/// One that takes effect some time.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduledRow {
    /// The activation.
    pub activation: String,
    /// Its reference.
    pub reference: String,
    /// The organisation's statutory name.
    pub organisation: String,
    /// By which method.
    pub method: Method,
    /// `approved` or `scheduled`.
    pub state: State,
    /// When it takes effect.
    pub due_at: Timestamp,
    /// What that brings: the round-off link, or the activation itself (`link`, `immediate`).
    pub completion: String,
    /// When the payment was made that office hours look at; none when a person decided.
    pub made_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// By whom: `system`, or a person.
    pub decided_by: String,
    /// It could not be carried out, and waits for operations.
    pub set_apart: bool,
    /// What an act on it has to carry.
    pub version: i64,
}

/// A page of the schedule.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduledPage {
    /// What takes effect first, first; before all, on the first page, what could not be carried out.
    pub rows: Vec<ScheduledRow>,
    /// What to ask for after this page; none when it is the last.
    pub next: Option<String>,
}

const ROWS: &str = "SELECT a.id, a.reference, a.method, a.state, a.due_at, a.completion, a.made_at, a.decided_at, a.version, a.set_apart_at, \
     o.legal_name, (SELECT h.actor FROM history h WHERE h.activation_id = a.id AND h.to_state = 'approved' ORDER BY h.number DESC LIMIT 1) \
     AS decided_by FROM activations a JOIN organisations o ON o.id = a.organisation_id";

/// When an approval is due, as its index has it.
const DUE: &str = "(CASE WHEN a.set_apart_at IS NOT NULL THEN NULL WHEN a.state = 'approved' THEN 0 WHEN a.state = 'scheduled' THEN a.due_at END)";

/// Those after a place, and those that are set apart.
fn statements(after: Option<(i64, &str)>, limit: usize) -> (String, Option<String>) {
    let beyond = after.map_or_else(
        || format!("{DUE} IS NOT NULL"),
        |(due, _)| format!("{DUE} >= {due} AND ({DUE} > {due} OR a.id > $1)"),
    );
    let first = format!("{ROWS} WHERE {beyond} ORDER BY {DUE}, a.id LIMIT {}", limit + 1);
    // Written so that the index by state isn't taken for it: what is set apart is hardly ever any.
    let apart = after.is_none().then(|| {
        format!("{ROWS} WHERE a.set_apart_at IS NOT NULL AND a.state || '' IN ('approved', 'scheduled') ORDER BY a.id LIMIT {limit}")
    });
    (first, apart)
}

impl Desk {
    /// What takes effect when: after the place at which the page before ended, at most `limit`.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn schedule(&self, after: Option<&str>, limit: u32) -> Result<ScheduledPage, DeskError> {
        let limit = limit.clamp(1, 200) as usize;
        let place = after.and_then(|place| place.split_once('.'));
        let place = place.and_then(|(due, id)| Some((due.parse::<i64>().ok()?, id)));
        let (sql, apart) = statements(place, limit);
        let mut connection = self.store.reader().acquire().await?;
        let mut query = sqlx::query(AssertSqlSafe(sql));
        if let Some((_, id)) = place {
            query = query.bind(id);
        }
        let rows = query.fetch_all(&mut *connection).await?;
        let mut all = Vec::with_capacity(rows.len());
        if let Some(sql) = apart {
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await?;
            all = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        }
        let shown = rows.iter().take(limit).map(row).collect::<Result<Vec<_>, _>>()?;
        let next = shown.last().filter(|_| rows.len() > limit).map(|last| {
            let due = if last.state == State::Approved {
                0
            } else {
                last.due_at.micros()
            };
            format!("{due}.{}", last.activation)
        });
        all.extend(shown);
        Ok(ScheduledPage { rows: all, next })
    }

    /// Makes what is scheduled take effect now rather than when the office opens.
    ///
    /// # Errors
    /// As [`Desk::approve`]; refused also where operations has to look at it first.
    pub async fn run_now(&self, actor: &Actor, id: &str, act: Act) -> Result<ActivationView, DeskError> {
        let mut work = self.begin().await?;
        let mut a = self.looked_at(&mut work, id, &act, Happening::EffectHastened).await?;
        let row = sqlx::query("SELECT set_apart_at FROM activations WHERE id = $1")
            .bind(id)
            .fetch_one(&mut *work.tx)
            .await?;
        if maybe_number(&row, "set_apart_at")?.is_some() {
            return Err(Refused::new(
                Kind::Conflict,
                "set_apart",
                "It could not be carried out and was set apart; operations has to look at it and retry it.",
                "Zij kon niet worden uitgevoerd en is apart gezet; beheer moet ernaar kijken en het opnieuw proberen.",
            )
            .into());
        }
        a.due_at = Some(self.now());
        let who = actor.as_person(act.actor.trim()).to_string();
        let line = Line {
            happening: Happening::EffectHastened,
            actor: &who,
            reason: act.reason.trim(),
            email: json!({}),
        };
        self.make(&mut work, &mut a, line).await?;
        self.drop_unsent(&mut work, &a, "scheduled").await?;
        work.will_wait(Work::Approval, id);
        self.commit(work).await?;
        self.activation(id).await
    }

    /// Takes an approval back that has activated nobody yet: back to review, and its link stops working. The creator
    /// isn't told of it; whatever is decided next tells.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn withdraw_approval(&self, actor: &Actor, id: &str, act: Act) -> Result<ActivationView, DeskError> {
        let mut work = self.begin().await?;
        let mut a = self
            .looked_at(&mut work, id, &act, Happening::ApprovalWithdrawn)
            .await?;
        self.void_link(&mut work, &a).await?;
        self.drop_unsent(&mut work, &a, "scheduled").await?;
        a.due_at = None;
        a.lacks_only_the_name = false;
        a.reasons.push(taken_back(act.actor.trim()));
        self.do_to(&mut work, &mut a, actor, &act, Happening::ApprovalWithdrawn, json!({}))
            .await?;
        self.commit(work).await?;
        self.activation(id).await
    }

    /// An e-mail of this kind that hasn't been handed over would tell what isn't so any more.
    async fn drop_unsent(&self, work: &mut crate::desk::Desking, a: &Activation, kind: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE emails SET state = 'withdrawn' WHERE activation_id = $1 AND kind = $2 AND state = 'waiting'",
        )
        .bind(a.id.as_str())
        .bind(kind)
        .execute(&mut *work.tx)
        .await?;
        Ok(())
    }
}

pub(super) fn taken_back(person: &str) -> ReasonView {
    ReasonView::new(
        "approval_withdrawn",
        format!("{person} took the approval back."),
        format!("{person} heeft de goedkeuring teruggenomen."),
    )
}

fn row(row: &AnyRow) -> Result<ScheduledRow, StoreError> {
    Ok(ScheduledRow {
        activation: text(row, "id")?,
        reference: text(row, "reference")?,
        organisation: text(row, "legal_name")?,
        method: named(row, "method", Method::parse)?,
        state: named(row, "state", State::parse)?,
        due_at: instant(row, "due_at")?,
        completion: named(row, "completion", Completion::parse)?.as_str().to_owned(),
        made_at: maybe_instant(row, "made_at")?,
        decided_at: maybe_instant(row, "decided_at")?,
        decided_by: maybe_text(row, "decided_by")?.unwrap_or_default(),
        set_apart: maybe_number(row, "set_apart_at")?.is_some(),
        version: number(row, "version")?,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::super::finding::plans;
    use super::*;

    #[tokio::test]
    async fn the_schedule_is_read_in_its_order_by_its_index() {
        for after in [None, Some((12, "act_1"))] {
            let (first, apart) = statements(after, 50);
            let values: &[&str] = if after.is_some() { &["act_1"] } else { &[] };
            let steps = plans::of(&first, values).await;
            assert!(
                steps.iter().any(|step| step.contains("activations_to_carry_out")),
                "{steps:#?}"
            );
            if after.is_none() {
                let steps = plans::of(&apart.unwrap(), &[]).await;
                assert!(
                    steps.iter().any(|step| step.contains("activations_failed")),
                    "{steps:#?}"
                );
            }
        }
    }
}
