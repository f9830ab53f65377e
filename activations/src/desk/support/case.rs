//! One activation with all that is known of it, for one page.

use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::assigning::Assignee;
use super::notes::NoteView;
use super::related::Related;
use super::second_person::Proposal;
use crate::clock::Timestamp;
use crate::desk::moves::{Activation, SELECT};
use crate::desk::payments::{PAYMENTS, Payment, remittance};
use crate::desk::{Desk, Explanation};
use crate::refused::{DeskError, Refused};
use crate::store::{StoreError, instant};
use crate::views::{PaymentView, ReasonView};

/// Everything of one activation.
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// The stored record.
    pub explanation: Explanation,
    /// How it waits for a person; none when it doesn't.
    pub in_review: Option<InReview>,
    /// Its payments, with what the explanation's list leaves out.
    pub payments: Vec<CasePayment>,
    /// What people wrote beside it.
    pub notes: Vec<NoteView>,
    /// Others of the same organisation, creator or account.
    pub related: Related,
    /// What a person should know; none of it changes a verdict.
    pub warnings: Vec<ReasonView>,
    /// What was proposed, and waits for a second person.
    pub proposal: Option<Proposal>,
    /// Whether an approval takes two persons.
    pub takes_two: bool,
}

/// How it waits.
#[derive(Debug, Clone, Serialize)]
pub struct InReview {
    /// When it came into review.
    pub since: Timestamp,
    /// Who looks at it.
    pub assignee: Option<Assignee>,
}

/// A payment, as support looks at it.
#[derive(Debug, Clone, Serialize)]
pub struct CasePayment {
    /// Our id of it, by which its account is revealed.
    pub id: String,
    /// What the platform sees of it.
    pub view: PaymentView,
    /// When it came in.
    pub received_at: Timestamp,
    /// The instant of payment that office hours look at.
    pub made_at: Timestamp,
    /// Whether the time of payment is proven; otherwise it is when it came in.
    pub paid_at_proven: bool,
    /// Whether anything vouches for the account holder's name.
    pub name_proven: bool,
    /// The account holder's name, with invisible characters made visible.
    pub holder_shown: Option<String>,
    /// What tied it to the activation.
    pub tied_by: Option<String>,
    /// What the payer wrote.
    pub remittance: Option<String>,
    /// Whether the whole account number is known, and can be revealed.
    pub whole_account: bool,
}

impl Desk {
    /// Everything of one activation.
    ///
    /// # Errors
    /// Refused when there is none with this id.
    pub async fn case(&self, id: &str) -> Result<Case, DeskError> {
        let explanation = self.explanation(id).await?;
        let notes = self.notes_of(id).await?;
        let mut connection = self.store.reader().acquire().await?;
        let a = read(&mut connection, id).await?;
        let (related, warnings) = self.related(&mut connection, &a).await?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "{PAYMENTS} WHERE p.activation_id = $1 OR p.suggested = $1 ORDER BY p.received_at, p.id"
        )))
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
        let mut payments = Vec::with_capacity(rows.len());
        for row in &rows {
            let payment = Payment::read(row)?;
            payments.push(CasePayment {
                view: crate::desk::show::payment(row)?,
                received_at: payment.received_at,
                made_at: payment.made_at(),
                paid_at_proven: payment.paid_at_proven,
                name_proven: payment.name_proven,
                holder_shown: payment
                    .holder
                    .as_ref()
                    .map(|holder| eencent_matching::visible(holder.as_str())),
                whole_account: payment
                    .account_number
                    .as_ref()
                    .is_some_and(|number| matches!(number, crate::personal::AccountNumber::Iban(_))),
                remittance: remittance(row)?,
                tied_by: payment.tied_by,
                id: payment.id,
            });
        }
        Ok(Case {
            in_review: in_review(&mut connection, id).await?,
            proposal: self.proposal(&mut connection, &a).await?,
            takes_two: self.takes_two(&mut connection, &a).await?,
            explanation,
            payments,
            notes,
            related,
            warnings,
        })
    }
}

/// The activation as it is, to look at.
pub(super) async fn read(connection: &mut AnyConnection, id: &str) -> Result<Activation, DeskError> {
    let row = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE a.id = $1")))
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
    Ok(Activation::read(&row.ok_or_else(Refused::no_activation)?)?)
}

async fn in_review(connection: &mut AnyConnection, id: &str) -> Result<Option<InReview>, StoreError> {
    let row = sqlx::query(
        "SELECT r.since, r.assignee, r.assigned_at, c.name AS assignee_name FROM reviews r LEFT JOIN accounts c ON c.id = r.assignee \
         WHERE r.activation_id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    row.map(|row| {
        Ok(InReview {
            since: instant(&row, "since")?,
            assignee: Assignee::read(&row)?,
        })
    })
    .transpose()
}
