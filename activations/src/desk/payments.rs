//! One picture of one payment, made of all its events in any order.

use sqlx::any::AnyRow;

use super::moves::Activation;
use super::pending::NewPayment;
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::decide::Paid;
use crate::money::{Currency, Money};
use crate::notification::{Mode, PaymentNotification, PaymentStatus, ReferenceHint};
use crate::personal::{AccountNumber, HolderName};
use crate::reference::candidates;
use crate::refused::DeskError;
use crate::store::{StoreError, instant, maybe_instant, maybe_number, maybe_text, named, number, text};

/// How a payment stands towards activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Counts,
    Surplus,
    Unallocated,
    OtherMode,
    NotPaid,
}

impl Standing {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Surplus => "surplus",
            Self::Unallocated => "unallocated",
            Self::OtherMode => "other_mode",
            Self::NotPaid => "not_paid",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [
            Self::Counts,
            Self::Surplus,
            Self::Unallocated,
            Self::OtherMode,
            Self::NotPaid,
        ]
        .into_iter()
        .find(|one| one.as_str() == text)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub id: String,
    pub account: String,
    pub payment_id: String,
    pub mode_fits: bool,
    pub status: PaymentStatus,
    pub amount: Option<Money>,
    pub holder: Option<HolderName>,
    pub account_number: Option<AccountNumber>,
    pub reference: Option<ReferenceHint>,
    pub paid_at: Option<Timestamp>,
    pub paid_at_proven: bool,
    pub name_proven: bool,
    pub name_awaited_until: Option<Timestamp>,
    pub conflicting: bool,
    pub received_at: Timestamp,
    pub activation_id: Option<String>,
    pub suggested: Option<String>,
    pub tied_by: Option<String>,
    pub standing: Standing,
}

/// What the payer wrote, of a row of [`PAYMENTS`].
pub(super) fn remittance(row: &AnyRow) -> Result<Option<String>, StoreError> {
    let hint = Payment::read(row)?.reference;
    Ok(hint.map(|hint| match hint {
        ReferenceHint::Exact(text) | ReferenceHint::Within(text) => text,
    }))
}

/// Where a notification came from.
pub(super) struct Origin<'a> {
    pub account: &'a str,
    pub provider: &'a str,
    pub endpoint: &'a str,
    pub endpoint_mode: Mode,
    pub received_at: Timestamp,
}

/// Reads payments, as `p`.
pub(super) const PAYMENTS: &str = "SELECT p.id, p.account, p.payment_id, p.provider, p.mode_fits, p.status, p.amount_minor, p.currency, \
     p.holder_name, p.account_number, p.reference, p.paid_at, p.paid_at_proven, p.name_proven, p.name_awaited_until, \
     p.conflicting, p.received_at, p.activation_id, p.suggested, p.tied_by, p.standing FROM payments p";

impl Payment {
    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let currency = maybe_text(row, "currency")?.and_then(|code| Currency::parse(&code));
        let amount = maybe_number(row, "amount_minor")?.zip(currency);
        let unreadable = |error: serde_json::Error| StoreError::Unreadable(error.to_string());
        Ok(Self {
            id: text(row, "id")?,
            account: text(row, "account")?,
            payment_id: text(row, "payment_id")?,
            mode_fits: number(row, "mode_fits")? == 1,
            status: named(row, "status", PaymentStatus::parse)?,
            amount: amount.map(|(minor, currency)| Money::new(minor, currency)),
            holder: maybe_text(row, "holder_name")?.and_then(|name| HolderName::parse(&name)),
            account_number: maybe_text(row, "account_number")?
                .map(|t| serde_json::from_str(&t))
                .transpose()
                .map_err(unreadable)?,
            reference: maybe_text(row, "reference")?
                .map(|t| serde_json::from_str(&t))
                .transpose()
                .map_err(unreadable)?,
            paid_at: maybe_instant(row, "paid_at")?,
            paid_at_proven: number(row, "paid_at_proven")? == 1,
            name_proven: number(row, "name_proven")? == 1,
            name_awaited_until: maybe_instant(row, "name_awaited_until")?,
            conflicting: number(row, "conflicting")? == 1,
            received_at: instant(row, "received_at")?,
            activation_id: maybe_text(row, "activation_id")?,
            suggested: maybe_text(row, "suggested")?,
            tied_by: maybe_text(row, "tied_by")?,
            standing: named(row, "standing", Standing::parse)?,
        })
    }

    /// The money is, or was, ours: also of a payment that was reversed later.
    pub(super) fn was_paid(&self) -> bool {
        self.status.rank() >= PaymentStatus::Paid.rank()
    }

    pub(super) fn is_reversed(&self) -> bool {
        matches!(self.status, PaymentStatus::Refunded | PaymentStatus::ChargedBack)
    }

    /// When it was made: the provider's own time where that is proven, never later than it came in.
    pub(super) fn made_at(&self) -> Timestamp {
        match self.paid_at {
            Some(at) if self.paid_at_proven => at.min(self.received_at),
            _ => self.received_at,
        }
    }

    pub(super) fn as_paid(&self) -> Paid {
        Paid {
            payment_id: self.payment_id.clone(),
            account: self.account.clone(),
            amount: self.amount,
            holder: self.holder.clone(),
            account_number: self.account_number.clone(),
            name_proven: self.name_proven,
            name_awaited_until: self.name_awaited_until,
            conflicting: self.conflicting,
            reversed: self.is_reversed(),
            made_at: self.made_at(),
        }
    }

    /// Takes in what one more event says. A law: the order of the events makes no difference to
    /// whether the payment is paid or reversed, how much, by whom, and what it refers to.
    pub(super) fn learn(&mut self, told: &PaymentNotification, received_at: Timestamp) {
        let reversal = matches!(
            told.status,
            PaymentStatus::Refunded | PaymentStatus::ChargedBack | PaymentStatus::RefundFailed
        );
        let settles = told.status == PaymentStatus::Paid;
        // What was announced, or tried in vain, is not what was paid, nor who paid it.
        if settles && !self.was_paid() {
            self.amount = None;
            self.holder = None;
            self.name_proven = false;
            self.account_number = None;
            self.reference = told.reference.clone().or(self.reference.take());
        }
        // And what comes late of it fills nothing in.
        let late = self.was_paid() && !settles && !reversal;
        if settles {
            let differ = self.amount.zip(told.amount).is_some_and(|(a, b)| a != b)
                || (self.name_proven
                    && told.proof.covers_the_name()
                    && self
                        .holder
                        .as_ref()
                        .zip(told.holder.as_ref())
                        .is_some_and(|(a, b)| a != b));
            self.conflicting |= differ;
        }
        if told.status.rank() > self.status.rank() {
            self.status = told.status;
        }
        // The amount of a refund is not the amount of the payment.
        if self.amount.is_none() && !reversal && !late {
            self.amount = told.amount;
        }
        // A proven name takes the place of one that anybody could have written.
        let proven = told.proof.covers_the_name();
        if !late && told.holder.is_some() && (self.holder.is_none() || (proven && !self.name_proven)) {
            self.holder.clone_from(&told.holder);
            self.name_proven = proven;
        }
        if self.account_number.is_none() && !late {
            self.account_number.clone_from(&told.account_number);
        }
        if self.reference.is_none() {
            self.reference.clone_from(&told.reference);
        }
        if told.status == PaymentStatus::Paid {
            if told.paid_at.is_some() && self.paid_at.is_none() {
                self.paid_at = told.paid_at;
                self.paid_at_proven = told.proof.covers_the_time();
            }
            self.received_at = self.received_at.min(received_at);
        }
    }
}

impl Desk {
    /// The picture of the payment that a notification tells of, held until the end of the transaction: two
    /// messages about one payment must both be in it.
    pub(super) async fn known_payment(
        &self,
        work: &mut Desking,
        told: &PaymentNotification,
        origin: &Origin<'_>,
    ) -> Result<Option<Payment>, StoreError> {
        let known = work.known.as_ref();
        if let Some(known) = known.and_then(|known| known.payment(origin.account, &told.payment_id)) {
            return Ok(known);
        }
        let sql = format!(
            "{PAYMENTS} WHERE p.account = $1 AND p.payment_id = $2{}",
            self.store.held("p")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(origin.account)
            .bind(told.payment_id.as_str())
            .fetch_optional(&mut *work.tx)
            .await?;
        row.map(|row| Payment::read(&row)).transpose()
    }

    /// Brings the picture of a payment up to date with one event; makes it when it is the first.
    pub(super) async fn picture(
        &self,
        work: &mut Desking,
        told: &PaymentNotification,
        origin: &Origin<'_>,
    ) -> Result<(Payment, bool), DeskError> {
        let known = self.known_payment(work, told, origin).await?;
        let mode = told.mode.unwrap_or(origin.endpoint_mode);
        let mut payment = match known {
            Some(mut known) => {
                // One message of the other mode is enough: test money activates nobody.
                known.mode_fits &= mode == origin.endpoint_mode;
                known
            }
            None => {
                let first = Payment {
                    id: self.new_id("pay")?,
                    account: origin.account.to_owned(),
                    payment_id: told.payment_id.clone(),
                    mode_fits: mode == origin.endpoint_mode,
                    status: told.status,
                    amount: None,
                    holder: None,
                    account_number: None,
                    reference: None,
                    paid_at: None,
                    paid_at_proven: false,
                    name_proven: false,
                    name_awaited_until: None,
                    conflicting: false,
                    received_at: origin.received_at,
                    activation_id: None,
                    suggested: None,
                    tied_by: None,
                    standing: Standing::NotPaid,
                };
                work.pending.new_payments.push(NewPayment {
                    payment: first.clone(),
                    provider: origin.provider.to_owned(),
                    endpoint: origin.endpoint.to_owned(),
                    mode: mode.as_str(),
                });
                self.wrote(work).await?;
                first
            }
        };
        let known = payment.clone();
        // An unpaid picture takes the time of the message that first says paid.
        if told.status == PaymentStatus::Paid && !payment.was_paid() {
            payment.received_at = origin.received_at;
        }
        payment.learn(told, origin.received_at);
        if told.name_comes_separately && payment.was_paid() && payment.name_awaited_until.is_none() {
            payment.name_awaited_until = Some(origin.received_at.plus(self.rules.companion_wait));
        }
        let better = (
            known.status,
            known.amount,
            &known.holder,
            &known.account_number,
            known.conflicting,
            known.mode_fits,
        ) != (
            payment.status,
            payment.amount,
            &payment.holder,
            &payment.account_number,
            payment.conflicting,
            payment.mode_fits,
        );
        Ok((payment, better))
    }

    /// Finds the activation that a payment names, and how it was found.
    pub(super) async fn tie(
        &self,
        work: &mut Desking,
        payment: &Payment,
    ) -> Result<Option<(String, &'static str)>, StoreError> {
        let (texts, how) = payment.reference.as_ref().map_or((Vec::new(), ""), words_of);
        for candidate in texts {
            let upper = candidate.to_uppercase();
            if let Some(known) = &work.known
                && let (Some(one), Some(other)) = (known.activation_id(&candidate), known.activation_id(&upper))
            {
                match one.or(other) {
                    Some(id) => return Ok(Some((id, how))),
                    None => continue,
                }
            }
            let row = sqlx::query("SELECT id FROM activations WHERE reference = $1 OR reference = $2 OR id = $1")
                .bind(candidate.as_str())
                .bind(upper)
                .fetch_optional(&mut *work.tx)
                .await?;
            if let Some(row) = row {
                return Ok(Some((text(&row, "id")?, how)));
            }
        }
        Ok(None)
    }

    /// Writes what a payment has become.
    pub(super) async fn save_payment(&self, work: &mut Desking, p: &Payment) -> Result<(), DeskError> {
        let pending = &mut work.pending;
        if let Some(new) = pending.new_payments.iter_mut().find(|new| new.payment.id == p.id) {
            new.payment = p.clone();
        } else if let Some(changed) = pending.payments.iter_mut().find(|changed| changed.id == p.id) {
            *changed = p.clone();
        } else {
            pending.payments.push(p.clone());
        }
        if let Some(known) = &mut work.known {
            known.paid(p);
        }
        self.wrote(work).await
    }

    /// Holds the payments of an activation until the end of the transaction: before the activation itself, as the
    /// processing of events holds them. The other way round, each would wait for the other.
    pub(super) async fn hold_payments_of(&self, work: &mut Desking, activation: &str) -> Result<(), StoreError> {
        self.store
            .hold_all(&mut work.tx, "payments", "activation_id", activation)
            .await
    }

    /// Money of an activation that ends waits as unallocated, with that activation suggested: somebody
    /// has to decide what becomes of it.
    pub(super) async fn let_go(&self, work: &mut Desking, a: &Activation) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE payments SET standing = 'unallocated', suggested = activation_id, activation_id = NULL, tied_by = NULL, changed_at = $1 \
             WHERE activation_id = $2 AND standing IN ('counts', 'surplus') AND status IN ('paid', 'refund_failed')",
        )
        .bind(self.now().micros())
        .bind(a.id.as_str())
        .execute(&mut *work.tx)
        .await?;
        Ok(())
    }

    /// All payments tied to an activation that count towards it, oldest first.
    pub(super) async fn counting(&self, work: &mut Desking, activation: &str) -> Result<Vec<Payment>, DeskError> {
        if let Some(known) = work.known.as_ref().and_then(|known| known.counting(activation)) {
            return Ok(known);
        }
        self.flush(work).await?;
        let sql =
            format!("{PAYMENTS} WHERE p.activation_id = $1 AND p.standing = 'counts' ORDER BY p.received_at, p.id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(activation)
            .fetch_all(&mut *work.tx)
            .await?;
        Ok(rows.iter().map(Payment::read).collect::<Result<_, _>>()?)
    }
}

/// The words by which a payment may name an activation, in the order to try them, and how it would be told.
pub(super) fn words_of(reference: &ReferenceHint) -> (Vec<String>, &'static str) {
    match reference {
        ReferenceHint::Exact(text) => {
            let mut words = vec![text.trim().to_owned()];
            words.extend(candidates(text));
            (words, "reference")
        }
        ReferenceHint::Within(text) => (candidates(text), "reference in free text"),
    }
}
