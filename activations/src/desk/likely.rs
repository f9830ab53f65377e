//! Which activation a payment without a usable reference is likely for, by the account holder's name and by
//! what is asked.
//!
//! Support reads it; it ties nothing. A name on top of the list is no proof: only what a payment refers to, or a
//! person who says so, ties it to an activation.

use eencent_matching::Index;
use serde::Serialize;

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

/// An activation that waits for money, and how much its organisation is called like the account holder.
#[derive(Debug, Clone, Serialize)]
pub struct LikelyActivation {
    /// The activation.
    pub activation: String,
    /// Its payment reference.
    pub reference: String,
    /// What it asks.
    pub amount: Money,
    /// The registered name that is alike.
    pub name: String,
    /// 0..=100, to order the list; 0 when it is here for its amount alone.
    pub likeness: u8,
    /// Whether it asks just what was paid.
    pub same_amount: bool,
}

impl Desk {
    /// The activations that wait for money whose organisation is called most like this account holder, likeliest
    /// first; then those that ask just this amount, oldest first, where there are few of them.
    pub(super) async fn likely_activations(
        &self,
        holder: Option<&str>,
        paid: Option<Money>,
    ) -> Result<Vec<LikelyActivation>, StoreError> {
        let waiting = format!(
            "SELECT a.id, a.reference, a.amount_minor, a.currency, o.legal_name, o.trade_names FROM activations a \
             JOIN organisations o ON o.id = a.organisation_id WHERE a.state = $1 ORDER BY a.id DESC LIMIT {MOST}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(waiting))
            .bind(State::AwaitingPayment.as_str())
            .fetch_all(self.store.reader())
            .await?;
        let mut names: Vec<(u32, String)> = Vec::with_capacity(rows.len());
        for (key, row) in (0_u32..).zip(&rows) {
            names.push((key, text(row, "legal_name")?));
            let trade_names: Vec<String> = json(row, "trade_names")?;
            names.extend(trade_names.into_iter().map(|name| (key, name)));
        }
        let index: Index = names.into_iter().collect();
        let told = |row, name: String, likeness| -> Result<LikelyActivation, StoreError> {
            let amount = Money::new(number(row, "amount_minor")?, named(row, "currency", Currency::parse)?);
            Ok(LikelyActivation {
                activation: text(row, "id")?,
                reference: text(row, "reference")?,
                same_amount: paid == Some(amount),
                amount,
                name,
                likeness,
            })
        };
        let mut likely: Vec<LikelyActivation> = Vec::new();
        for found in holder.map(|holder| index.suggest(holder, TOLD)).unwrap_or_default() {
            let row = usize::try_from(found.key).ok().and_then(|at| rows.get(at));
            let Some(row) = row.filter(|_| found.likeness >= LEAST) else {
                continue;
            };
            likely.push(told(row, found.name.to_owned(), found.likeness)?);
        }
        let mut same = Vec::new();
        for row in rows.iter().rev() {
            let one = told(row, text(row, "legal_name")?, 0)?;
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
