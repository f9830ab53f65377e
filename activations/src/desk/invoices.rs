//! Invoices and credit notes: numbered without a gap, kept as they were, and the page that the link opens.
//!
//! A number is taken alone, in the transaction of the start or the end that it belongs to: if that is rolled
//! back, the number wasn't used. What a document says is kept as facts; it is rendered from them whenever somebody
//! wants it, the same each time.

use eencent_invoices::Invoice;
use serde::Serialize;
use serde_json::{Value, json};

use super::moves::Activation;
use super::{Desk, Desking};
use crate::invoicing::{self, Asked, Invoicing, NoInvoice};
use crate::links::{Page, hash_of};
use crate::money::Money;
use crate::refused::{DeskError, Kind, Refused};
use crate::state::State;
use crate::store::{StoreError, json, number, text, to_json};
use crate::views::{InvoiceView, OrganisationView};

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStanding {
    /// It is to be paid, or what is missing of it.
    Open,
    /// All of it has come in.
    Paid,
    /// It was taken back by a credit note.
    Credited,
    /// Its time is up, or the request was rejected: it needn't be paid any more.
    Over,
    /// It is a credit note: nothing is to be paid.
    CreditNote,
}

/// What the page of an invoice or credit note shows.
#[derive(Debug, Clone)]
pub struct InvoicePage {
    /// How it stands.
    pub standing: InvoiceStanding,
    /// The document itself.
    pub invoice: Invoice,
    /// Whose activation it is.
    pub organisation: String,
    /// `nl` or `en`: the creator's.
    pub language: String,
    /// What has come in.
    pub received: Money,
    /// What is still to be paid; nothing unless it is open.
    pub missing: Money,
    /// Where the activation stands.
    pub state: State,
}

impl Desk {
    /// Takes the next number. Nobody else does until this transaction has ended.
    async fn next_invoice(&self, work: &mut Desking) -> Result<i64, DeskError> {
        self.store.alone(&mut work.tx, "invoices").await?;
        let row = sqlx::query("SELECT COALESCE(MAX(sequence), 0) + 1 AS next FROM invoices")
            .fetch_one(&mut *work.tx)
            .await?;
        Ok(number(&row, "next")?)
    }

    /// What makes invoices.
    ///
    /// # Errors
    /// Refused when there are none: no account is set that could be paid to.
    pub(super) fn invoicing(&self) -> Result<&Invoicing, Refused> {
        self.rules.invoicing.as_ref().ok_or_else(|| {
            Refused::new(
                Kind::Conflict,
                "invoice_not_configured",
                "There are no invoices here: use method `ideal`, or ask the operator to set [invoice].",
                "Facturen zijn hier niet ingesteld: gebruik methode `ideal`, of vraag de beheerder om [invoice] in te stellen.",
            )
        })
    }

    /// Reserves the invoice of an activation that is about to be started: its place in the sequence.
    pub(super) async fn reserve_invoice(&self, work: &mut Desking) -> Result<i64, DeskError> {
        self.invoicing()?;
        self.next_invoice(work).await
    }

    /// Makes the invoice that was reserved, once the activation's row is there.
    pub(super) async fn issue(
        &self,
        work: &mut Desking,
        a: &Activation,
        o: &OrganisationView,
    ) -> Result<(), DeskError> {
        let Some(sequence) = a.invoice else { return Ok(()) };
        let now = self.now();
        let due = a.expires_at.unwrap_or(now);
        let (scheme, value) = &a.identifier;
        let made = self.invoicing()?.invoice(&Asked {
            sequence,
            issued: self.rules.hours.local(now).date_naive(),
            due: self.rules.hours.local(due).date_naive(),
            organisation: &a.organisation.legal_name,
            creator: &a.organisation.creator.name,
            country: &o.country,
            address: o.address.as_ref(),
            identifier: (scheme, value),
            reference: &a.reference,
            amount: a.amount,
            dutch: a.organisation.creator.language == "nl",
        });
        let invoice = made.map_err(|error| {
            Refused::new(
                Kind::Invalid,
                "invoice_impossible",
                format!("{error}: mend the organisation, then start again."),
                format!(
                    "Van deze gegevens is geen factuur te maken ({error}): herstel de organisatie en start opnieuw."
                ),
            )
        })?;
        self.keep_invoice(work, a, sequence, &invoice, None).await
    }

    /// Makes the credit note of an activation that is withdrawn or ends unpaid, where it was invoiced.
    pub(super) async fn credit(&self, work: &mut Desking, a: &mut Activation) -> Result<(), DeskError> {
        let Some(invoice) = a.invoice else { return Ok(()) };
        let credited = self.kept_invoice(work, invoice).await?;
        let sequence = self.next_invoice(work).await?;
        let today = self.rules.hours.local(self.now()).date_naive();
        let number = self.rules.invoice_numbers.number(sequence)?;
        let note = invoicing::credit_note(&credited, number, today)?;
        self.keep_invoice(work, a, sequence, &note, Some(invoice)).await?;
        a.credit_note = Some(sequence);
        Ok(())
    }

    async fn keep_invoice(
        &self,
        work: &mut Desking,
        a: &Activation,
        sequence: i64,
        invoice: &Invoice,
        credits: Option<i64>,
    ) -> Result<(), DeskError> {
        let token = self.rules.links_key.token(Page::Invoice, &a.id, sequence);
        sqlx::query(
            "INSERT INTO invoices (sequence, number, kind, activation_id, credits, token_hash, issued_at, facts) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(sequence)
        .bind(invoice.facts().number.as_str())
        .bind(if credits.is_some() { "credit_note" } else { "invoice" })
        .bind(a.id.as_str())
        .bind(credits)
        .bind(hash_of(&token))
        .bind(self.now().micros())
        .bind(to_json(invoice)?)
        .execute(&mut *work.tx)
        .await?;
        Ok(())
    }

    async fn kept_invoice(&self, work: &mut Desking, sequence: i64) -> Result<Invoice, DeskError> {
        let row = sqlx::query("SELECT facts FROM invoices WHERE sequence = $1")
            .bind(sequence)
            .fetch_one(&mut *work.tx)
            .await?;
        Ok(json(&row, "facts")?)
    }

    /// What an event tells of a document: its number, and the document itself for the platform's inbox.
    pub(super) async fn told_document(
        &self,
        work: &mut Desking,
        a: &Activation,
        event: &str,
    ) -> Result<Option<(&'static str, Value)>, DeskError> {
        let (name, sequence) = match event {
            "activation.invoiced" => ("invoice", a.invoice),
            "activation.cancelled" | "activation.expired" => ("credit_note", a.credit_note),
            _ => return Ok(None),
        };
        let Some(sequence) = sequence else { return Ok(None) };
        let invoice = self.kept_invoice(work, sequence).await?;
        let told = json!({
            "number": invoice.facts().number.as_str(),
            "url": self.document_url(&a.id, sequence),
            "ubl": eencent_invoices::ubl(&invoice),
        });
        Ok(Some((name, told)))
    }

    /// The address of a document's page.
    pub(super) fn document_url(&self, activation: &str, sequence: i64) -> String {
        let token = self.rules.links_key.token(Page::Invoice, activation, sequence);
        format!("{}/{}/{token}", self.rules.public_url, Page::Invoice.path())
    }

    /// The documents of an activation, as the outside sees them; none for one that wasn't invoiced.
    pub(super) fn invoice_view(
        &self,
        activation: &str,
        documents: &[sqlx::any::AnyRow],
    ) -> Result<Option<InvoiceView>, StoreError> {
        let mut view: Option<InvoiceView> = None;
        for row in documents {
            let (sequence, printed) = (number(row, "sequence")?, text(row, "number")?);
            let url = self.document_url(activation, sequence);
            match (&mut view, text(row, "kind")?.as_str()) {
                (None, "invoice") => {
                    view = Some(InvoiceView {
                        number: printed,
                        url,
                        credit_note: None,
                        credit_note_url: None,
                    });
                }
                (Some(view), "credit_note") => {
                    view.credit_note = Some(printed);
                    view.credit_note_url = Some(url);
                }
                _ => {}
            }
        }
        Ok(view)
    }

    /// What the link to an invoice or credit note opens; `None` when there is no such link. Changes nothing.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn invoice(&self, token: &str) -> Result<Option<InvoicePage>, DeskError> {
        let mut snapshot = self.store.snapshot().await?;
        let row = sqlx::query("SELECT activation_id, kind, facts FROM invoices WHERE token_hash = $1")
            .bind(hash_of(token))
            .fetch_optional(&mut *snapshot)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let a = self.activation_in(&mut snapshot, &text(&row, "activation_id")?).await?;
        let organisation = sqlx::query("SELECT legal_name, language FROM organisations WHERE id = $1")
            .bind(a.organisation.as_str())
            .fetch_one(&mut *snapshot)
            .await?;
        let counts = a.payments.iter().filter(|payment| payment.standing == "counts");
        let received = counts
            .filter_map(|payment| payment.amount)
            .filter(|amount| amount.currency == a.amount.currency)
            .fold(0_i64, |sum, amount| sum.saturating_add(amount.minor));
        let credited = a.invoice.as_ref().is_some_and(|invoice| invoice.credit_note.is_some());
        let standing = match a.state {
            _ if text(&row, "kind")? == "credit_note" => InvoiceStanding::CreditNote,
            _ if credited => InvoiceStanding::Credited,
            State::AwaitingPayment if received < a.amount.minor => InvoiceStanding::Open,
            State::Cancelled | State::Expired | State::Rejected => InvoiceStanding::Over,
            _ => InvoiceStanding::Paid,
        };
        let missing = match standing {
            InvoiceStanding::Open => a.amount.minor.saturating_sub(received),
            _ => 0,
        };
        Ok(Some(InvoicePage {
            standing,
            invoice: json(&row, "facts")?,
            organisation: text(&organisation, "legal_name")?,
            language: text(&organisation, "language")?,
            received: Money::new(received, a.amount.currency),
            missing: Money::new(missing, a.amount.currency),
            state: a.state,
        }))
    }
}

impl From<NoInvoice> for DeskError {
    fn from(error: NoInvoice) -> Self {
        StoreError::Unreadable(error.to_string()).into()
    }
}
