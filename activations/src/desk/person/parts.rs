//! What of an activation that is a person's as a whole is erased: each table, and how. Read by the dry run, which
//! counts, and by the act, which does it.

use sqlx::AssertSqlSafe;

use super::texts::EMPTY_EMAIL;
use crate::desk::Desking;
use crate::store::{StoreError, number};

/// Rows of one table, by the activation `$1`.
pub(super) struct Part {
    /// In words.
    pub what: &'static str,
    table: &'static str,
    which: &'static str,
    /// What takes it out; none: the rows go.
    set: Option<&'static str>,
    /// What goes with it, of the activation `$1`.
    with_it: Option<&'static str>,
}

const fn part(what: &'static str, table: &'static str, which: &'static str, set: Option<&'static str>) -> Part {
    Part {
        what,
        table,
        which,
        set,
        with_it: None,
    }
}

/// In this order: errors of attempts before the rows that they are of.
pub(super) const PARTS: &[Part] = &[
    part(
        "errors of attempts",
        "attempts",
        "error <> '[gewist / erased]' AND row_id IN (SELECT $1 UNION ALL SELECT id FROM emails WHERE activation_id = $1 \
         UNION ALL SELECT id FROM deliveries WHERE activation_id = $1 UNION ALL SELECT id FROM checkouts WHERE activation_id = $1 \
         UNION ALL SELECT id FROM refreshes WHERE activation_id = $1)",
        Some("error = '[gewist / erased]'"),
    ),
    Part {
        with_it: Some("DELETE FROM renderings WHERE email_id IN (SELECT id FROM emails WHERE activation_id = $1)"),
        ..part(
            "e-mails",
            "emails",
            "activation_id = $1 AND (recipient <> '' OR rendered IS NOT NULL)",
            Some(EMPTY_EMAIL),
        )
    },
    part("files of answers", "uploads", "activation_id = $1", None),
    part(
        "questions and answers",
        "questions",
        "activation_id = $1 AND (question <> '[gewist / erased]' OR answer <> '[gewist / erased]')",
        Some(
            "question = '[gewist / erased]', answer = CASE WHEN answer IS NULL THEN NULL ELSE '[gewist / erased]' END",
        ),
    ),
    part(
        "notes",
        "notes",
        "activation_id = $1 AND note <> '[gewist / erased]'",
        Some("note = '[gewist / erased]'"),
    ),
    part("proposals", "proposals", "activation_id = $1", None),
    part(
        "payments that were made at a provider",
        "checkouts",
        "activation_id = $1",
        None,
    ),
    part("what a register was asked", "refreshes", "activation_id = $1", None),
    part(
        "errors of deliveries",
        "deliveries",
        "activation_id = $1 AND last_error IS NOT NULL",
        Some("last_error = NULL"),
    ),
    part(
        "questions beside activations",
        "activations",
        "id = $1 AND (question IS NOT NULL OR last_error IS NOT NULL)",
        Some("question = NULL, last_error = NULL"),
    ),
    part(
        "answers of the API",
        "kept_answers",
        "subject IN ($1, (SELECT organisation_id FROM activations WHERE id = $1)) AND body <> '{}'",
        Some("body = '{}'"),
    ),
];

/// Reasons that persons gave, in the history and in the audit: of the activation, and of what belongs to it.
const SUBJECTS: &str = "(SELECT $1 UNION ALL SELECT organisation_id FROM activations WHERE id = $1 \
     UNION ALL SELECT id FROM emails WHERE activation_id = $1 UNION ALL SELECT id FROM payments WHERE activation_id = $1 OR suggested = $1)";

impl Part {
    pub(super) async fn count(
        &self,
        connection: &mut sqlx::AnyConnection,
        activation: &str,
    ) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) AS many FROM {} WHERE {}", self.table, self.which);
        counted(connection, sql, activation).await
    }

    pub(super) async fn take_out(&self, work: &mut Desking, activation: &str) -> Result<u64, StoreError> {
        let Self { table, which, set, .. } = self;
        let sql = match set {
            Some(set) => format!("UPDATE {table} SET {set} WHERE {which}"),
            None => format!("DELETE FROM {table} WHERE {which}"),
        };
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(activation)
            .execute(&mut *work.tx)
            .await?;
        // Last: whoever was about to write there has done so, or finds the row emptied.
        if let Some(with_it) = self.with_it {
            sqlx::query(with_it).bind(activation).execute(&mut *work.tx).await?;
        }
        Ok(done.rows_affected())
    }
}

async fn counted(connection: &mut sqlx::AnyConnection, sql: String, activation: &str) -> Result<u64, StoreError> {
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(activation)
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(number(&row, "many")?).unwrap_or(0))
}

/// Lines of persons and keys: what the program or the creator did has a reason of the program's.
const BY_PERSONS: &str = "activation_id = $1 AND reason <> '' AND actor NOT IN ('system', 'creator')";

/// How many reasons there are to take out.
pub(super) async fn count_reasons(connection: &mut sqlx::AnyConnection, activation: &str) -> Result<u64, StoreError> {
    let lines = format!("SELECT COUNT(*) AS many FROM history WHERE {BY_PERSONS}");
    let entries =
        format!("SELECT COUNT(*) AS many FROM audit WHERE line IS NULL AND reason <> '' AND subject IN {SUBJECTS}");
    Ok(counted(connection, lines, activation).await? + counted(connection, entries, activation).await?)
}

/// Takes them out, in the history and in the audit in one transaction: a line that is bound has the same in both. The
/// digest of a history isn't over its reasons, and that of an entry's reason stays: the chain holds.
pub(super) async fn take_out_reasons(work: &mut Desking, activation: &str) -> Result<u64, StoreError> {
    let lines = format!("UPDATE history SET reason = '' WHERE {BY_PERSONS}");
    let lines = sqlx::query(AssertSqlSafe(lines))
        .bind(activation)
        .execute(&mut *work.tx)
        .await?;
    let entries =
        format!("UPDATE audit SET reason = '', reason_salt = '' WHERE reason <> '' AND subject IN {SUBJECTS}");
    let entries = sqlx::query(AssertSqlSafe(entries))
        .bind(activation)
        .execute(&mut *work.tx)
        .await?;
    Ok(lines.rows_affected().max(entries.rows_affected()))
}
