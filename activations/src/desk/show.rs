//! Activations as the outside sees them.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::Desk;
use super::listing::Wanted;
use super::moves::{Activation, SELECT};
use super::payments::{PAYMENTS, Payment};
use super::undelivered::{self, EMAILS};
use crate::personal::AccountNumber;
use crate::refused::{DeskError, FieldProblem, Kind, Refused};
use crate::state::{Happening, State};
use crate::store::{StoreError, instant, maybe_text, named, text};
use crate::views::{ActivationView, HistoryView, InstructionsView, PaymentView};

/// Which activations to list.
#[derive(Debug, Clone, Default)]
pub struct ActivationFilter {
    /// Only in this state.
    pub state: Option<String>,
    /// Only with this reference.
    pub reference: Option<String>,
    /// Only of this organisation.
    pub organisation: Option<String>,
    /// Only of organisations of this environment.
    pub environment: Option<String>,
    /// At most so many; 1 to 500.
    pub limit: u32,
    /// After the activation with this id, in the order of starting.
    pub after: Option<String>,
}

impl Desk {
    /// One activation.
    ///
    /// # Errors
    /// Refused when there is none with this id.
    pub async fn activation(&self, id: &str) -> Result<ActivationView, DeskError> {
        let mut snapshot = self.store.snapshot().await?;
        self.activation_in(&mut snapshot, id).await
    }

    /// Activations, oldest first.
    ///
    /// # Errors
    /// Refused when the state isn't one of the ten.
    pub async fn activations(&self, filter: &ActivationFilter) -> Result<Vec<ActivationView>, DeskError> {
        if let Some(state) = &filter.state
            && State::parse(state).is_none()
        {
            let names: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
            let names = names.join(", ");
            let mut refused = Refused::new(
                Kind::Invalid,
                "invalid",
                format!("There is no such state; choose one of {names}."),
                format!("Die toestand bestaat niet; kies een van {names}."),
            );
            refused.fields.push(FieldProblem {
                field: "state".to_owned(),
                code: "state_unknown",
                text: refused.text.clone(),
                text_nl: refused.text_nl.clone(),
            });
            return Err(refused.into());
        }
        let mut snapshot = self.store.snapshot().await?;
        let limit = filter.limit.clamp(1, 500);
        let mut wanted = Wanted::default();
        wanted.those_of("state = ?", filter.state.as_deref());
        wanted.those_of("reference = ?", filter.reference.as_deref());
        wanted.those_of("organisation_id = ?", filter.organisation.as_deref());
        wanted.those_of(
            "organisation_id IN (SELECT id FROM organisations WHERE environment = ?)",
            filter.environment.as_deref(),
        );
        wanted.those_of("id > ?", filter.after.as_deref());
        let sql = format!(
            "SELECT id FROM activations WHERE {} ORDER BY id LIMIT {limit}",
            wanted.sql()
        );
        let rows = wanted.fetch(&mut snapshot, &sql).await?;
        let mut all = Vec::new();
        for row in rows {
            all.push(self.activation_in(&mut snapshot, &text(&row, "id")?).await?);
        }
        Ok(all)
    }

    /// Read in several statements: in one snapshot, or payments could be newer than the flags beside them.
    pub(super) async fn activation_in(
        &self,
        connection: &mut AnyConnection,
        id: &str,
    ) -> Result<ActivationView, DeskError> {
        let sql = format!("{SELECT} WHERE a.id = $1");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?;
        let a = Activation::read(&row.ok_or_else(Refused::no_activation)?)?;
        let payments = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{PAYMENTS} WHERE p.activation_id = $1 OR p.suggested = $1 ORDER BY p.received_at, p.id"
        )))
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
        let checkout = sqlx::query("SELECT url FROM checkouts WHERE activation_id = $1")
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?;
        let checkout = checkout.map(|row| maybe_text(&row, "url")).transpose()?.flatten();
        let documents =
            sqlx::query("SELECT sequence, number, kind FROM invoices WHERE activation_id = $1 ORDER BY sequence")
                .bind(id)
                .fetch_all(&mut *connection)
                .await?;
        let emails = sqlx::query(AssertSqlSafe(format!(
            "{EMAILS} WHERE activation_id = $1 ORDER BY number"
        )))
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
        let history = sqlx::query("SELECT at, happening, from_state, to_state, actor, reason FROM history WHERE activation_id = $1 ORDER BY number")
            .bind(id)
            .fetch_all(&mut *connection)
            .await?;
        Ok(ActivationView {
            invoice: self.invoice_view(&a.id, &documents)?,
            id: a.id,
            organisation: a.organisation_id,
            method: a.method,
            reference: a.reference,
            amount: a.amount,
            state: a.state,
            due_at: a.due_at,
            expires_at: a.expires_at,
            created_at: a.created_at,
            version: a.version,
            reasons: a.reasons,
            flags: a.flags,
            instructions: (a.state == State::AwaitingPayment).then(|| InstructionsView::of(a.method)),
            checkout_url: checkout.filter(|_| a.state == State::AwaitingPayment),
            payments: payments.iter().map(payment).collect::<Result<_, _>>()?,
            emails: emails.iter().map(undelivered::view).collect::<Result<_, _>>()?,
            history: history.iter().map(line).collect::<Result<_, _>>()?,
        })
    }
}

pub(super) fn payment(row: &AnyRow) -> Result<PaymentView, StoreError> {
    let payment = Payment::read(row)?;
    Ok(PaymentView {
        id: payment.payment_id,
        provider: text(row, "provider")?,
        status: payment.status.as_str().to_owned(),
        amount: payment.amount,
        paid_at: payment.paid_at,
        holder_name: payment.holder.map(|holder| holder.as_str().to_owned()),
        iban_masked: payment.account_number.as_ref().map(AccountNumber::masked),
        standing: payment.standing.as_str().to_owned(),
    })
}

fn line(row: &AnyRow) -> Result<HistoryView, StoreError> {
    let from = text(row, "from_state")?;
    Ok(HistoryView {
        at: instant(row, "at")?,
        event: named(row, "happening", Happening::parse)?,
        from: State::parse(&from),
        to: named(row, "to_state", State::parse)?,
        actor: text(row, "actor")?,
        reason: text(row, "reason")?,
    })
}
