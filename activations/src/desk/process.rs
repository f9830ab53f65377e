//! Processing notifications: what each says of a payment, and which activation that concerns. What it does there
//! is in [`super::concerns`].
//!
//! Everything of one event is one transaction, which ends its claim; several events may share it. If we crash
//! before the commit, nothing happened and the events wait; after it, they are processed and repeats do nothing.

use std::collections::{BTreeSet, HashMap};

use tracing::Instrument as _;

use super::payments::{Origin, Standing, words_of};
use super::pending::EventEnd;
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::decide::notifications_conflict;
use crate::ledger::{Claim, wait_in};
use crate::notification::{Mode, PaymentNotification, PaymentStatus, Proof};
use crate::refused::DeskError;
use crate::state::{Happening, State};
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, instant, json as read_json, named, text};

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
    /// Processes one committed event, and carries out the approval that may come of it. Ends the claim.
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
        self.process_events_in(self.begin_group().await?, claims).await
    }

    /// The same in a transaction that has begun, which it commits.
    pub(crate) async fn process_events_in(&self, mut work: Desking, claims: &[Claim]) -> Result<(), DeskError> {
        let committed = committed(&mut work, claims).await?;
        self.foresee(&mut work, committed.values()).await?;
        for claim in claims {
            let Some(event) = committed.get(&claim.id) else {
                return Err(StoreError::Unreadable(format!("{} is gone", claim.id)).into());
            };
            self.process(&mut work, claim, event)
                .instrument(claim.span().clone())
                .await?;
        }
        self.carry_out_approved(&mut work).await?;
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
                if !wait_in(&mut work.tx, claim, at, why).await? {
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
        let reason = notifications_conflict(&payment.payment_id);
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
}
