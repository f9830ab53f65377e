//! E-mails to hand over: what the mail job needs of a row, and what it writes back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::AnyRow;

use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::ledger::{Claim, failed_in};
use crate::links::Page;
use crate::personal::EmailAddress;
use crate::refused::DeskError;
use crate::state::EmailKind;
use crate::store::many::{Columns, Many};
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

/// The same as its row keeps it: JSON.
#[derive(Debug, Clone)]
pub(crate) struct Kept(Arc<str>);

impl Kept {
    pub(crate) fn of(rendered: &Rendered) -> Result<Self, StoreError> {
        Ok(Self(to_json(rendered)?.into()))
    }
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
    /// The creator's name; none where it is to the house.
    pub to_name: Option<String>,
    /// `nl` or `en`.
    pub language: String,
    /// Which e-mail.
    pub kind: EmailKind,
    /// The activation's reference; an e-mail to the house has none.
    pub reference: Option<String>,
    /// What the template needs.
    pub data: Value,
    /// What was rendered at the first attempt.
    pub rendered: Option<Rendered>,
    /// The secret address to put in place of the placeholder.
    pub link: Option<String>,
    /// After this it isn't tried any more.
    pub give_up_at: Timestamp,
}

/// What an e-mail says, in a statement about `emails`; an e-mail from before migration 18 has it in its own row.
pub(super) const WORDS: &str =
    "COALESCE((SELECT r.words FROM renderings r WHERE r.email_id = emails.id), emails.rendered)";

impl Desk {
    /// The e-mails of these claims, in their order.
    ///
    /// # Errors
    /// When the store doesn't answer, or one can't be read.
    pub async fn emails(&self, claims: &[Claim]) -> Result<Vec<Letter>, DeskError> {
        let tail = format!(
            ") SELECT emails.id, email_key, activation_id, emails.kind, emails.language, recipient, recipient_name, data, emails.link, \
             {WORDS} AS words, message_id, emails.created_at, give_up_at, a.reference FROM asked \
             JOIN emails ON emails.id = asked.row_id LEFT JOIN activations a ON a.id = emails.activation_id"
        );
        let asking = Many {
            head: "WITH asked (row_id) AS (",
            columns: Columns::Typed(&["TEXT"]),
            tail: &tail,
        };
        let mut connection = self.store.reader().acquire().await.map_err(StoreError::from)?;
        let rows = asking
            .fetch(&mut connection, claims, |query, claim| query.bind(claim.id.as_str()))
            .await?;
        let mut letters = HashMap::with_capacity(rows.len());
        for row in &rows {
            letters.insert(text(row, "id")?, self.letter(row)?);
        }
        let of = |claim: &Claim| {
            let gone = || StoreError::Unreadable(format!("{} is gone", claim.id));
            letters.remove(&claim.id).ok_or_else(gone)
        };
        Ok(claims.iter().map(of).collect::<Result<_, _>>()?)
    }

    fn letter(&self, row: &AnyRow) -> Result<Letter, StoreError> {
        let activation = maybe_text(row, "activation_id")?;
        let number = maybe_number(row, "link")?;
        let kind = named(row, "kind", EmailKind::parse)?;
        let page = page_of(kind);
        let link = number.zip(activation).map(|(number, activation)| {
            format!(
                "{}/{}/{}",
                self.rules.public_url,
                page.path(),
                self.rules.links_key.token(page, &activation, number)
            )
        });
        let address = text(row, "recipient")?;
        let to = EmailAddress::parse(&address).map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let rendered = maybe_text(row, "words")?.map(|text| serde_json::from_str(&text));
        Ok(Letter {
            key: text(row, "email_key")?,
            message_id: text(row, "message_id")?,
            created_at: instant(row, "created_at")?,
            to,
            to_name: maybe_text(row, "recipient_name")?,
            language: text(row, "language")?,
            kind,
            reference: maybe_text(row, "reference")?,
            data: json(row, "data")?,
            rendered: rendered
                .transpose()
                .map_err(|error| StoreError::Unreadable(error.to_string()))?,
            link,
            give_up_at: instant(row, "give_up_at")?,
        })
    }

    /// Keeps what was rendered; what was kept before stays.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn keep_renderings(&self, rendered: &[(Claim, Rendered)]) -> Result<(), DeskError> {
        let kept = rendered
            .iter()
            .map(|(claim, words)| Ok((claim.clone(), Kept::of(words)?)));
        let kept: Vec<_> = kept.collect::<Result<_, StoreError>>()?;
        self.keep_renderings_in(self.begin().await?, &kept).await
    }

    /// The same in a transaction that has begun, which it commits.
    pub(crate) async fn keep_renderings_in(&self, mut work: Desking, kept: &[(Claim, Kept)]) -> Result<(), DeskError> {
        // Held: whoever erases it at this moment waits, or has ended the claim.
        let tail = format!(
            ") INSERT INTO renderings (email_id, words) SELECT given.row_id, given.as_text FROM given \
             JOIN emails ON emails.id = given.row_id AND emails.lease = given.token WHERE emails.rendered IS NULL{} \
             ON CONFLICT (email_id) DO NOTHING",
            self.store.held("emails")
        );
        let keep = Many {
            head: "WITH given (row_id, token, as_text) AS (",
            columns: Columns::Typed(&["TEXT", "TEXT", "TEXT"]),
            tail: &tail,
        };
        keep.execute(&mut work.tx, kept, |query, (claim, Kept(words))| {
            query.bind(claim.id.as_str()).bind(claim.lease.as_str()).bind(&**words)
        })
        .await?;
        self.commit(work).await
    }

    /// The mail server has taken them. Ends the claims.
    ///
    /// # Errors
    /// When the store doesn't answer, or one lease was lost: then nothing is written, and they will be handed
    /// over again, with the same `Message-ID`.
    pub async fn emails_sent(&self, claims: &[Claim]) -> Result<(), DeskError> {
        self.emails_sent_in(self.begin().await?, claims).await
    }

    /// The same in a transaction that has begun, which it commits.
    pub(crate) async fn emails_sent_in(&self, mut work: Desking, claims: &[Claim]) -> Result<(), DeskError> {
        const SENT: Many<'static> = Many {
            head: "WITH given (row_id, token, at_when) AS (",
            columns: Columns::Typed(&["TEXT", "TEXT", "BIGINT"]),
            tail: ") UPDATE emails SET state = 'sent', sent_at = at_when, attempts = attempts + 1, starts = 0, \
                   next_attempt_at = NULL, last_error = NULL, lease = NULL, lease_until = NULL \
                   FROM given WHERE emails.id = given.row_id AND emails.lease = given.token RETURNING emails.id AS id",
        };
        let now = self.now().micros();
        let sent = SENT
            .fetch(&mut work.tx, claims, |query, claim| {
                query.bind(claim.id.as_str()).bind(claim.lease.as_str()).bind(now)
            })
            .await?;
        let sent: HashSet<String> = sent.iter().map(|row| text(row, "id")).collect::<Result<_, _>>()?;
        if let Some(lost) = claims.iter().find(|claim| !sent.contains(&claim.id)) {
            return Err(StoreError::LeaseLost(lost.id.clone()).into());
        }
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
        failed_in(&mut work.tx, claim, self.now(), retry_at, error).await?;
        self.commit(work).await
    }
}

/// What the link of an e-mail opens, where it carries one.
pub(super) fn page_of(kind: EmailKind) -> Page {
    match kind {
        EmailKind::InformationRequested | EmailKind::ReminderToAnswer => Page::Information,
        EmailKind::Invoice
        | EmailKind::PartlyPaid
        | EmailKind::ReminderToPay
        | EmailKind::Cancelled
        | EmailKind::Expired => Page::Invoice,
        _ => Page::RoundOff,
    }
}
