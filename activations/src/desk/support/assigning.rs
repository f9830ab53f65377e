//! Who looks at an activation that waits. It changes nothing of the activation: not its version, and nothing that an
//! act is about.

use serde::Serialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::queue::{QueueFilter, Whose};
use crate::clock::Timestamp;
use crate::desk::operations::Order;
use crate::desk::{Desk, Desking};
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, maybe_instant, maybe_text, text};

/// Who looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assignee {
    /// The account.
    pub account: String,
    /// Whose that is; the account's id where there is no such account any more.
    pub name: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl Assignee {
    /// Of a row with `assignee`, `assignee_name` and `assigned_at`.
    pub(super) fn read(row: &AnyRow) -> Result<Option<Self>, StoreError> {
        let Some(account) = maybe_text(row, "assignee")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            name: maybe_text(row, "assignee_name")?.unwrap_or_else(|| account.clone()),
            since: maybe_instant(row, "assigned_at")?,
            account,
        }))
    }
}

impl Desk {
    /// Gives an activation that waits to somebody, or to nobody. `seen` is who had it when that was looked at: whoever
    /// comes second is told who has it now.
    ///
    /// # Errors
    /// Refused when it waits for nobody, when somebody else has it than was seen, or when there is no such account.
    pub async fn assign(
        &self,
        order: Order<'_>,
        activation: &str,
        seen: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<Assignee>, DeskError> {
        let mut work = self.begin().await?;
        if let Some(account) = to {
            works_here(&mut work, account).await?;
        }
        let changed = sqlx::query(
            "UPDATE reviews SET assignee = $1, assigned_at = $2 \
             WHERE activation_id = $3 AND COALESCE(assignee, '') = $4",
        )
        .bind(to)
        .bind(to.map(|_| self.now().micros()))
        .bind(activation)
        .bind(seen.unwrap_or_default())
        .execute(&mut *work.tx)
        .await?;
        let has = assignee(&mut work, activation).await?;
        if changed.rows_affected() == 0 {
            return Err(taken(has.as_ref()).into());
        }
        let told = has
            .as_ref()
            .map_or_else(|| "to nobody".to_owned(), |has| format!("to {}", has.name));
        self.note(
            &mut work,
            order.actor,
            "assigned",
            activation,
            &with_why(&told, order.reason),
        )
        .await?;
        self.commit(work).await?;
        Ok(has)
    }

    /// The oldest that nobody has, of those that the filter shows, becomes this account's: of two who ask at the same
    /// moment each gets another. `None` when there is none.
    ///
    /// # Errors
    /// Refused when there is no such account; when the store doesn't answer.
    pub async fn claim_next(
        &self,
        order: Order<'_>,
        account: &str,
        filter: &QueueFilter,
    ) -> Result<Option<String>, DeskError> {
        let mut work = self.begin().await?;
        works_here(&mut work, account).await?;
        let nobodys = QueueFilter {
            whose: Some(Whose::Nobodys),
            information_requested: false,
            ..filter.clone()
        };
        let wanted = nobodys.wanted();
        let sql = format!(
            "SELECT r.activation_id FROM reviews r WHERE {} ORDER BY r.since, r.activation_id LIMIT 1{}",
            wanted.sql(),
            self.store.held_if_free("r")
        );
        let rows = wanted.fetch(&mut work.tx, &sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let activation = text(row, "activation_id")?;
        sqlx::query("UPDATE reviews SET assignee = $1, assigned_at = $2 WHERE activation_id = $3")
            .bind(account)
            .bind(self.now().micros())
            .bind(activation.as_str())
            .execute(&mut *work.tx)
            .await?;
        self.note(&mut work, order.actor, "claimed", &activation, order.reason)
            .await?;
        self.commit(work).await?;
        Ok(Some(activation))
    }
}

/// Who has it, where it waits.
async fn assignee(work: &mut Desking, activation: &str) -> Result<Option<Assignee>, DeskError> {
    let row = sqlx::query(AssertSqlSafe(
        "SELECT r.assignee, r.assigned_at, c.name AS assignee_name FROM reviews r LEFT JOIN accounts c ON c.id = r.assignee \
         WHERE r.activation_id = $1",
    ))
    .bind(activation)
    .fetch_optional(&mut *work.tx)
    .await?;
    let row = row.ok_or_else(|| {
        Refused::new(
            Kind::Conflict,
            "not_in_review",
            "This activation doesn't wait for a decision (any more); look at it again.",
            "Deze activering wacht niet (meer) op een beslissing; bekijk haar opnieuw.",
        )
    })?;
    Ok(Assignee::read(&row)?)
}

async fn works_here(work: &mut Desking, account: &str) -> Result<(), DeskError> {
    let row = sqlx::query("SELECT 1 FROM accounts WHERE id = $1 AND disabled_at IS NULL")
        .bind(account)
        .fetch_optional(&mut *work.tx)
        .await?;
    if row.is_some() {
        return Ok(());
    }
    Err(Refused::new(
        Kind::NotFound,
        "account_unknown",
        "There is no such account, or it is disabled; choose somebody from the list.",
        "Dat account is er niet, of het is uitgeschakeld; kies iemand uit de lijst.",
    )
    .into())
}

fn taken(has: Option<&Assignee>) -> Refused {
    let (by, by_nl) = has.map_or(("nobody", "niemand"), |has| (has.name.as_str(), has.name.as_str()));
    Refused::new(
        Kind::Conflict,
        "assigned_meanwhile",
        format!("It was assigned meanwhile: {by} has it now. Look again before you take it over."),
        format!("Zij is intussen toegewezen: {by_nl} heeft haar nu. Kijk opnieuw voordat u haar overneemt."),
    )
}

fn with_why(what: &str, why: &str) -> String {
    match why.trim() {
        "" => what.to_owned(),
        why => format!("{what}: {why}"),
    }
}
