//! Payments that aren't tied to an open activation, and the person who ties one.
//!
//! A payment that names no activation, or one that is over, waits as unallocated. Support says which activation it
//! was for; from there on it does what a payment with the right reference does, and no more: whether the account
//! holder is the organisation is decided as ever.

use serde::Serialize;
use serde_json::json;

use super::likely::{Clues, LikelyActivation};
use super::moves::Line;
use super::payments::{PAYMENTS, Payment, Standing, remittance};
use super::start::over;
use super::{Act, Actor, Desk};
use crate::clock::Timestamp;
use crate::refused::{DeskError, Kind, Refused};
use crate::state::{Happening, State, find};
use crate::store::text;
use crate::views::{ActivationView, PaymentView};

/// Which payments to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAside {
    /// They name no activation, or one that is over.
    Unallocated,
    /// They came in besides what was asked.
    Surplus,
}

impl SetAside {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unallocated => "unallocated",
            Self::Surplus => "surplus",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unallocated, Self::Surplus]
            .into_iter()
            .find(|one| one.as_str() == text)
    }
}

/// A payment that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetAsideView {
    /// Our id of it, by which it is allocated.
    pub id: String,
    /// What is known of it.
    pub payment: PaymentView,
    /// When it came in.
    pub received_at: Timestamp,
    /// What the payer wrote.
    pub remittance: Option<String>,
    /// The activation that it belongs to, or that it names though it is over.
    pub activation: Option<String>,
    /// The open activations that it may be for, likeliest first. None of it is proof.
    pub likely: Vec<LikelyActivation>,
}

impl Desk {
    /// Payments that somebody has to look at, oldest first: after the one with this id, at most `limit`.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn set_aside(&self, which: SetAside, after: &str, limit: u32) -> Result<Vec<SetAsideView>, DeskError> {
        // Written out rather than bound: so the databases see that the partial index holds the answer.
        let standing = which.as_str();
        let sql = format!("{PAYMENTS} WHERE p.standing = '{standing}' AND p.id > $1 ORDER BY p.id LIMIT {limit}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(after)
            .fetch_all(self.store.reader())
            .await?;
        let waiting = match which {
            SetAside::Unallocated if !rows.is_empty() => Some(self.waiting_for_money().await?),
            SetAside::Unallocated | SetAside::Surplus => None,
        };
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let payment = Payment::read(row)?;
            let remittance = remittance(row)?;
            let likely = waiting.as_ref().map(|waiting| {
                waiting.likely(&Clues {
                    holder: payment.holder.as_ref().map(crate::personal::HolderName::as_str),
                    paid: payment.amount,
                    remittance: remittance.as_deref(),
                })
            });
            all.push(SetAsideView {
                id: text(row, "id")?,
                payment: super::show::payment(row)?,
                received_at: payment.received_at,
                remittance,
                activation: payment.activation_id.or(payment.suggested),
                likely: likely.transpose()?.unwrap_or_default(),
            });
        }
        Ok(all)
    }

    /// Ties an unallocated payment to an activation: the act of a person, with the version of the activation that
    /// was looked at. What follows from it (approved, to review, still too little, a surplus) happens at once.
    ///
    /// # Errors
    /// Refused when the act is incomplete or out of date, when there is no such payment or it isn't unallocated,
    /// when the activation is over, and while the message with the account holder's name is still to come.
    pub async fn allocate(
        &self,
        actor: &Actor,
        payment: &str,
        activation: &str,
        act: Act,
    ) -> Result<ActivationView, DeskError> {
        act.check()?;
        let mut work = self.begin().await?;
        // First the payment, then the activation, as the processing of events holds them.
        let sql = format!("{PAYMENTS} WHERE p.id = $1{}", self.store.held("p"));
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(payment)
            .fetch_optional(&mut *work.tx)
            .await?;
        let mut payment = Payment::read(&row.ok_or_else(no_payment)?)?;
        let mut a = self
            .load(&mut work, activation)
            .await?
            .ok_or_else(Refused::no_activation)?;
        if payment.standing != Standing::Unallocated {
            return Err(not_unallocated(&payment).into());
        }
        self.up_to_date(&mut work, &a, &act).await?;
        if find(Some(a.state), Happening::PaymentNoted).is_none() {
            return Err(over(&a).into());
        }
        if let Some(until) = payment.name_awaited_until
            && payment.holder.is_none()
            && until > self.now()
        {
            return Err(Refused::new(
                Kind::Conflict,
                "name_awaited",
                format!("The message with the account holder's name is awaited until {until}; allocate it then."),
                format!(
                    "Het bericht met de naam van de rekeninghouder wordt verwacht tot {until}; wijs haar daarna toe."
                ),
            )
            .into());
        }
        // A verdict that a person has looked into isn't decided again by itself.
        a.touched |= matches!(a.state, State::UnderReview | State::InformationRequested);
        let who = actor.as_person(act.actor.trim()).to_string();
        let why = format!("payment {} allocated: {}", payment.payment_id, act.reason.trim());
        let line = Line {
            happening: Happening::PaymentNoted,
            actor: &who,
            reason: &why,
            email: json!({}),
        };
        self.make(&mut work, &mut a, line).await?;
        payment.activation_id = Some(a.id.clone());
        payment.suggested = None;
        payment.tied_by = Some("a person".to_owned());
        let status = payment.status;
        self.concerns(&mut work, &mut payment, &mut a, status, true).await?;
        let subject = payment.id.as_str();
        self.note(
            &mut work,
            &actor.as_person(act.actor.trim()),
            "payment allocated",
            subject,
            &why,
        )
        .await?;
        self.commit(work).await?;
        self.activation(activation).await
    }
}

fn no_payment() -> Refused {
    Refused::new(
        Kind::NotFound,
        "payment_not_found",
        "There is no payment with this id; take the id from the list of unallocated payments.",
        "Er is geen betaling met dit id; neem het id uit de lijst van niet-toegewezen betalingen.",
    )
}

fn not_unallocated(payment: &Payment) -> Refused {
    let to = payment.activation_id.as_deref().unwrap_or("no activation");
    let to_nl = payment.activation_id.as_deref().unwrap_or("geen activering");
    Refused::new(
        Kind::Conflict,
        "payment_not_unallocated",
        format!(
            "This payment isn't unallocated: it belongs to {to} ({}). Look at the list again.",
            payment.standing.as_str()
        ),
        format!(
            "Deze betaling is niet (meer) toe te wijzen: zij hoort bij {to_nl} ({}). Bekijk de lijst opnieuw.",
            payment.standing.as_str()
        ),
    )
}
