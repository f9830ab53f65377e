//! Which activation a payment without a usable reference is likely for: by what it refers to, by the account
//! holder's name, and by what is asked.
//!
//! Support reads it; it ties nothing. A name on top of the list is no proof: only what a payment refers to, or a
//! person who says so, ties it to an activation.

use std::collections::HashSet;

use eencent_matching::Index;
use serde::Serialize;
use sqlx::any::AnyRow;

use super::Desk;
use crate::money::{Currency, Money};
use crate::state::State;
use crate::store::{StoreError, json, named, number, text};

/// Of the activations that wait for money the newest so many are searched.
const MOST: u32 = 50_000;

/// How many are told.
const TOLD: usize = 5;

/// Of those that ask just what was paid so many are told; of more of them the amount says nothing.
const MOST_BY_AMOUNT: usize = 10;

/// Less alike than this is nobody.
const LEAST: u8 = 40;

/// Two slips in a reference of sixteen characters leave at least so many in a row as they were.
const UNHARMED: usize = 5;

/// So many slips make another reference.
const SLIPS: usize = 3;

/// An activation that waits for money, and what speaks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LikelyActivation {
    /// The activation.
    pub activation: String,
    /// Its payment reference.
    pub reference: String,
    /// What it asks.
    pub amount: Money,
    /// The registered name that is alike.
    pub name: String,
    /// 0..=100: how much the organisation is called like the account holder; 0 when it is here for another reason.
    pub likeness: u8,
    /// Whether it asks just what was paid.
    pub same_amount: bool,
    /// Whether the payment carries its reference but for a slip or two.
    pub similar_reference: bool,
}

/// What is known of a payment that isn't tied to an activation.
pub(super) struct Clues<'a> {
    pub holder: Option<&'a str>,
    pub paid: Option<Money>,
    /// What the payer wrote.
    pub remittance: Option<&'a str>,
}

/// The activations that wait for money, to be searched for any number of payments.
pub(super) struct Waiting {
    rows: Vec<AnyRow>,
    references: Vec<String>,
    names: Index,
}

impl Desk {
    pub(super) async fn waiting_for_money(&self) -> Result<Waiting, StoreError> {
        let waiting = format!(
            "SELECT a.id, a.reference, a.amount_minor, a.currency, o.legal_name, o.trade_names FROM activations a \
             JOIN organisations o ON o.id = a.organisation_id WHERE a.state = $1 ORDER BY a.id DESC LIMIT {MOST}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(waiting))
            .bind(State::AwaitingPayment.as_str())
            .fetch_all(self.store.reader())
            .await?;
        let mut names: Vec<(u32, String)> = Vec::with_capacity(rows.len());
        let mut references = Vec::with_capacity(rows.len());
        for (key, row) in (0_u32..).zip(&rows) {
            names.push((key, text(row, "legal_name")?));
            let trade_names: Vec<String> = json(row, "trade_names")?;
            names.extend(trade_names.into_iter().map(|name| (key, name)));
            references.push(text(row, "reference")?);
        }
        Ok(Waiting {
            rows,
            references,
            names: names.into_iter().collect(),
        })
    }
}

impl Waiting {
    /// Likeliest first: whose reference the payment nearly carries, whose organisation is called most like the
    /// account holder, then those that ask just this amount, oldest first, where there are few of them.
    pub(super) fn likely(&self, clues: &Clues<'_>) -> Result<Vec<LikelyActivation>, StoreError> {
        let mut likely: Vec<LikelyActivation> = Vec::new();
        let similar = clues.remittance.map(|text| similar(text, &self.references));
        for (at, _slips) in similar.unwrap_or_default().into_iter().take(TOLD) {
            if let Some(row) = self.rows.get(at) {
                let told = told(row, text(row, "legal_name")?, 0, clues.paid)?;
                likely.push(LikelyActivation {
                    similar_reference: true,
                    ..told
                });
            }
        }
        let named = clues.holder.map(|holder| self.names.suggest(holder, TOLD));
        for found in named.unwrap_or_default() {
            let row = usize::try_from(found.key).ok().and_then(|at| self.rows.get(at));
            let Some(row) = row.filter(|_| found.likeness >= LEAST) else {
                continue;
            };
            let told = told(row, found.name.to_owned(), found.likeness, clues.paid)?;
            match likely.iter_mut().find(|known| known.activation == told.activation) {
                Some(known) => (known.name, known.likeness) = (told.name, told.likeness),
                None => likely.push(told),
            }
        }
        let mut same = Vec::new();
        for row in self.rows.iter().rev() {
            let one = told(row, text(row, "legal_name")?, 0, clues.paid)?;
            if one.same_amount && !likely.iter().any(|known| known.activation == one.activation) {
                same.push(one);
            }
            if same.len() > MOST_BY_AMOUNT {
                return Ok(likely);
            }
        }
        likely.append(&mut same);
        Ok(likely)
    }
}

fn told(row: &AnyRow, name: String, likeness: u8, paid: Option<Money>) -> Result<LikelyActivation, StoreError> {
    let amount = Money::new(number(row, "amount_minor")?, named(row, "currency", Currency::parse)?);
    Ok(LikelyActivation {
        activation: text(row, "id")?,
        reference: text(row, "reference")?,
        same_amount: paid == Some(amount),
        amount,
        name,
        likeness,
        similar_reference: false,
    })
}

/// Which references a text carries but for a slip or two, with the number of slips, fewest first.
///
/// Only references that share a run of characters with the text are compared in full, at the places where the
/// run stands: of fifty thousand that is a handful.
fn similar(free_text: &str, references: &[String]) -> Vec<(usize, usize)> {
    let plain = |text: &str| -> Vec<u8> {
        text.bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| byte.to_ascii_uppercase())
            .collect()
    };
    let written = plain(free_text);
    let runs: HashSet<&[u8]> = written.windows(UNHARMED).collect();
    let mut found = Vec::new();
    for (at, reference) in references.iter().enumerate() {
        let reference = plain(reference);
        if !reference.windows(UNHARMED).any(|run| runs.contains(run)) {
            continue;
        }
        let nearest = fewest_slips(&written, &reference);
        if nearest < SLIPS {
            found.push((at, nearest));
        }
    }
    found.sort_by_key(|(at, slips)| (*slips, *at));
    found
}

/// How many characters have to be changed, added or left out to find `wanted` somewhere in `written`
/// (Sellers' algorithm: an edit distance whose start and end in the text are free).
fn fewest_slips(written: &[u8], wanted: &[u8]) -> usize {
    let mut column: Vec<usize> = (0..=wanted.len()).collect();
    let mut fewest = wanted.len();
    for character in written {
        let mut diagonal = 0;
        let mut above = 0;
        for (cost, expected) in column.iter_mut().skip(1).zip(wanted) {
            let left = *cost;
            let here = (diagonal + usize::from(character != expected))
                .min(left + 1)
                .min(above + 1);
            (diagonal, above, *cost) = (left, here, here);
        }
        fewest = fewest.min(above);
    }
    fewest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_with_a_slip_or_two_is_found_and_another_is_not() {
        let references = ["RF18ABCDEFGH2345".to_owned(), "RF55ZZZZ2222YYYY".to_owned()];
        let found = |text: &str| similar(text, &references);
        assert_eq!(found("factuur rf18 abcd efgh 2345 dank"), [(0, 0)]);
        assert_eq!(found("RF18ABCDEFHG2345"), [(0, 2)]);
        assert_eq!(found("RF18ABCDFGH2345"), [(0, 1)]);
        assert_eq!(found("RF18ABCCDEFGH2346"), [(0, 2)]);
        assert_eq!(found("RF18ABXXEFGX2345"), []);
        assert_eq!(found("bedankt voor alles"), []);
        assert_eq!(found(""), []);
    }
}
