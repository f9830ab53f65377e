//! Names that are too old to decide on: fetched again from their register first.
//!
//! A decision that would be made on them writes a row instead (`refreshes`) and leaves the activation where it is. The
//! job asks the register, with no transaction open; what came of it is written, and decided on, in the transaction that
//! ends the job's claim. If we crash before that, the row waits; after it, the decision has been made and the row says
//! so. Where no register is configured, or names are fresh enough, nothing of this is read or written.

use sqlx::any::AnyRow;

use super::moves::Activation;
use super::{Actor, Desk, Desking, organisations};
use crate::clock::Timestamp;
use crate::decide::{Outcome, RegisterSays};
use crate::identifier::Identifier;
use crate::ledger::{Claim, Work, end_well};
use crate::refused::DeskError;
use crate::register::{Entry, Standing};
use crate::state::{Happening, State};
use crate::store::{StoreError, instant, maybe_instant, maybe_text, number, text};
use crate::trace;
use crate::views::OrganisationView;

/// How names stand towards a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// They can be decided on, with what the register said of them.
    Said(RegisterSays),
    /// The register is being asked.
    Awaited,
    /// The register has to be asked.
    TooOld,
}

/// What came of asking the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// This.
    Entry(Box<Entry>),
    /// It has no such number.
    Unknown,
    /// No register is configured any more.
    NotConfigured,
}

impl Fetched {
    fn found(&self) -> &'static str {
        match self {
            Self::Entry(entry) => match entry.standing {
                Standing::Registered => "registered",
                Standing::Ended => "ended",
            },
            Self::Unknown => "unknown",
            Self::NotConfigured => "unasked",
        }
    }
}

/// The row of an activation.
struct Refresh {
    state: String,
    found: Option<String>,
    answered_at: Option<Timestamp>,
}

impl Refresh {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            state: text(row, "state")?,
            found: maybe_text(row, "found")?,
            answered_at: maybe_instant(row, "answered_at")?,
        })
    }
}

impl Desk {
    /// How an activation's names stand now. Reads nothing where they are fresh, or can't be fetched.
    pub(super) async fn names_of(&self, work: &mut Desking, a: &Activation) -> Result<Names, DeskError> {
        const CURRENT: Names = Names::Said(RegisterSays::Current);
        let Some(refetching) = &self.rules.refetching else {
            return Ok(CURRENT);
        };
        let now = self.now();
        let fresh = |at: Timestamp| at <= now && now.since(at) < refetching.age;
        let theirs = a.organisation.names_from_register && refetching.schemes.contains(&a.identifier.0);
        if !theirs || a.organisation.names_at.is_some_and(fresh) {
            return Ok(CURRENT);
        }
        let row = sqlx::query("SELECT state, found, answered_at FROM refreshes WHERE activation_id = $1")
            .bind(a.id.as_str())
            .fetch_optional(&mut *work.tx)
            .await?;
        let Some(refresh) = row.map(|row| Refresh::read(&row)).transpose()? else {
            return Ok(Names::TooOld);
        };
        Ok(match (refresh.state.as_str(), refresh.found.as_deref()) {
            ("waiting", _) => Names::Awaited,
            ("failed", _) => Names::Said(RegisterSays::Nothing),
            _ if !refresh.answered_at.is_some_and(fresh) => Names::TooOld,
            (_, Some("ended")) => Names::Said(RegisterSays::Ended),
            (_, Some("unknown")) => Names::Said(RegisterSays::Unknown),
            (_, Some("nothing")) => Names::Said(RegisterSays::Nothing),
            (_, Some("unasked")) => CURRENT,
            _ => Names::TooOld,
        })
    }

    /// The register is to be asked before this activation is decided on.
    pub(super) async fn ask_register(&self, work: &mut Desking, a: &Activation) -> Result<(), DeskError> {
        let id = self.new_id("rfr")?;
        let row = sqlx::query(
            "INSERT INTO refreshes (id, activation_id, asked_at, state, traceparent) VALUES ($1, $2, $3, 'waiting', $4) \
             ON CONFLICT (activation_id) DO UPDATE SET state = 'waiting', dropped_at = NULL, asked_at = excluded.asked_at, answered_at = NULL, \
             traceparent = excluded.traceparent, found = NULL, attempts = 0, next_attempt_at = NULL, last_error = NULL RETURNING id",
        )
        .bind(id)
        .bind(a.id.as_str())
        .bind(self.now().micros())
        .bind(trace::here())
        .fetch_one(&mut *work.tx)
        .await?;
        work.will_wait(Work::Names, &text(&row, "id")?);
        tracing::info!(activation = a.id, "the register is asked before this is decided");
        Ok(())
    }

    /// That an activation's decision waits for the register, and how that goes; `None` when it doesn't.
    pub(super) async fn register_awaited(&self, activation: &str) -> Result<Option<String>, DeskError> {
        let row = sqlx::query(
            "SELECT asked_at, attempts, last_error FROM refreshes WHERE activation_id = $1 AND state <> 'answered'",
        )
        .bind(activation)
        .fetch_optional(self.store.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let since = instant(&row, "asked_at")?;
        Ok(Some(
            match (number(&row, "attempts")?, maybe_text(&row, "last_error")?) {
                (0, _) => format!("names to be decided on are fetched again since {since}"),
                (attempts, why) => format!(
                    "names to be decided on are fetched again since {since}; tried {attempts} times: {}",
                    why.unwrap_or_default()
                ),
            },
        ))
    }

    /// The number that a claimed row wants looked up.
    ///
    /// # Errors
    /// When the store doesn't answer, or the number can't be read.
    pub async fn number_to_look_up(&self, claim: &Claim) -> Result<Identifier, DeskError> {
        let row = sqlx::query(
            "SELECT a.identifier_scheme, a.identifier_value FROM refreshes r JOIN activations a ON a.id = r.activation_id WHERE r.id = $1",
        )
        .bind(claim.id.as_str())
        .fetch_one(self.store.reader())
        .await?;
        let (scheme, value) = (text(&row, "identifier_scheme")?, text(&row, "identifier_value")?);
        Identifier::parse(&scheme, &value).map_err(|error| StoreError::Unreadable(error.to_string()).into())
    }

    /// The register has answered: the organisation gets the names that it says, and what waited for them is decided.
    /// Ends the claim.
    ///
    /// # Errors
    /// When the store fails or the lease was lost; nothing was written then.
    pub async fn names_fetched(&self, claim: &Claim, fetched: &Fetched) -> Result<(), DeskError> {
        let Some((mut work, mut activation)) = self.begin_refreshed(&claim.id).await? else {
            return Err(StoreError::Unreadable(format!("{} has no activation", claim.id)).into());
        };
        let set = format!(
            "state = 'answered', found = '{}', answered_at = {}, attempts = 0,",
            fetched.found(),
            self.now().micros()
        );
        end_well(&mut work.tx, claim, &set).await?;
        if let Fetched::Entry(entry) = fetched
            && entry.standing == Standing::Registered
            && undecided(&activation)
        {
            self.take_names(&mut work, &mut activation, entry).await?;
        }
        self.decide_after_all(&mut work, &mut activation).await?;
        self.commit(work).await
    }

    /// Decides without the register where it was asked in vain for as long as it is waited for; at most `limit`.
    ///
    /// # Errors
    /// When the store doesn't answer; what was decided before stays decided.
    pub(super) async fn decide_without_register(&self, limit: u32) -> Result<(), DeskError> {
        let sql = format!("SELECT id FROM refreshes WHERE state = 'failed' ORDER BY asked_at LIMIT {limit}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(self.store.reader())
            .await?;
        for row in &rows {
            let id = text(row, "id")?;
            match self.decide_one_without_register(&id).await {
                Ok(()) => {}
                // A row that can't be read must not keep the others from their decision.
                Err(DeskError::Store(error @ StoreError::Unreadable(_))) => {
                    tracing::error!(refresh = id, error = %error, "could not decide without the register");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn decide_one_without_register(&self, id: &str) -> Result<(), DeskError> {
        let Some((mut work, mut activation)) = self.begin_refreshed(id).await? else {
            return Ok(());
        };
        let mine = sqlx::query(
            "UPDATE refreshes SET state = 'answered', found = 'nothing', answered_at = $1 WHERE id = $2 AND state = 'failed'",
        )
        .bind(self.now().micros())
        .bind(id)
        .execute(&mut *work.tx)
        .await?;
        if mine.rows_affected() == 1 {
            self.decide_after_all(&mut work, &mut activation).await?;
            self.commit(work).await?;
        }
        Ok(())
    }

    /// A transaction alone with the organisation of a row, and its activation.
    async fn begin_refreshed(&self, id: &str) -> Result<Option<(Desking, Activation)>, DeskError> {
        let row = sqlx::query(
            "SELECT a.id, a.organisation_id FROM refreshes r JOIN activations a ON a.id = r.activation_id WHERE r.id = $1",
        )
        .bind(id)
        .fetch_optional(self.store.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let mut work = self.begin().await?;
        // Whoever changes the organisation writes all of its row: not the names that he read before these.
        self.alone_with(&mut work, &text(&row, "organisation_id")?).await?;
        let activation = self.load(&mut work, &text(&row, "id")?).await?;
        Ok(activation.map(|activation| (work, activation)))
    }

    /// The organisation gets the register's names, and the audit a line where they are others than before.
    async fn take_names(&self, work: &mut Desking, a: &mut Activation, entry: &Entry) -> Result<(), DeskError> {
        let Some(before) = organisations::find(work, &a.organisation_id).await? else {
            return Ok(());
        };
        let mut after = before.clone();
        after.names_at = Some(entry.fetched_at);
        if differ(&before, entry) {
            after.legal_name.clone_from(&entry.legal_name);
            after.trade_names.clone_from(&entry.trade_names);
            after.legal_form.clone_from(&entry.legal_form);
            let told = format!(
                "{} now says: {}; before: {}",
                a.identifier.0,
                names(&after),
                names(&before)
            );
            self.note(
                work,
                &Actor::register(),
                "organisation's names changed",
                &after.id,
                &told,
            )
            .await?;
        }
        organisations::update(work, &after, self.now()).await?;
        self.make_findable(work, &after).await?;
        a.organisation.legal_name = after.legal_name;
        a.organisation.trade_names = after.trade_names;
        a.organisation.legal_form = after.legal_form;
        a.organisation.names_at = after.names_at;
        Ok(())
    }

    /// Makes the decision that waited, if it is still to be made.
    async fn decide_after_all(&self, work: &mut Desking, a: &mut Activation) -> Result<(), DeskError> {
        match a.state {
            // What was to be decided on may have been taken back since.
            State::AwaitingPayment if !self.counting(work, &a.id).await?.is_empty() => {
                // Should a name still be awaited, its event looks again.
                self.decide_on(work, a, Happening::PaidClear).await?;
            }
            State::UnderReview if undecided(a) && !self.is_in_hand(work, a).await? => {
                let before = a.reasons.clone();
                if !self.name_arrived(work, a).await? && a.reasons != before {
                    let why = "the organisation's names were fetched again from the register";
                    self.note_payment(work, a, why, None).await?;
                    self.keep_comparison(work, a).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a person is at it: has acted, was given it, wrote a note about it, or has proposed an approval.
    pub(super) async fn is_in_hand(&self, work: &mut Desking, a: &Activation) -> Result<bool, DeskError> {
        if a.touched {
            return Ok(true);
        }
        let by_somebody = sqlx::query(
            "SELECT 1 FROM reviews WHERE activation_id = $1 AND assignee IS NOT NULL \
             UNION ALL SELECT 1 FROM notes WHERE activation_id = $1 \
             UNION ALL SELECT 1 FROM proposals WHERE activation_id = $1",
        )
        .bind(a.id.as_str())
        .fetch_optional(&mut *work.tx)
        .await
        .map_err(StoreError::from)?;
        Ok(by_somebody.is_some())
    }

    /// A name came while nothing but the name was wanting: decides again, if by now it is clear. Whether it moved.
    pub(super) async fn name_arrived(&self, work: &mut Desking, a: &mut Activation) -> Result<bool, DeskError> {
        let weighed = self.weigh(work, a).await?;
        if weighed.names_awaited {
            return Ok(false);
        }
        match &weighed.decision.outcome {
            Outcome::Clear { .. } => {
                self.carry(work, a, &weighed, Happening::NameArrived).await?;
                return Ok(true);
            }
            Outcome::Unclear {
                reasons,
                lacks_only_the_name,
            } => {
                a.reasons.clone_from(reasons);
                a.lacks_only_the_name = *lacks_only_the_name;
            }
            Outcome::PaidInPart { received, missing } => {
                // The name is clear now; what is left of the review is the rest of the money.
                a.reasons = vec![crate::views::ReasonView::new(
                    "paid_in_part",
                    format!("{received} received, {missing} missing."),
                    format!("{received} ontvangen, {missing} ontbreekt nog."),
                )];
                a.lacks_only_the_name = true;
            }
            Outcome::Wait { .. } => {}
        }
        Ok(false)
    }
}

/// Whether names may still decide something.
fn undecided(a: &Activation) -> bool {
    match a.state {
        State::AwaitingPayment => true,
        State::UnderReview => a.lacks_only_the_name && !a.touched,
        _ => false,
    }
}

/// Whether the register says something else; in whatever order it says it.
fn differ(before: &OrganisationView, entry: &Entry) -> bool {
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    before.legal_name != entry.legal_name
        || before.legal_form != entry.legal_form
        || sorted(&before.trade_names) != sorted(&entry.trade_names)
}

/// For the audit.
fn names(o: &OrganisationView) -> String {
    let form = o.legal_form.as_deref().unwrap_or("no legal form");
    let mut told = format!("{} ({form})", o.legal_name);
    for name in &o.trade_names {
        told.push_str("; ");
        told.push_str(name);
    }
    told
}
