//! Texts in which somebody, or the program, can have written of a person: looked through, and taken out.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::words::Words;
use crate::desk::letters::WORDS;
use crate::desk::{Desk, Desking};
use crate::refused::DeskError;
use crate::store::many::Bound;
use crate::store::{StoreError, maybe_number, maybe_text, number, text};

/// A column with such texts.
pub(super) struct Place {
    pub table: &'static str,
    /// By which a row is known.
    pub keys: &'static [&'static str],
    pub column: &'static str,
    /// The text, where it is more than what stands in the column.
    said: Option<&'static str>,
    /// What takes it out.
    pub set: &'static str,
    /// What goes with it, by the key `$1`.
    with_it: Option<&'static str>,
    /// Rows are of an activation: there a name is enough.
    pub of_activation: bool,
}

const fn place(
    table: &'static str,
    keys: &'static [&'static str],
    column: &'static str,
    set: &'static str,
    of_activation: bool,
) -> Place {
    Place {
        table,
        keys,
        column,
        said: None,
        set,
        with_it: None,
        of_activation,
    }
}

/// An e-mail is emptied as a whole.
const fn of_email(column: &'static str) -> Place {
    Place {
        with_it: Some("DELETE FROM renderings WHERE email_id = $1"),
        ..place("emails", &["id"], column, EMPTY_EMAIL, true)
    }
}

/// An e-mail without its text, as retention leaves it; one that was never sent isn't any more.
pub(super) const EMPTY_EMAIL: &str = "recipient = '', recipient_name = NULL, data = '{}', rendered = NULL, last_error = NULL, \
     state = CASE WHEN state = 'waiting' THEN 'withdrawn' ELSE state END, lease = NULL, lease_until = NULL";

/// All of them, but the reasons of the history and the audit, which are bound to each other.
pub(super) const PLACES: &[Place] = &[
    place("notes", &["id"], "note", "note = '[gewist / erased]'", true),
    place(
        "questions",
        &["activation_id", "number"],
        "question",
        "question = '[gewist / erased]'",
        true,
    ),
    place(
        "questions",
        &["activation_id", "number"],
        "answer",
        "answer = '[gewist / erased]'",
        true,
    ),
    place("uploads", &["id"], "name", "name = '[gewist / erased]'", true),
    place(
        "proposals",
        &["activation_id"],
        "reason",
        "reason = '[gewist / erased]'",
        true,
    ),
    of_email("recipient"),
    of_email("data"),
    Place {
        said: Some(WORDS),
        ..of_email("rendered")
    },
    of_email("last_error"),
    place("deliveries", &["id"], "last_error", "last_error = NULL", true),
    place("checkouts", &["id"], "last_error", "last_error = NULL", true),
    place("refreshes", &["id"], "last_error", "last_error = NULL", true),
    place("events", &["id"], "last_error", "last_error = NULL", true),
    place("rereads", &["id"], "last_error", "last_error = NULL", false),
    place("activations", &["id"], "last_error", "last_error = NULL", false),
    place("activations", &["id"], "question", "question = NULL", false),
    place(
        "attempts",
        &["kind", "row_id", "number"],
        "error",
        "error = '[gewist / erased]'",
        false,
    ),
    place(
        "kept_answers",
        &["caller", "idempotency_key"],
        "body",
        "body = '{}'",
        false,
    ),
    place(
        "refusals",
        &["request_id"],
        "reason",
        "reason = '[gewist / erased]'",
        false,
    ),
    place("refusals", &["request_id"], "claimed_id", "claimed_id = NULL", false),
    place("paused", &["kind"], "reason", "reason = '[gewist / erased]'", false),
    place(
        "asked_schedules",
        &["schedule"],
        "reason",
        "reason = '[gewist / erased]'",
        false,
    ),
];

/// A row's key, each part as it is stored.
enum Part {
    Text(String),
    Number(i64),
}

/// A row in which a person was found.
pub(super) struct Mention {
    place: &'static Place,
    key: Vec<Part>,
    /// The activation that it belongs to, where the table says so.
    pub activation: Option<String>,
    /// As it stands there.
    pub text: String,
}

impl Mention {
    /// Where it is, for whoever reads an export.
    pub(super) fn place(&self) -> String {
        format!("{}.{}", self.place.table, self.place.column)
    }

    async fn take_out(&self, work: &mut Desking) -> Result<u64, StoreError> {
        let known: Vec<String> = (1..)
            .zip(self.place.keys)
            .map(|(number, key)| format!("{key} = ${number}"))
            .collect();
        let sql = format!(
            "UPDATE {} SET {} WHERE {}",
            self.place.table,
            self.place.set,
            known.join(" AND ")
        );
        let done = self.by_key(&sql).execute(&mut *work.tx).await?.rows_affected();
        // Last: whoever was about to write there has done so, or finds the row emptied.
        if let Some(with_it) = self.place.with_it {
            self.by_key(with_it).execute(&mut *work.tx).await?;
        }
        Ok(done)
    }

    fn by_key(&self, sql: &str) -> Bound<'_> {
        let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
        for part in &self.key {
            query = match part {
                Part::Text(text) => query.bind(text.as_str()),
                Part::Number(number) => query.bind(*number),
            };
        }
        query
    }
}

/// A reason in the history or the audit in which a person was found.
pub(super) enum Reason {
    /// A line of an activation's history; its entry, where it has one, has the same reason.
    Line { activation: String, number: i64 },
    /// An entry that is no line.
    Entry { number: i64 },
}

/// Which texts: all, by what is surely the person; or those of an activation, also by a name.
#[derive(Clone, Copy)]
pub(super) enum Where<'a> {
    Everywhere,
    Activation(&'a str),
}

impl Where<'_> {
    fn patterns(self, words: &Words) -> Vec<String> {
        match self {
            Self::Everywhere => words.everywhere(),
            Self::Activation(_) => words.nearby(),
        }
    }

    fn is_in(self, words: &Words, text: &str) -> bool {
        match self {
            Self::Everywhere => words.surely_in(text),
            Self::Activation(_) => words.named_in(text),
        }
    }

    async fn rows(
        self,
        connection: &mut AnyConnection,
        words: &Words,
        (select, column, of): (&str, &str, &str),
    ) -> Result<Vec<AnyRow>, StoreError> {
        let mut all = Vec::new();
        for pattern in self.patterns(words) {
            let (only, id) = match self {
                Self::Everywhere => (String::new(), ""),
                Self::Activation(id) => (format!(" AND {of} = $2"), id),
            };
            let sql = format!("{select} WHERE REPLACE(LOWER({column}), ' ', '') LIKE $1 ESCAPE '\\'{only}");
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(pattern);
            if !id.is_empty() {
                query = query.bind(id);
            }
            for row in query.fetch_all(&mut *connection).await? {
                if self.is_in(words, &text(&row, "said")?) {
                    all.push(row);
                }
            }
        }
        Ok(all)
    }
}

/// Where the person is found.
pub(super) async fn mentions(
    connection: &mut AnyConnection,
    words: &Words,
    looked_at: Where<'_>,
) -> Result<Vec<Mention>, StoreError> {
    let mut all = Vec::new();
    for place in PLACES {
        if matches!(looked_at, Where::Activation(_)) && !place.of_activation {
            continue;
        }
        let said = place.said.unwrap_or(place.column);
        let of = if place.of_activation { "activation_id" } else { "NULL" };
        let select = format!(
            "SELECT {}, {of} AS belongs_to, {} AS said FROM {}",
            place.keys.join(", "),
            said,
            place.table
        );
        for row in looked_at
            .rows(connection, words, (&select, said, "activation_id"))
            .await?
        {
            let mut key = Vec::with_capacity(place.keys.len());
            for column in place.keys {
                key.push(match row.try_get::<i64, _>(*column) {
                    Ok(number) => Part::Number(number),
                    Err(_) => Part::Text(text(&row, column)?),
                });
            }
            all.push(Mention {
                place,
                key,
                activation: maybe_text(&row, "belongs_to")?,
                text: text(&row, "said")?,
            });
        }
    }
    Ok(all)
}

/// In which reasons.
pub(super) async fn reasons(
    connection: &mut AnyConnection,
    words: &Words,
    looked_at: Where<'_>,
) -> Result<Vec<Reason>, StoreError> {
    let lines = "SELECT activation_id, number, reason AS said FROM history";
    let entries = "SELECT subject, number, line, reason AS said FROM audit";
    let mut all = Vec::new();
    for row in looked_at
        .rows(connection, words, (lines, "reason", "activation_id"))
        .await?
    {
        all.push(Reason::Line {
            activation: text(&row, "activation_id")?,
            number: number(&row, "number")?,
        });
    }
    for row in looked_at
        .rows(connection, words, (entries, "reason", "subject"))
        .await?
    {
        // The reason of a line's entry is the line's: it was found there.
        if maybe_number(&row, "line")?.is_none() {
            all.push(Reason::Entry {
                number: number(&row, "number")?,
            });
        }
    }
    Ok(all)
}

impl Reason {
    /// Takes it out of the history and of the audit in one: `verify` compares them. In the audit the salt goes with it,
    /// and what is bound, its digest, stays.
    pub(super) async fn take_out(&self, work: &mut Desking) -> Result<(), StoreError> {
        match self {
            Self::Line { activation, number } => {
                sqlx::query("UPDATE history SET reason = '' WHERE activation_id = $1 AND number = $2")
                    .bind(activation.as_str())
                    .bind(*number)
                    .execute(&mut *work.tx)
                    .await?;
                sqlx::query("UPDATE audit SET reason = '', reason_salt = '' WHERE subject = $1 AND line = $2")
                    .bind(activation.as_str())
                    .bind(*number)
                    .execute(&mut *work.tx)
                    .await?;
            }
            Self::Entry { number } => {
                sqlx::query("UPDATE audit SET reason = '', reason_salt = '' WHERE number = $1")
                    .bind(*number)
                    .execute(&mut *work.tx)
                    .await?;
            }
        }
        Ok(())
    }
}

impl Desk {
    /// Takes the person out of texts, a bounded number in a transaction.
    pub(super) async fn take_out_of_texts(&self, words: &Words, looked_at: Where<'_>) -> Result<(u64, u64), DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        let mentions = mentions(&mut connection, words, looked_at).await?;
        let reasons = reasons(&mut connection, words, looked_at).await?;
        drop(connection);
        let mut taken = 0;
        for portion in mentions.chunks(super::erasing::BATCH) {
            let mut work = self.begin().await?;
            for one in portion {
                taken += one.take_out(&mut work).await?;
            }
            self.commit(work).await?;
        }
        for portion in reasons.chunks(super::erasing::BATCH) {
            let mut work = self.begin().await?;
            for one in portion {
                one.take_out(&mut work).await?;
            }
            self.commit(work).await?;
        }
        Ok((taken, u64::try_from(reasons.len()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ERASED;
    use super::*;

    #[test]
    fn what_stands_in_statements_is_what_stands_in_the_code() {
        for place in PLACES.iter().filter(|place| place.set.contains('[')) {
            assert!(place.set.ends_with(&format!("'{ERASED}'")), "{}", place.set);
        }
    }
}
