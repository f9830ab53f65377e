//! Processing a notification: what it says of a payment, which activation that concerns, and the decision.
//!
//! Everything of one event is one transaction, which ends its claim; several events may share it. If we crash
//! before the commit, nothing happened and the events wait; after it, they are processed and repeats do nothing.

use std::collections::{BTreeSet, HashMap};

use super::moves::{Activation, Line};
use super::payments::{Origin, Payment, Standing, words_of};
use super::pending::EventEnd;
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::decide::Outcome;
use crate::ledger::{Claim, put_back_in};
use crate::notification::{Mode, PaymentNotification, PaymentStatus, Proof};
use crate::refused::DeskError;
use crate::state::{Happening, State};
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, instant, json as read_json, named, text};
use crate::views::ReasonView;

/// What the event's claim ends with.
enum End {
    Processed {
        activation: Option<String>,
    },
    LookAgain {
        at: Timestamp,
    },
    /// It contradicts a message that told of no payment, or of another one: somebody has to look.
    SetApart,
}

/// A committed event as it is worked on.
struct Committed {
    account: String,
    kind: String,
    told: PaymentNotification,
    received_at: Timestamp,
    provider: String,
    endpoint: String,
    mode: Mode,
}

/// The events of these claims, by id.
async fn committed(work: &mut Desking, claims: &[Claim]) -> Result<HashMap<String, Committed>, StoreError> {
    const ASKING: Many<'static> = Many {
        head: "WITH asked (row_id) AS (",
        columns: Columns::Typed(&["TEXT"]),
        tail: ") SELECT e.id, e.account, e.kind, e.told, e.received_at, n.provider, n.endpoint, n.mode FROM asked \
               JOIN events e ON e.id = asked.row_id JOIN notifications n ON n.id = e.notification_id",
    };
    let rows = ASKING
        .fetch(&mut work.tx, claims, |query, claim| query.bind(claim.id.as_str()))
        .await?;
    rows.iter()
        .map(|row| {
            let event = Committed {
                account: text(row, "account")?,
                kind: text(row, "kind")?,
                told: read_json(row, "told")?,
                received_at: instant(row, "received_at")?,
                provider: text(row, "provider")?,
                endpoint: text(row, "endpoint")?,
                mode: named(row, "mode", Mode::parse)?,
            };
            Ok((text(row, "id")?, event))
        })
        .collect()
}

impl Desk {
    /// Processes one committed event. Ends the claim.
    ///
    /// # Errors
    /// When the store fails, or the claim's lease was lost; nothing was written then.
    pub async fn process_event(&self, claim: &Claim) -> Result<(), DeskError> {
        self.process_events(std::slice::from_ref(claim)).await
    }

    /// Processes several in one transaction, in their order; all or none.
    ///
    /// # Errors
    /// When one of them fails; nothing was written then.
    pub async fn process_events(&self, claims: &[Claim]) -> Result<(), DeskError> {
        let mut work = self.begin_group().await?;
        let committed = committed(&mut work, claims).await?;
        self.foresee(&mut work, committed.values()).await?;
        for claim in claims {
            let Some(event) = committed.get(&claim.id) else {
                return Err(StoreError::Unreadable(format!("{} is gone", claim.id)).into());
            };
            self.process(&mut work, claim, event).await?;
        }
        self.commit(work).await
    }

    /// Reads what the events are about: their payments, and the activations that these name.
    async fn foresee(
        &self,
        work: &mut Desking,
        events: impl Iterator<Item = &Committed> + Clone,
    ) -> Result<(), DeskError> {
        let payments = events
            .clone()
            .map(|event| (event.account.clone(), event.told.payment_id.clone()))
            .collect();
        self.foresee_payments(work, &payments).await?;
        let words = events
            .filter_map(|event| event.told.reference.as_ref())
            .flat_map(|reference| words_of(reference).0)
            .flat_map(|word| [word.to_uppercase(), word])
            .collect();
        self.foresee_references(work, &words).await?;
        let known = work.known.get_or_insert_default();
        let tied = payments
            .iter()
            .filter_map(|(account, payment)| known.payment(account, payment).flatten()?.activation_id);
        let named = words.iter().filter_map(|word| known.activation_id(word).flatten());
        let activations: BTreeSet<String> = tied.chain(named).collect();
        Ok(self.foresee_activations(work, &activations).await?)
    }

    async fn process(&self, work: &mut Desking, claim: &Claim, event: &Committed) -> Result<(), DeskError> {
        let origin = Origin {
            account: &event.account,
            provider: &event.provider,
            endpoint: &event.endpoint,
            endpoint_mode: event.mode,
            received_at: event.received_at,
        };
        let told = &event.told;
        let end = if event.kind == "conflict" || self.denies(work, told, &origin).await? {
            self.contradicted(work, &claim.id, told, &origin).await?
        } else {
            self.told(work, told, &origin).await?
        };
        let (state, activation_id) = match end {
            End::Processed { activation } => ("processed", activation),
            End::SetApart => ("quarantined", None),
            End::LookAgain { at } => {
                let why = "waiting for the message that carries the name";
                if !put_back_in(&mut work.tx, claim, at, why, 0).await? {
                    return Err(StoreError::LeaseLost(claim.id.clone()).into());
                }
                return Ok(());
            }
        };
        work.pending.events.push(EventEnd {
            claim: claim.clone(),
            state,
            activation_id,
        });
        Ok(())
    }

    /// Whether the provider's API says that a payment isn't paid which a message said was. The API is
    /// believed: the payment is marked, and nobody is activated by it without a person.
    async fn denies(
        &self,
        work: &mut Desking,
        told: &PaymentNotification,
        origin: &Origin<'_>,
    ) -> Result<bool, DeskError> {
        if told.proof != Proof::ReadBack || told.status.rank() >= PaymentStatus::Paid.rank() {
            return Ok(false);
        }
        let known = self.known_payment(work, told, origin).await?;
        Ok(known.is_some_and(|payment| payment.status == PaymentStatus::Paid))
    }

    async fn told(
        &self,
        work: &mut Desking,
        told: &PaymentNotification,
        origin: &Origin<'_>,
    ) -> Result<End, DeskError> {
        let (mut payment, better) = self.picture(work, told, origin).await?;
        let first_tie = payment.activation_id.is_none();
        if first_tie && let Some((id, how)) = self.tie(work, &payment).await? {
            payment.activation_id = Some(id);
            payment.tied_by = Some(how.to_owned());
        }
        let activation = match &payment.activation_id {
            Some(id) => self.load(work, id).await?,
            None => None,
        };
        let Some(mut activation) = activation else {
            payment.standing = if payment.is_reversed() || !payment.was_paid() {
                Standing::NotPaid
            } else {
                Standing::Unallocated
            };
            self.save_payment(work, &payment).await?;
            return Ok(End::Processed { activation: None });
        };
        let id = activation.id.clone();
        let look_again = self
            .concerns(work, &mut payment, &mut activation, told.status, better)
            .await?;
        Ok(match look_again {
            Some(at) => End::LookAgain { at },
            None => End::Processed { activation: Some(id) },
        })
    }

    /// A payment concerns an activation: what that does, in each state. When to look again, if the name is still to come.
    async fn concerns(
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
        let only_the_name =
            activation.lacks_only_the_name && !activation.touched && activation.state == State::UnderReview;
        if only_the_name && payment.holder.is_some() {
            let decision = self.weigh(work, activation).await?;
            if matches!(decision.outcome, Outcome::Clear { .. }) {
                self.carry(work, activation, &decision, Happening::NameArrived).await?;
                return Ok(None);
            }
            if let Outcome::Unclear {
                reasons,
                lacks_only_the_name,
            } = &decision.outcome
            {
                activation.reasons.clone_from(reasons);
                activation.lacks_only_the_name = *lacks_only_the_name;
            }
            if let Outcome::PaidInPart { received, missing } = &decision.outcome {
                // The name is clear now; what is left of the review is the rest of the money.
                activation.reasons = vec![ReasonView::new(
                    "paid_in_part",
                    format!("{received} received, {missing} missing."),
                    format!("{received} ontvangen, {missing} ontbreekt nog."),
                )];
                activation.lacks_only_the_name = true;
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
            let reason = contradiction(payment);
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

    /// Whether the message that a conflict contradicts is yet to be processed, and tells of the same payment.
    async fn first_still_waits(&self, work: &mut Desking, event: &str) -> Result<bool, DeskError> {
        self.flush(work).await?;
        let row = sqlx::query(
            "SELECT f.id FROM events e JOIN events f ON f.id = e.conflicts_with \
             WHERE e.id = $1 AND f.state = 'waiting' AND f.payment_id = e.payment_id",
        )
        .bind(event)
        .fetch_optional(&mut *work.tx)
        .await?;
        Ok(row.is_some())
    }

    async fn contradicted(
        &self,
        work: &mut Desking,
        event: &str,
        told: &PaymentNotification,
        origin: &Origin<'_>,
    ) -> Result<End, DeskError> {
        // The first event of this payment may still be waiting: its picture is made here, and marked.
        let mut payment = match self.known_payment(work, told, origin).await? {
            Some(payment) => payment,
            None => {
                return Ok(match self.first_still_waits(work, event).await? {
                    true => End::LookAgain {
                        at: self.now().plus(std::time::Duration::from_secs(5)),
                    },
                    false => End::SetApart,
                });
            }
        };
        payment.conflicting = true;
        self.save_payment(work, &payment).await?;
        let counts = payment.standing == Standing::Counts;
        let Some(id) = payment.activation_id.clone() else {
            return Ok(End::Processed { activation: None });
        };
        let Some(mut activation) = self.load(work, &id).await? else {
            return Ok(End::Processed { activation: None });
        };
        let reason = contradiction(&payment);
        match activation.state {
            State::AwaitingPayment if payment.was_paid() && payment.standing == Standing::Counts => {
                self.decide_on(work, &mut activation, Happening::PaidClear).await?;
            }
            State::Approved | State::Scheduled | State::AwaitingConfirmation if counts => {
                self.back_to_review(work, &mut activation, Happening::PaymentDoubted, reason)
                    .await?;
            }
            State::UnderReview | State::InformationRequested => {
                activation.reasons.push(reason);
                activation.lacks_only_the_name = false;
                self.note_payment(work, &mut activation, "a notification contradicts an earlier one", None)
                    .await?;
            }
            State::Activated | State::Approved | State::Scheduled | State::AwaitingConfirmation => {
                self.note_payment(
                    work,
                    &mut activation,
                    "a notification contradicts an earlier one",
                    Some(reason),
                )
                .await?
            }
            State::AwaitingPayment | State::Rejected | State::Expired | State::Cancelled => {}
        }
        Ok(End::Processed { activation: Some(id) })
    }

    async fn note_payment(
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
    async fn back_to_review(
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

fn contradiction(payment: &Payment) -> ReasonView {
    ReasonView::new(
        "notifications_conflict",
        format!(
            "Two notifications about payment {} say different things about the money; the first was kept.",
            payment.payment_id
        ),
        format!(
            "Twee notificaties over betaling {} spreken elkaar tegen over het geld; de eerste is aangehouden.",
            payment.payment_id
        ),
    )
}

fn reversed(payment: &Payment) -> ReasonView {
    ReasonView::new(
        "payment_reversed",
        format!("Payment {} was refunded or charged back.", payment.payment_id),
        format!("Betaling {} is terugbetaald of teruggeboekt.", payment.payment_id),
    )
}
