//! What organisations and payments are found by: the words of names, and hashes of what has to be known whole.
//!
//! Written with the rows themselves; for rows that were there before, filled in after the start, a batch at a time.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::desk::person::ERASED_ADDRESS;
use crate::desk::{Desk, Desking};
use crate::links::{Finding, hash_of};
use crate::personal::AccountNumber;
use crate::refused::DeskError;
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, json, maybe_text, text, to_json};
use crate::views::{CreatorView, OrganisationView, ReasonView};

/// So many words an organisation is found by, at most.
const MOST_WORDS: usize = 200;

/// So many rows are filled in by one transaction.
const BATCH: u32 = 300;

/// How far filling in has come.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Filled {
    /// Under which key: under another one all of it is done again.
    key: String,
    /// The last organisation.
    organisations: String,
    /// The last payment.
    payments: String,
    /// All of it.
    done: bool,
}

impl Desk {
    pub(in crate::desk) fn creator_hash(&self, address: &str) -> String {
        // Domains are one in any case; so, in practice, is what stands before them.
        let address = address.trim().to_lowercase();
        self.rules.links_key.finding(Finding::Creator, &address)
    }

    /// Brings what an organisation is found by in step with what it is.
    pub(in crate::desk) async fn make_findable(
        &self,
        work: &mut Desking,
        o: &OrganisationView,
    ) -> Result<(), DeskError> {
        let names = [&o.legal_name].into_iter().chain(&o.trade_names);
        self.found_by(work, &o.id, &words_of(names.map(String::as_str)), &o.creator.email)
            .await
    }

    async fn found_by(&self, work: &mut Desking, id: &str, words: &[String], creator: &str) -> Result<(), DeskError> {
        sqlx::query("UPDATE organisations SET creator_hash = $1 WHERE id = $2")
            .bind(self.creator_found_by(creator))
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        sqlx::query("DELETE FROM name_words WHERE organisation_id = $1")
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        let rows: Vec<(&str, &str)> = words.iter().map(|word| (word.as_str(), id)).collect();
        insert_words(work, &rows).await?;
        Ok(())
    }

    /// Creators who were erased are not one person.
    fn creator_found_by(&self, creator: &str) -> Option<String> {
        (creator != ERASED_ADDRESS).then(|| self.creator_hash(creator))
    }

    /// Fills in, for some of the rows that were there before, what they are found by: whether there are more.
    ///
    /// # Errors
    /// When the store doesn't answer; what was filled in before is kept.
    pub async fn fill_in(&self) -> Result<bool, DeskError> {
        let key = hash_of(&self.rules.links_key.finding(Finding::Account, "the key itself"));
        let mut work = self.begin().await?;
        self.store.alone(&mut work.tx, "fill_in").await?;
        let row = sqlx::query("SELECT value FROM remembered WHERE name = 'found_by'")
            .fetch_optional(&mut *work.tx)
            .await?;
        let known: Option<Filled> = row.map(|row| json(&row, "value")).transpose()?;
        let mut filled = known.filter(|known| known.key == key).unwrap_or_default();
        if filled.done {
            return Ok(false);
        }
        filled.key = key;
        self.fill_reviews(&mut work).await?;
        let organisations = self.fill_organisations(&mut work, &mut filled).await?;
        let payments = self.fill_payments(&mut work, &mut filled).await?;
        filled.done = !organisations && !payments;
        sqlx::query("INSERT INTO remembered (name, value) VALUES ('found_by', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(to_json(&filled)?)
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await?;
        Ok(!filled.done)
    }

    /// What is right already, such as all that was registered by this version, is only read.
    async fn fill_organisations(&self, work: &mut Desking, filled: &mut Filled) -> Result<bool, DeskError> {
        let sql = format!(
            "SELECT id, legal_name, trade_names, creator, creator_hash FROM organisations WHERE id > $1 ORDER BY id LIMIT {BATCH}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(filled.organisations.as_str())
            .fetch_all(&mut *work.tx)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(false);
        };
        let last = text(last, "id")?;
        let mut known = known_words(work, &filled.organisations, &last).await?;
        for row in &rows {
            let id = text(row, "id")?;
            let mut names: Vec<String> = json(row, "trade_names")?;
            names.insert(0, text(row, "legal_name")?);
            let creator: CreatorView = json(row, "creator")?;
            let words = words_of(names.iter().map(String::as_str));
            let known = known.remove(&id).unwrap_or_default();
            if known != words.iter().cloned().collect()
                || maybe_text(row, "creator_hash")? != self.creator_found_by(&creator.email)
            {
                self.found_by(work, &id, &words, &creator.email).await?;
            }
        }
        filled.organisations = last;
        Ok(true)
    }

    async fn fill_payments(&self, work: &mut Desking, filled: &mut Filled) -> Result<bool, DeskError> {
        const HASHES: Many<'static> = Many {
            head: "WITH given (row_id, new_hash) AS (",
            columns: Columns::Typed(&["TEXT", "TEXT"]),
            tail: ") UPDATE payments SET account_hash = new_hash FROM given WHERE payments.id = given.row_id",
        };
        let sql =
            format!("SELECT id, account_number, account_hash FROM payments WHERE id > $1 ORDER BY id LIMIT {BATCH}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(filled.payments.as_str())
            .fetch_all(&mut *work.tx)
            .await?;
        let mut hashes = Vec::new();
        for row in &rows {
            filled.payments = text(row, "id")?;
            let known = maybe_text(row, "account_hash")?;
            let number = maybe_text(row, "account_number")?.map(|text| serde_json::from_str::<AccountNumber>(&text));
            let number = number
                .transpose()
                .map_err(|error| StoreError::Unreadable(error.to_string()))?;
            let hash = number.and_then(|number| number.found_by(&self.rules.links_key));
            if let Some(hash) = hash.filter(|hash| known.as_ref() != Some(hash)) {
                hashes.push((filled.payments.clone(), hash));
            }
        }
        HASHES
            .execute(&mut work.tx, &hashes, |query, (id, hash)| {
                query.bind(id.as_str()).bind(hash.as_str())
            })
            .await?;
        Ok(!rows.is_empty())
    }

    /// Rows of reviews that a migration made have no codes yet: they are few.
    async fn fill_reviews(&self, work: &mut Desking) -> Result<(), DeskError> {
        let rows = sqlx::query(
            "SELECT a.id, a.reasons FROM reviews r JOIN activations a ON a.id = r.activation_id WHERE r.codes = '' AND a.reasons <> '[]'",
        )
        .fetch_all(&mut *work.tx)
        .await?;
        for row in &rows {
            let reasons: Vec<ReasonView> = json(row, "reasons")?;
            sqlx::query("UPDATE reviews SET codes = $1 WHERE activation_id = $2")
                .bind(super::reviews::codes_of(&reasons))
                .bind(text(row, "id")?)
                .execute(&mut *work.tx)
                .await?;
        }
        Ok(())
    }
}

/// What the organisations after `from` up to and with `to` are found by.
async fn known_words(
    work: &mut Desking,
    from: &str,
    to: &str,
) -> Result<HashMap<String, BTreeSet<String>>, StoreError> {
    let rows = sqlx::query(
        "SELECT organisation_id, word FROM name_words WHERE organisation_id > $1 AND organisation_id <= $2",
    )
    .bind(from)
    .bind(to)
    .fetch_all(&mut *work.tx)
    .await?;
    let mut known: HashMap<String, BTreeSet<String>> = HashMap::new();
    for row in &rows {
        let words = known.entry(text(row, "organisation_id")?).or_default();
        words.insert(text(row, "word")?);
    }
    Ok(known)
}

/// The words of all names together, each once.
pub(in crate::desk) fn words_of<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for name in names {
        for word in eencent_matching::search_words(name, MOST_WORDS) {
            if words.len() < MOST_WORDS && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words
}

/// Words, each with the organisation that it is of.
pub(in crate::desk) async fn insert_words(work: &mut Desking, rows: &[(&str, &str)]) -> Result<(), StoreError> {
    const WORDS: Many<'static> = Many {
        head: "INSERT INTO name_words (word, organisation_id)",
        columns: Columns::Inserted(2),
        tail: "",
    };
    WORDS
        .execute(&mut work.tx, rows, |query, (word, id)| query.bind(*word).bind(*id))
        .await?;
    Ok(())
}

/// How SQLite would answer, for the tests of statements.
#[cfg(test)]
pub(super) mod plans {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use crate::store::{Store, text};
    use sqlx::AssertSqlSafe;

    /// The steps of a statement.
    pub(in super::super) async fn of(sql: &str, values: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/truth.db", folder.path().display()))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let mut query = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
        for value in values {
            query = query.bind(*value);
        }
        let steps = query.fetch_all(store.reader()).await.unwrap();
        steps.iter().map(|step| text(step, "detail").unwrap()).collect()
    }

    /// No table is walked through, but what another step has found.
    pub(in super::super) fn no_walks(steps: &[String]) {
        let tables = [
            "activations",
            "organisations",
            "payments",
            "history",
            "events",
            "identifiers",
            "name_words",
        ];
        for step in steps.iter().filter(|step| step.starts_with("SCAN ")) {
            let of = step.split(' ').nth(1).unwrap();
            let short = ["a", "o", "p", "h", "e", "i", "w"];
            assert!(!tables.contains(&of) && !short.contains(&of), "{step}\n{steps:#?}");
        }
    }
}
