//! What was seen of somebody's payments, without who paid.

use std::collections::HashSet;

use super::Facts;
use crate::store::{StoreError, Tx, json, text, to_json};

/// Under which account and key something was seen.
pub(crate) type SeenKey = (String, String);

/// So many are looked through by one statement.
const PAGE: u32 = 5_000;

/// What was seen of these payments, each an account and the provider's id. All of what was seen is looked through: the
/// events that could tell their keys may be purged, and no index is kept for what happens a few times a year.
pub(crate) async fn seen_of(
    connection: &mut sqlx::AnyConnection,
    payments: &HashSet<(String, String)>,
) -> Result<Vec<SeenKey>, StoreError> {
    let mut found = Vec::new();
    if payments.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "SELECT account, seen_key, facts FROM seen WHERE account > $1 OR (account = $1 AND seen_key > $2) ORDER BY account, seen_key LIMIT {PAGE}"
    );
    let mut at = SeenKey::default();
    loop {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
            .bind(at.0.as_str())
            .bind(at.1.as_str())
            .fetch_all(&mut *connection)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        at = (text(last, "account")?, text(last, "seen_key")?);
        for row in &rows {
            let facts: Facts = json(row, "facts")?;
            let Some(payment) = facts.payment else { continue };
            let account = text(row, "account")?;
            if payments.contains(&(account.clone(), payment)) {
                found.push((account, text(row, "seen_key")?));
            }
        }
    }
}

/// Takes out who paid. A repeat is still known as one: by its digest, and by what the payment came to.
pub(crate) async fn forget_who(tx: &mut Tx, keys: &[SeenKey]) -> Result<(), StoreError> {
    for (account, key) in keys {
        let row = sqlx::query("SELECT facts FROM seen WHERE account = $1 AND seen_key = $2")
            .bind(account.as_str())
            .bind(key.as_str())
            .fetch_optional(&mut **tx)
            .await?;
        let Some(row) = row else { continue };
        let facts: Facts = json(&row, "facts")?;
        sqlx::query("UPDATE seen SET facts = $1 WHERE account = $2 AND seen_key = $3")
            .bind(to_json(&facts.forgetting())?)
            .bind(account.as_str())
            .bind(key.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
