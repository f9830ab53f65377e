//! Finding an activation by whatever somebody has at hand: a number, a reference, an address, an account, a name.
//!
//! What can only be one thing is looked for as that: an e-mail address and an IBAN whole, through their hashes; a
//! reference in any spelling; an identifier of any scheme that it can be. Everything else is words of a name, each from
//! its beginning: `bakk koren` finds `Bakkerij De Korenaar B.V.`.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::identifier::Identifier;
use crate::links::Finding;
use crate::money::{Currency, Money};
use crate::personal::{AccountNumber, EmailAddress};
use crate::reference::candidates;
use crate::refused::DeskError;
use crate::state::{Method, State};
use crate::store::{StoreError, instant, maybe_number, maybe_text, named, number, text};

/// So many are shown.
const MOST: usize = 50;

/// So many words of what was typed are looked at.
const MOST_WORDS: usize = 8;

/// A word that so many organisations have or more isn't looked for first.
const COMMON: i64 = 1_000;

/// Where all words are as common, so many organisations are looked through.
const LOOKED_THROUGH: i64 = 20_000;

/// By what it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Its id, or its reference.
    Reference,
    /// An identifier of the organisation.
    Identifier,
    /// The creator's address.
    Creator,
    /// The account that a payment came from.
    Account,
    /// Words of a name.
    Name,
}

/// An activation that was found.
#[derive(Debug, Clone, Serialize)]
pub struct FoundActivation {
    /// The activation.
    pub activation: String,
    /// Its reference.
    pub reference: String,
    /// The organisation's statutory name.
    pub organisation: String,
    /// The platform's tenant.
    pub environment: String,
    /// Its identifier, such as `NL:KVK 12345678`.
    pub identifier: String,
    /// By which method.
    pub method: Method,
    /// Where it stands.
    pub state: State,
    /// What is asked.
    pub asked: Money,
    /// When it was started.
    pub created_at: Timestamp,
    /// By what it was found.
    pub by: FoundBy,
}

/// A payment from the account that was looked for, tied to no activation.
#[derive(Debug, Clone, Serialize)]
pub struct FoundPayment {
    /// Our id of it.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// How much.
    pub amount: Option<Money>,
    /// When it came in.
    pub received_at: Timestamp,
    /// `unallocated`, `other_mode`, `not_paid`.
    pub standing: String,
}

/// What was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    /// Activations: those that are not over first, newest first.
    pub activations: Vec<FoundActivation>,
    /// Payments that belong to none.
    pub payments: Vec<FoundPayment>,
    /// There are more than are shown.
    pub more: bool,
}

impl Desk {
    /// Looks for activations. Finds nothing for nothing.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn find(&self, sought: &str) -> Result<Found, DeskError> {
        let sought: String = sought.trim().chars().filter(|c| *c != '\0').take(500).collect();
        let mut connection = self.store.reader().acquire().await?;
        let mut found = Found::default();
        if sought.is_empty() {
            return Ok(found);
        }
        if EmailAddress::parse(&sought).is_ok() {
            let hash = self.creator_hash(&sought);
            self.take(&mut connection, &mut found, OF_CREATOR, &hash, FoundBy::Creator)
                .await?;
            return Ok(sorted(found));
        }
        if let Some(AccountNumber::Iban(iban)) = AccountNumber::iban(&sought) {
            let hash = self.rules.links_key.finding(Finding::Account, &iban);
            self.take(&mut connection, &mut found, OF_ACCOUNT, &hash, FoundBy::Account)
                .await?;
            found.payments = loose(&mut connection, &hash).await?;
            return Ok(sorted(found));
        }
        for one in [sought.clone(), sought.to_uppercase()]
            .into_iter()
            .chain(candidates(&sought))
        {
            self.take(&mut connection, &mut found, BY_REFERENCE, &one, FoundBy::Reference)
                .await?;
        }
        for identifier in identifiers(&sought) {
            let key = format!("{}/{}", identifier.scheme(), identifier.value());
            self.take(&mut connection, &mut found, BY_IDENTIFIER, &key, FoundBy::Identifier)
                .await?;
        }
        if found.activations.is_empty() {
            self.by_name(&mut connection, &mut found, &sought).await?;
        }
        Ok(sorted(found))
    }

    async fn take(
        &self,
        connection: &mut AnyConnection,
        found: &mut Found,
        those: &str,
        value: &str,
        by: FoundBy,
    ) -> Result<(), DeskError> {
        let rows = match by {
            FoundBy::Identifier => {
                let (scheme, value) = value.split_once('/').unwrap_or_default();
                let sql = format!("{FOUND} {those} ORDER BY a.id DESC LIMIT {}", MOST + 1);
                sqlx::query(AssertSqlSafe(sql))
                    .bind(scheme.to_owned())
                    .bind(value.to_owned())
                    .fetch_all(&mut *connection)
                    .await?
            }
            _ => {
                let sql = format!("{FOUND} {those} ORDER BY a.id DESC LIMIT {}", MOST + 1);
                sqlx::query(AssertSqlSafe(sql))
                    .bind(value.to_owned())
                    .fetch_all(&mut *connection)
                    .await?
            }
        };
        add(found, &rows, by)?;
        Ok(())
    }

    /// By the rarest word first; the others are then looked up for each organisation that has it.
    async fn by_name(&self, connection: &mut AnyConnection, found: &mut Found, sought: &str) -> Result<(), DeskError> {
        let words = eencent_matching::search_words(sought, MOST_WORDS);
        let mut counted = Vec::with_capacity(words.len());
        for word in words {
            let sql = format!(
                "SELECT COUNT(*) AS many FROM (SELECT 1 AS one FROM name_words w WHERE {} LIMIT {COMMON}) few",
                range("w", &word)
            );
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
            counted.push((number(&row, "many")?, word));
        }
        counted.sort();
        let Some(((many, rarest), others)) = counted.split_first() else {
            return Ok(());
        };
        if *many == 0 {
            return Ok(());
        }
        let sql = by_words(rarest, others.iter().map(|(_, word)| word.as_str()));
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await?;
        add(found, &rows, FoundBy::Name)?;
        Ok(())
    }
}

const FOUND: &str = "SELECT a.id, a.reference, a.method, a.state, a.amount_minor, a.currency, a.created_at, a.identifier_scheme, \
     a.identifier_value, o.legal_name, o.environment FROM activations a JOIN organisations o ON o.id = a.organisation_id";

const BY_REFERENCE: &str = "WHERE a.id = $1 OR a.reference = $1";
const BY_IDENTIFIER: &str =
    "WHERE a.organisation_id IN (SELECT i.organisation_id FROM identifiers i WHERE i.scheme = $1 AND i.value = $2)";
const OF_CREATOR: &str = "WHERE a.organisation_id IN (SELECT c.id FROM organisations c WHERE c.creator_hash = $1)";
const OF_ACCOUNT: &str =
    "WHERE a.id IN (SELECT COALESCE(p.activation_id, p.suggested) FROM payments p WHERE p.account_hash = $1)";

/// Words are a to z and 0 to 9 only, so they can stand in a statement as they are.
fn range(table: &str, word: &str) -> String {
    let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    match eencent_matching::upper_bound(&plain) {
        Some(bound) => format!("{table}.word >= '{plain}' AND {table}.word < '{bound}'"),
        None => format!("{table}.word >= '{plain}'"),
    }
}

fn by_words<'w>(rarest: &str, others: impl Iterator<Item = &'w str>) -> String {
    let others: String = others
        .map(|word| {
            format!(
                " AND EXISTS (SELECT 1 FROM name_words x WHERE x.organisation_id = few.organisation_id AND {})",
                range("x", word)
            )
        })
        .collect();
    format!(
        "{FOUND} WHERE a.organisation_id IN (SELECT few.organisation_id FROM (SELECT w.word, w.organisation_id FROM name_words w \
         WHERE {} ORDER BY w.word, w.organisation_id LIMIT {LOOKED_THROUGH}) few WHERE 1 = 1{others} LIMIT {MOST}) ORDER BY a.id DESC LIMIT {}",
        range("w", rarest),
        MOST + 1
    )
}

/// All identifiers that a text can be.
fn identifiers(sought: &str) -> Vec<Identifier> {
    let mut all: Vec<Identifier> = Identifier::parse_text(sought).into_iter().collect();
    for scheme in ["NL:KVK", "NL:VAT", "NL:RSIN", "BE:EN"] {
        all.extend(Identifier::parse(scheme, sought));
    }
    all
}

async fn loose(connection: &mut AnyConnection, hash: &str) -> Result<Vec<FoundPayment>, StoreError> {
    let sql = format!(
        "SELECT p.id, p.provider, p.amount_minor, p.currency, p.received_at, p.standing FROM payments p \
         WHERE p.account_hash = $1 AND p.activation_id IS NULL AND p.suggested IS NULL ORDER BY p.id DESC LIMIT {MOST}"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(hash)
        .fetch_all(&mut *connection)
        .await?;
    let of = |row: &AnyRow| -> Result<FoundPayment, StoreError> {
        let currency = maybe_text(row, "currency")?.and_then(|code| Currency::parse(&code));
        Ok(FoundPayment {
            id: text(row, "id")?,
            provider: text(row, "provider")?,
            amount: maybe_number(row, "amount_minor")?
                .zip(currency)
                .map(|(minor, currency)| Money::new(minor, currency)),
            received_at: instant(row, "received_at")?,
            standing: text(row, "standing")?,
        })
    };
    rows.iter().map(of).collect()
}

fn add(found: &mut Found, rows: &[AnyRow], by: FoundBy) -> Result<(), StoreError> {
    for row in rows {
        let id = text(row, "id")?;
        if found.activations.iter().any(|known| known.activation == id) {
            continue;
        }
        if found.activations.len() == MOST {
            found.more = true;
            break;
        }
        let currency = named(row, "currency", Currency::parse)?;
        found.activations.push(FoundActivation {
            activation: id,
            reference: text(row, "reference")?,
            organisation: text(row, "legal_name")?,
            environment: text(row, "environment")?,
            identifier: format!("{} {}", text(row, "identifier_scheme")?, text(row, "identifier_value")?),
            method: named(row, "method", Method::parse)?,
            state: named(row, "state", State::parse)?,
            asked: Money::new(number(row, "amount_minor")?, currency),
            created_at: instant(row, "created_at")?,
            by,
        });
    }
    Ok(())
}

/// Those that are not over first; within each, newest first.
fn sorted(mut found: Found) -> Found {
    let place: HashMap<State, bool> = State::ALL.iter().map(|state| (*state, state.is_final())).collect();
    found
        .activations
        .sort_by_key(|one| (place.get(&one.state).copied(), std::cmp::Reverse(one.created_at)));
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::plans;
    use super::*;

    #[tokio::test]
    async fn whatever_is_sought_is_found_by_an_index() {
        let order = "ORDER BY a.id DESC LIMIT 51";
        for those in [BY_REFERENCE, OF_CREATOR, OF_ACCOUNT] {
            plans::no_walks(&plans::of(&format!("{FOUND} {those} {order}"), &["x"]).await);
        }
        plans::no_walks(&plans::of(&format!("{FOUND} {BY_IDENTIFIER} {order}"), &["NL:KVK", "12345678"]).await);
        let words = by_words("koren", ["bakkerij", "bv"].into_iter());
        plans::no_walks(&plans::of(&words, &[]).await);
    }
}
