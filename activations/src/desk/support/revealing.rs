//! What is masked, shown once to a person who says why; and e-mails as they were sent.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::clock::Timestamp;
use crate::desk::letters::{WORDS, page_of};
use crate::desk::operations::Order;
use crate::desk::payments::{PAYMENTS, Payment};
use crate::desk::{Desk, Rendered};
use crate::links::LINK_PLACEHOLDER;
use crate::personal::{AccountNumber, EmailAddress};
use crate::refused::{DeskError, Kind, Refused};
use crate::state::EmailKind;
use crate::store::{StoreError, instant, maybe_instant, maybe_text, named, text};

/// An e-mail as it was sent; secret links are masked.
#[derive(Debug, Clone, Serialize)]
pub struct SentEmail {
    /// Its id.
    pub id: String,
    /// Which.
    pub kind: EmailKind,
    /// `nl` or `en`.
    pub language: String,
    /// To whom, masked.
    pub recipient_masked: String,
    /// `waiting`, `sent`, `failed`, `withdrawn`.
    pub state: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// What it says; none as long as it hasn't been rendered.
    pub rendered: Option<Rendered>,
}

impl Desk {
    /// The whole number of the account that a payment of this activation came from. That it was asked for, by whom and
    /// why, goes into the audit before it is told.
    ///
    /// # Errors
    /// Refused without a reason, when this activation has no such payment, and when the whole number isn't known.
    pub async fn reveal_account(&self, order: Order<'_>, activation: &str, payment: &str) -> Result<String, DeskError> {
        order.check()?;
        let mut work = self.begin().await?;
        let sql = format!("{PAYMENTS} WHERE p.id = $1 AND (p.activation_id = $2 OR p.suggested = $2)");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(payment)
            .bind(activation)
            .fetch_optional(&mut *work.tx)
            .await?;
        let found = row.map(|row| Payment::read(&row)).transpose()?;
        let number = found.ok_or_else(no_payment)?.account_number;
        let Some(AccountNumber::Iban(iban)) = number else {
            return Err(Refused::new(
                Kind::Conflict,
                "account_number_unknown",
                "The whole account number isn't known: the provider didn't tell it, or it was purged (retention.payer_days).",
                "Het hele rekeningnummer is niet bekend: de betaaldienstverlener meldde het niet, of het is opgeruimd (retention.payer_days).",
            )
            .into());
        };
        self.note(
            &mut work,
            order.actor,
            "account revealed",
            activation,
            &format!("payment {payment}: {}", order.reason.trim()),
        )
        .await?;
        self.commit(work).await?;
        Ok(iban)
    }

    /// An e-mail of this activation as it was sent, with its secret link masked: who may read of an activation may not
    /// round it off.
    ///
    /// # Errors
    /// Refused when this activation has no such e-mail, or its text was purged.
    pub async fn email_as_sent(&self, activation: &str, email: &str) -> Result<SentEmail, DeskError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, kind, language, recipient, state, created_at, sent_at, {WORDS} AS words FROM emails \
             WHERE id = $1 AND activation_id = $2"
        )))
        .bind(email)
        .bind(activation)
        .fetch_optional(self.store.reader())
        .await?;
        let row = row.filter(|row| text(row, "recipient").is_ok_and(|to| !to.is_empty()));
        let row = row.ok_or_else(|| {
            Refused::new(
                Kind::NotFound,
                "email_unknown",
                "This activation has no e-mail with this id, or its text was purged (retention.email_days).",
                "Deze activering heeft geen e-mail met dit id, of de tekst is opgeruimd (retention.email_days).",
            )
        })?;
        let kind = named(&row, "kind", EmailKind::parse)?;
        let rendered: Option<Rendered> = maybe_text(&row, "words")?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| StoreError::Unreadable(error.to_string()))?;
        Ok(SentEmail {
            id: text(&row, "id")?,
            kind,
            language: text(&row, "language")?,
            recipient_masked: EmailAddress::parse(&text(&row, "recipient")?)
                .map_or_else(|_| "***".to_owned(), |address| address.masked()),
            state: text(&row, "state")?,
            created_at: instant(&row, "created_at")?,
            sent_at: maybe_instant(&row, "sent_at")?,
            rendered: rendered.map(|rendered| self.without_secrets(kind, &rendered)),
        })
    }

    /// With an address that opens nothing in place of the secret one.
    pub fn without_secrets(&self, kind: EmailKind, rendered: &Rendered) -> Rendered {
        let shown = format!("{}/{}/***", self.rules.public_url, page_of(kind).path());
        Rendered {
            subject: rendered.subject.clone(),
            text: rendered.text.replace(LINK_PLACEHOLDER, &shown),
            html: rendered.html.replace(LINK_PLACEHOLDER, &shown),
        }
    }
}

fn no_payment() -> Refused {
    Refused::new(
        Kind::NotFound,
        "payment_not_found",
        "This activation has no payment with this id; look at it again.",
        "Deze activering heeft geen betaling met dit id; bekijk haar opnieuw.",
    )
}
