//! What a payment does to the activation that it concerns, in each state of that.
//!
//! A payment may be told of again and again, in any order and at any time: each of these does what the picture of
//! the payment asks for now, and nothing twice.

use super::moves::{Activation, Line};
use super::payments::{Payment, Standing};
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::decide::notifications_conflict;
use crate::notification::PaymentStatus;
use crate::refused::DeskError;
use crate::state::{Happening, State};
use crate::views::ReasonView;

impl Desk {
    /// A payment concerns an activation: what that does, in each state. When to look again, if the name is still to come.
    pub(super) async fn concerns(
        &self,
        work: &mut Desking,
        payment: &mut Payment,
        activation: &mut Activation,
        told: PaymentStatus,
        better: bool,
    ) -> Result<Option<Timestamp>, DeskError> {
        let before = payment.standing;
        if !payment.was_paid() {
            payment.standing = Standing::NotPaid;
            self.save_payment(work, payment).await?;
            let broken_off = matches!(
                told,
                PaymentStatus::Failed | PaymentStatus::Expired | PaymentStatus::Cancelled
            );
            if broken_off && activation.state == State::AwaitingPayment {
                let why = format!(
                    "payment {} was {}; the person may try again",
                    payment.payment_id,
                    told.as_str()
                );
                self.make(work, activation, Line::by_system(Happening::PaymentNotCompleted, &why))
                    .await?;
            }
            return Ok(None);
        }
        if !payment.mode_fits {
            payment.standing = Standing::OtherMode;
            self.save_payment(work, payment).await?;
            let approved = matches!(
                activation.state,
                State::Approved | State::Scheduled | State::AwaitingConfirmation
            );
            if before == Standing::Counts && approved {
                let reason = ReasonView::new(
                    "mode_doubted",
                    format!(
                        "A later notification says that payment {} is of the other mode (live or test).",
                        payment.payment_id
                    ),
                    format!(
                        "Een latere notificatie zegt dat betaling {} van de andere modus is (live of test).",
                        payment.payment_id
                    ),
                );
                self.back_to_review(work, activation, Happening::PaymentDoubted, reason)
                    .await?;
            } else if before != Standing::OtherMode {
                let why = format!(
                    "payment {} is of the other mode than its endpoint (live or test) and activates nobody",
                    payment.payment_id
                );
                self.note_payment(work, activation, &why, None).await?;
            }
            return Ok(None);
        }
        match activation.state {
            State::Expired | State::Cancelled | State::Rejected => {
                // It revives nothing; somebody decides what it was for.
                payment.suggested = Some(activation.id.clone());
                payment.activation_id = None;
                payment.tied_by = None;
                payment.standing = if payment.is_reversed() {
                    Standing::NotPaid
                } else {
                    Standing::Unallocated
                };
                self.save_payment(work, payment).await?;
                Ok(None)
            }
            State::AwaitingPayment => {
                payment.standing = Standing::Counts;
                self.save_payment(work, payment).await?;
                self.decide_on(work, activation, Happening::PaidClear).await
            }
            State::UnderReview | State::InformationRequested => {
                self.while_reviewed(work, payment, activation, before, better).await
            }
            State::Approved | State::Scheduled | State::AwaitingConfirmation | State::Activated => {
                self.after_decision(work, payment, activation, before, better).await?;
                Ok(None)
            }
        }
    }

    async fn while_reviewed(
        &self,
        work: &mut Desking,
        payment: &mut Payment,
        activation: &mut Activation,
        before: Standing,
        better: bool,
    ) -> Result<Option<Timestamp>, DeskError> {
        let new = before != Standing::Counts;
        payment.standing = Standing::Counts;
        self.save_payment(work, payment).await?;
        let only_the_name = activation.lacks_only_the_name
            && activation.state == State::UnderReview
            && !self.is_in_hand(work, activation).await?;
        if only_the_name && payment.holder.is_some() {
            if self.name_arrived(work, activation).await? {
                return Ok(None);
            }
        } else if payment.is_reversed() {
            let reason = reversed(payment);
            if !activation.reasons.contains(&reason) {
                activation.reasons.push(reason);
            }
            activation.lacks_only_the_name = false;
        }
        if !new && !better {
            return Ok(None);
        }
        let what = if new {
            "came in during review"
        } else {
            "became better known during review"
        };
        let why = format!("payment {} ({}) {what}", payment.payment_id, payment.status.as_str());
        self.note_payment(work, activation, &why, None).await?;
        self.keep_comparison(work, activation).await?;
        Ok(None)
    }

    /// Approved or further: one that counted may have been reversed; any other is one too many.
    async fn after_decision(
        &self,
        work: &mut Desking,
        payment: &mut Payment,
        activation: &mut Activation,
        before: Standing,
        better: bool,
    ) -> Result<(), DeskError> {
        let counted = before == Standing::Counts;
        if !counted {
            payment.standing = if payment.is_reversed() {
                Standing::NotPaid
            } else {
                Standing::Surplus
            };
        }
        self.save_payment(work, payment).await?;
        if counted && payment.is_reversed() {
            let reason = reversed(payment);
            if activation.state == State::Activated {
                if activation.flags.contains(&reason) {
                    return Ok(());
                }
                let why = format!("payment {} was reversed after activation", payment.payment_id);
                return self.note_payment(work, activation, &why, Some(reason)).await;
            }
            return self
                .back_to_review(work, activation, Happening::PaymentReversed, reason)
                .await;
        }
        if counted && payment.conflicting && better {
            let reason = notifications_conflict(&payment.payment_id);
            if activation.state != State::Activated {
                return self
                    .back_to_review(work, activation, Happening::PaymentDoubted, reason)
                    .await;
            }
            if !activation.flags.contains(&reason) {
                let why = format!("payment {} was contradicted after activation", payment.payment_id);
                return self.note_payment(work, activation, &why, Some(reason)).await;
            }
        }
        if before == payment.standing {
            return Ok(());
        }
        let flag = (payment.standing == Standing::Surplus).then(|| {
            ReasonView::new(
                "paid_twice",
                format!(
                    "Payment {} came in besides the one that was decided on.",
                    payment.payment_id
                ),
                format!(
                    "Betaling {} kwam binnen naast de betaling waarop is beslist.",
                    payment.payment_id
                ),
            )
        });
        let why = format!(
            "payment {} ({}) came in after the decision",
            payment.payment_id,
            payment.status.as_str()
        );
        self.note_payment(work, activation, &why, flag).await
    }

    pub(super) async fn note_payment(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        why: &str,
        flag: Option<ReasonView>,
    ) -> Result<(), DeskError> {
        activation.flags.extend(flag);
        if crate::state::find(Some(activation.state), Happening::PaymentNoted).is_none() {
            return Ok(());
        }
        self.make(work, activation, Line::by_system(Happening::PaymentNoted, why))
            .await
    }

    /// Takes an approval back before it has activated anybody, and voids its link.
    pub(super) async fn back_to_review(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        happening: Happening,
        reason: ReasonView,
    ) -> Result<(), DeskError> {
        self.void_link(work, activation).await?;
        let why = reason.text.clone();
        activation.reasons.push(reason);
        activation.lacks_only_the_name = false;
        activation.due_at = None;
        self.make(work, activation, Line::by_system(happening, &why)).await
    }

    /// For the identifier that turned out to be taken.
    pub(super) async fn identifier_taken(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
    ) -> Result<(), DeskError> {
        let (scheme, value) = activation.identifier.clone();
        let reason = ReasonView::new(
            "identifier_active",
            format!("Another organisation with {scheme} {value} is active already."),
            format!("Een andere organisatie met {scheme} {value} is al actief."),
        );
        self.back_to_review(work, activation, Happening::IdentifierTaken, reason)
            .await
    }
}

/// Its money went back.
fn reversed(payment: &Payment) -> ReasonView {
    ReasonView::new(
        "payment_reversed",
        format!("Payment {} was refunded or charged back.", payment.payment_id),
        format!("Betaling {} is terugbetaald of teruggeboekt.", payment.payment_id),
    )
}
