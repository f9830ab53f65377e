//! Single rows without their person: what erasing writes, each in the caller's transaction.

use serde_json::Value;

use super::concerned::{EventOf, OrganisationOf, PaymentOf};
use super::words::Words;
use super::{ERASED, blanking, nobody};
use crate::desk::Desking;
use crate::store::{StoreError, json, maybe_text, number, text, to_json};

/// An organisation keeps its number, and a legal person its names; one that isn't active is deleted with its creator.
pub(super) async fn erase_creator(work: &mut Desking, one: &OrganisationOf, now: i64) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE organisations SET creator = $1, creator_hash = NULL, address = NULL, changed_at = $2, \
         deleted_at = CASE WHEN active = 1 THEN NULL ELSE COALESCE(deleted_at, $2) END WHERE id = $3",
    )
    .bind(to_json(&nobody(&one.language))?)
    .bind(now)
    .bind(one.id.as_str())
    .execute(&mut *work.tx)
    .await?;
    sqlx::query("UPDATE audit SET reason = '', reason_salt = '' WHERE subject = $1 AND reason <> ''")
        .bind(one.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    sqlx::query("UPDATE kept_answers SET body = '{}' WHERE subject = $1 AND body IS NOT NULL")
        .bind(one.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    if !one.personal {
        return Ok(());
    }
    sqlx::query("UPDATE organisations SET legal_name = $1, trade_names = '[]' WHERE id = $2")
        .bind(ERASED)
        .bind(one.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    sqlx::query("DELETE FROM name_words WHERE organisation_id = $1")
        .bind(one.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    Ok(())
}

pub(super) async fn erase_payment(work: &mut Desking, payment: &PaymentOf) -> Result<u64, StoreError> {
    let sql = format!(
        "UPDATE payments SET holder_name = CASE WHEN holder_name IS NULL THEN NULL ELSE '{ERASED}' END, account_number = NULL, \
         account_hash = NULL, reference = NULL WHERE id = $1 AND (COALESCE(holder_name, '{ERASED}') <> '{ERASED}' \
         OR account_number IS NOT NULL OR account_hash IS NOT NULL OR reference IS NOT NULL)"
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(payment.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    Ok(done.rows_affected())
}

pub(super) async fn erase_event(work: &mut Desking, event: &EventOf) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT told FROM events WHERE id = $1 AND state <> 'waiting'")
        .bind(event.id.as_str())
        .fetch_optional(&mut *work.tx)
        .await?;
    let Some(row) = row else { return Ok(0) };
    let mut told: Value = json(&row, "told")?;
    blanking::told(&mut told);
    sqlx::query("UPDATE events SET told = $1, last_error = NULL WHERE id = $2")
        .bind(told.to_string())
        .bind(event.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    sqlx::query("UPDATE rereads SET last_error = NULL WHERE event = $1")
        .bind(event.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    let sql = format!(
        "UPDATE attempts SET error = '{ERASED}' WHERE row_id = $1 OR row_id IN (SELECT id FROM rereads WHERE event = $1)"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(event.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    Ok(1)
}

pub(super) async fn erase_decisions(
    work: &mut Desking,
    activation: &str,
    blank: impl Fn(&mut Value),
) -> Result<u64, StoreError> {
    let rows = sqlx::query("SELECT number, record FROM decisions WHERE activation_id = $1")
        .bind(activation)
        .fetch_all(&mut *work.tx)
        .await?;
    let mut many = 0;
    for row in &rows {
        let before: Value = json(row, "record")?;
        let mut after = before.clone();
        blank(&mut after);
        if after == before {
            continue;
        }
        sqlx::query("UPDATE decisions SET record = $1 WHERE activation_id = $2 AND number = $3")
            .bind(after.to_string())
            .bind(activation)
            .bind(number(row, "number")?)
            .execute(&mut *work.tx)
            .await?;
        many += 1;
    }
    Ok(many)
}

/// The reasons and flags that stand beside the activation.
pub(super) async fn erase_reasons(work: &mut Desking, activation: &str, words: &Words) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT reasons, flags FROM activations WHERE id = $1")
        .bind(activation)
        .fetch_one(&mut *work.tx)
        .await?;
    let (mut reasons, mut flags): (Value, Value) = (json(&row, "reasons")?, json(&row, "flags")?);
    blanking::reasons(&mut reasons, words);
    blanking::reasons(&mut flags, words);
    sqlx::query("UPDATE activations SET reasons = $1, flags = $2 WHERE id = $3")
        .bind(reasons.to_string())
        .bind(flags.to_string())
        .bind(activation)
        .execute(&mut *work.tx)
        .await?;
    Ok(())
}

/// Invoices that went to the platform within events; the invoices themselves are kept.
pub(super) async fn erase_documents(work: &mut Desking, activation: &str) -> Result<u64, StoreError> {
    let rows = sqlx::query("SELECT id, payload FROM outgoing_events WHERE activation_id = $1")
        .bind(activation)
        .fetch_all(&mut *work.tx)
        .await?;
    let mut many = 0;
    for row in &rows {
        let Some(payload) = maybe_text(row, "payload")? else {
            continue;
        };
        let Ok(mut payload) = serde_json::from_str::<Value>(&payload) else {
            continue;
        };
        if blanking::document(&mut payload) {
            sqlx::query("UPDATE outgoing_events SET payload = $1 WHERE id = $2")
                .bind(payload.to_string())
                .bind(text(row, "id")?)
                .execute(&mut *work.tx)
                .await?;
            many += 1;
        }
    }
    Ok(many)
}
