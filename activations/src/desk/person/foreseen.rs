//! What erasing a person would take, what it would leave and why, and what stands in its way. Changes nothing.

use serde::Serialize;

use super::Whose;
use super::concerned::{Concerned, of_each};
use super::parts::{PARTS, count_reasons};
use super::texts::{self, Where};
use crate::desk::Desk;
use crate::refused::{DeskError, Kind, Refused};
use crate::state::State;
use crate::store::{StoreError, number};

/// So much of one kind is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// What.
    pub what: String,
    /// How many.
    pub many: u64,
}

/// So much of one kind is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What.
    pub what: String,
    /// How many.
    pub many: u64,
    /// On which ground.
    pub why: &'static str,
}

/// What has to end first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What it is.
    pub what: String,
    /// What to do.
    pub instead: String,
}

/// What would happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Foreseen {
    /// What is erased; kinds of which there is nothing are left out.
    pub erased: Vec<Taken>,
    /// What is kept.
    pub kept: Vec<Kept>,
    /// While there is one of these, nothing is erased.
    pub obstacles: Vec<Obstacle>,
    /// What to think of first, in sentences.
    pub warnings: Vec<String>,
}

pub(super) const PAYMENTS: &str = "payments";
pub(super) const EVENTS: &str = "events of messages";
pub(super) const MESSAGES: &str = "bodies of messages";
pub(super) const DECISIONS: &str = "names in decisions";
pub(super) const DOCUMENTS: &str = "documents in events for the platform";
pub(super) const REASONS: &str = "reasons in the history and the audit";
pub(super) const ELSEWHERE: &str = "texts elsewhere";
pub(super) const CREATORS: &str = "creators of organisations";

impl Desk {
    /// What erasing them would do; `None`: nothing is stored of them.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn foresee_erasure(&self, whose: &Whose) -> Result<Option<Foreseen>, DeskError> {
        let concerned = self.concerned(whose).await?;
        let mut connection = self.store.reader().acquire().await?;
        let mentions = texts::mentions(&mut connection, &concerned.words, Where::Everywhere).await?;
        let reasons = texts::reasons(&mut connection, &concerned.words, Where::Everywhere).await?;
        if concerned.is_nothing() && mentions.is_empty() && reasons.is_empty() {
            return Ok(None);
        }
        let mut counted = Counted::default();
        counted.add(CREATORS, concerned.organisations.len() as u64);
        counted.add(PAYMENTS, concerned.payments.len() as u64);
        counted.add(EVENTS, concerned.events.len() as u64);
        counted.add(MESSAGES, concerned.messages.len() as u64);
        let (mut theirs, mut decisions) = (0, 0);
        for one in &concerned.activations {
            for part in PARTS {
                let many = part.count(&mut connection, &one.id).await?;
                counted.add(part.what, many);
            }
            theirs += count_reasons(&mut connection, &one.id).await?;
            let documents = "FROM asked JOIN outgoing_events t ON t.activation_id = asked.row_id \
                 WHERE t.type IN ('activation.invoiced', 'activation.cancelled', 'activation.expired') AND t.payload LIKE '%\"ubl\":\"<%'";
            counted.add(DOCUMENTS, many(&mut connection, documents, &one.id).await?);
        }
        for one in concerned.activations.iter().chain(&concerned.paid_for) {
            let sql = "FROM asked JOIN decisions t ON t.activation_id = asked.row_id";
            decisions += many(&mut connection, sql, &one.id).await?;
        }
        counted.add(DECISIONS, decisions);
        counted.add(REASONS, theirs.max(reasons.len() as u64));
        if concerned.activations.is_empty() {
            counted.add(ELSEWHERE, mentions.len() as u64);
        }
        let kept = kept(&mut connection, &concerned, decisions).await?;
        Ok(Some(Foreseen {
            erased: counted.0,
            kept,
            obstacles: obstacles(&concerned),
            warnings: warnings(&concerned),
        }))
    }
}

/// How many of each, in the order in which they came.
#[derive(Default)]
pub(super) struct Counted(pub(super) Vec<Taken>);

impl Counted {
    pub(super) fn add(&mut self, what: &str, many: u64) {
        if many == 0 {
            return;
        }
        match self.0.iter_mut().find(|known| known.what == what) {
            Some(known) => known.many = known.many.saturating_add(many),
            None => self.0.push(Taken {
                what: what.to_owned(),
                many,
            }),
        }
    }
}

async fn many(connection: &mut sqlx::AnyConnection, from: &str, activation: &str) -> Result<u64, StoreError> {
    let rows = of_each(connection, &format!("SELECT COUNT(*) AS many {from}"), &[activation]).await?;
    rows.first()
        .map_or(Ok(0), |row| Ok(u64::try_from(number(row, "many")?).unwrap_or(0)))
}

async fn kept(
    connection: &mut sqlx::AnyConnection,
    concerned: &Concerned,
    decisions: u64,
) -> Result<Vec<Kept>, StoreError> {
    let mut all = Vec::new();
    let mut keep = |what: &str, many: u64, why: &'static str| {
        if many > 0 {
            all.push(Kept {
                what: what.to_owned(),
                many,
                why,
            });
        }
    };
    let (mut invoices, mut lines, mut files) = (0, 0, 0);
    for one in &concerned.activations {
        invoices += many(
            connection,
            "FROM asked JOIN invoices t ON t.activation_id = asked.row_id",
            &one.id,
        )
        .await?;
        lines += many(
            connection,
            "FROM asked JOIN history t ON t.activation_id = asked.row_id",
            &one.id,
        )
        .await?;
    }
    for one in &concerned.paid_for {
        files += many(
            connection,
            "FROM asked JOIN uploads t ON t.activation_id = asked.row_id",
            &one.id,
        )
        .await?;
    }
    let legal = concerned.organisations.iter().filter(|one| !one.personal).count() as u64;
    keep(
        "invoices and credit notes, with the names on them",
        invoices,
        "tax law: seven years (AWR, article 52)",
    );
    keep(
        "decisions, without who they were about",
        decisions,
        "what was decided by which rule has to be accounted for (GDPR, article 17(3)(e))",
    );
    keep(
        "payments, without who paid",
        concerned.payments.len() as u64,
        "bookkeeping: amount, time and the provider's number (AWR, article 52)",
    );
    keep(
        "lines of the history, with who of yours acted",
        lines,
        "the audit is a chain over them (GDPR, article 17(3)(e))",
    );
    keep(
        "organisations with their number in a public register",
        concerned.organisations.len() as u64,
        "nobody else may be activated under it",
    );
    keep(
        "of these with their names",
        legal,
        "a legal person's names, from the register, are nobody's personal data",
    );
    keep(
        "files that a creator added where this account paid",
        files,
        "they are that creator's; look at them, and erase by their address where they show the account",
    );
    keep(
        "what was seen of their messages, without who paid",
        concerned.events.len() as u64,
        "a repeat has to be known as one, for 400 days",
    );
    Ok(all)
}

/// What has to end first.
pub(super) fn obstacles(concerned: &Concerned) -> Vec<Obstacle> {
    let open = concerned.activations.iter().chain(&concerned.paid_for);
    let mut all: Vec<Obstacle> = open
        .filter(|one| !one.state.is_final())
        .map(|one| Obstacle {
            what: format!("activation {} ({}) is {}", one.reference, one.id, one.state),
            instead: match one.state {
                State::UnderReview | State::InformationRequested => {
                    "reject it in the console, or withdraw it: POST /v1/activations/ID/cancel".to_owned()
                }
                _ => "withdraw it first: POST /v1/activations/ID/cancel".to_owned(),
            },
        })
        .collect();
    let waiting = concerned.events.values().filter(|event| event.waits).count();
    if waiting > 0 {
        all.push(Obstacle {
            what: format!("{waiting} messages about them are still to be processed"),
            instead: "try again in a minute; `eencent queue list` tells what waits".to_owned(),
        });
    }
    all
}

fn warnings(concerned: &Concerned) -> Vec<String> {
    let mut all = Vec::new();
    let unallocated = concerned
        .payments
        .values()
        .filter(|one| one.standing == "unallocated")
        .count();
    if unallocated > 0 {
        all.push(format!(
            "{unallocated} payments have no place: give the money back first, afterwards nobody knows whose it was."
        ));
    }
    let shared = concerned.messages.values().filter(|others| **others).count();
    if shared > 0 {
        all.push(format!(
            "{shared} messages tell of others as well (a bank statement, for instance): their bodies go, what was read of the others stays."
        ));
    }
    all
}

/// As a refusal.
pub(super) fn refused(obstacles: &[Obstacle]) -> Refused {
    let told: Vec<String> = obstacles
        .iter()
        .map(|one| format!("{}; {}", one.what, one.instead))
        .collect();
    Refused::new(
        Kind::Conflict,
        "person_not_erasable",
        format!("Nothing was erased. {}.", told.join(". ")),
        format!("Er is niets gewist. {}.", told.join(". ")),
    )
}
