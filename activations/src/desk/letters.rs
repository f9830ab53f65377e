//! E-mails to hand over: what the mail job needs of a row, and what it writes back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Desk;
use crate::clock::Timestamp;
use crate::ledger::{Claim, end_well, put_back_in};
use crate::personal::EmailAddress;
use crate::refused::DeskError;
use crate::state::EmailKind;
use crate::store::{StoreError, instant, json, maybe_number, maybe_text, named, text, to_json};

/// An e-mail as it was rendered, once; kept, so that every attempt hands over the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// Subject.
    pub subject: String,
    /// Plain text, with [`LINK_PLACEHOLDER`](crate::links::LINK_PLACEHOLDER) where the link goes.
    pub text: String,
    /// HTML, with the same placeholder.
    pub html: String,
}

/// An e-mail to hand over.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Stable name, such as `act_…/round_off/4`.
    pub key: String,
    /// The whole `Message-ID`, the same at each attempt.
    pub message_id: String,
    /// When it was written: its `Date`.
    pub created_at: Timestamp,
    /// To whom alone.
    pub to: EmailAddress,
    /// The creator's name.
    pub to_name: Option<String>,
    /// `nl` or `en`.
    pub language: String,
    /// Which e-mail.
    pub kind: EmailKind,
    /// The activation's reference.
    pub reference: String,
    /// What the template needs.
    pub data: Value,
    /// What was rendered at the first attempt.
    pub rendered: Option<Rendered>,
    /// The secret address to put in place of the placeholder.
    pub link: Option<String>,
    /// After this it isn't tried any more.
    pub give_up_at: Timestamp,
}

impl Desk {
    /// The e-mail of a claim.
    ///
    /// # Errors
    /// When the store doesn't answer, or the row can't be read.
    pub async fn email(&self, claim: &Claim) -> Result<Letter, DeskError> {
        let row = sqlx::query(
            "SELECT e.*, a.reference FROM emails e JOIN activations a ON a.id = e.activation_id WHERE e.id = $1",
        )
        .bind(claim.id.as_str())
        .fetch_one(self.store.reader())
        .await?;
        let activation = text(&row, "activation_id")?;
        let number = maybe_number(&row, "link")?;
        let link = number.map(|number| {
            format!(
                "{}/round-off/{}",
                self.rules.public_url,
                self.rules.links_key.token(&activation, number)
            )
        });
        let address = text(&row, "recipient")?;
        let to = EmailAddress::parse(&address).map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let rendered = maybe_text(&row, "rendered")?.map(|text| serde_json::from_str(&text));
        Ok(Letter {
            key: text(&row, "email_key")?,
            message_id: text(&row, "message_id")?,
            created_at: instant(&row, "created_at")?,
            to,
            to_name: maybe_text(&row, "recipient_name")?,
            language: text(&row, "language")?,
            kind: named(&row, "kind", EmailKind::parse)?,
            reference: text(&row, "reference")?,
            data: json(&row, "data")?,
            rendered: rendered
                .transpose()
                .map_err(|error| StoreError::Unreadable(error.to_string()))?,
            link,
            give_up_at: instant(&row, "give_up_at")?,
        })
    }

    /// Keeps what was rendered; what was kept before stays.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn keep_rendering(&self, claim: &Claim, rendered: &Rendered) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        sqlx::query("UPDATE emails SET rendered = $1 WHERE id = $2 AND lease = $3 AND rendered IS NULL")
            .bind(to_json(rendered)?)
            .bind(claim.id.as_str())
            .bind(claim.lease.as_str())
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await
    }

    /// The mail server has taken it. Ends the claim.
    ///
    /// # Errors
    /// When the store doesn't answer: then it will be handed over again, with the same `Message-ID`.
    pub async fn email_sent(&self, claim: &Claim) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        let set = format!(
            "state = 'sent', sent_at = {}, attempts = attempts + 1,",
            self.now().micros()
        );
        end_well(&mut work.tx, claim, &set).await?;
        self.commit(work).await
    }

    /// It was handed over and no answer came: it may have been sent. Ends the claim; it is tried again
    /// at `retry_at`, with the same `Message-ID`.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn email_uncertain(&self, claim: &Claim, retry_at: Timestamp, error: &str) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        sqlx::query("UPDATE emails SET maybe_sent = 1 WHERE id = $1 AND lease = $2")
            .bind(claim.id.as_str())
            .bind(claim.lease.as_str())
            .execute(&mut *work.tx)
            .await?;
        put_back_in(&mut work.tx, claim, retry_at, error, 1).await?;
        self.commit(work).await
    }
}
