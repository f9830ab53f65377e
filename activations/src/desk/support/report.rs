//! What persons decided against what the matcher said: for each month and reason how many were approved all the same.
//!
//! A reason that is nearly always approved is one that the matcher could have known; one that is always rejected earns
//! its keep.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::refused::DeskError;
use crate::store::{instant, maybe_text, number, text};

/// A reason in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    /// Such as `2026-03`, in the office's zone.
    pub month: String,
    /// The code of the reason; empty: of all decisions in the month, each counted once.
    pub code: String,
    /// How many a person approved.
    pub approved: i64,
    /// How many a person rejected.
    pub rejected: i64,
    /// How many were approved, and taken back.
    pub withdrawn: i64,
}

/// A decision as an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The activation.
    pub activation: String,
    /// When it was decided.
    pub at: Timestamp,
    /// `approved`, `rejected`, `withdrawn`.
    pub outcome: String,
    /// The organisation's statutory name.
    pub organisation: String,
    /// The account holder as the bank reported it last.
    pub holder: Option<String>,
    /// Who decided.
    pub actor: String,
    /// Why.
    pub reason: String,
}

impl Desk {
    /// What was decided from one month to another, both counted: newest month first; in each, first all of it, then
    /// each reason, the most frequent first.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn review_report(&self, from: &str, to: &str) -> Result<Vec<ReportRow>, DeskError> {
        let rows = sqlx::query(COUNTED)
            .bind(from)
            .bind(to)
            .fetch_all(self.store.reader())
            .await?;
        let mut months: BTreeMap<String, BTreeMap<String, [i64; 3]>> = BTreeMap::new();
        for row in &rows {
            let (outcome, many) = (text(row, "outcome")?, number(row, "many")?);
            let codes = text(row, "codes")?;
            let of_month = months.entry(text(row, "month")?).or_default();
            let each = codes.split(' ').filter(|code| !code.is_empty());
            for code in each.chain([""]) {
                let [approved, rejected, withdrawn] = of_month.entry(code.to_owned()).or_default();
                let counted = match outcome.as_str() {
                    "approved" => approved,
                    "rejected" => rejected,
                    _ => withdrawn,
                };
                *counted += many;
            }
        }
        let mut all = Vec::new();
        for (month, codes) in months.into_iter().rev() {
            let mut rows: Vec<ReportRow> = codes
                .into_iter()
                .map(|(code, [approved, rejected, withdrawn])| ReportRow {
                    month: month.clone(),
                    code,
                    approved,
                    rejected,
                    withdrawn,
                })
                .collect();
            rows.sort_by_key(|row| {
                let many = row.approved + row.rejected + row.withdrawn;
                (!row.code.is_empty(), std::cmp::Reverse(many))
            });
            all.extend(rows);
        }
        Ok(all)
    }

    /// Decisions of a month for this reason, newest first, with what the person wrote.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn review_examples(&self, month: &str, code: &str) -> Result<Vec<Example>, DeskError> {
        let plain: String = code
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        // Without a code all of the month's.
        let like = if plain.is_empty() {
            "%".to_owned()
        } else {
            format!("% {plain} %")
        };
        let rows = sqlx::query(EXAMPLES)
            .bind(month)
            .bind(like)
            .fetch_all(self.store.reader())
            .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(Example {
                activation: text(row, "activation_id")?,
                at: instant(row, "at")?,
                outcome: text(row, "outcome")?,
                organisation: text(row, "legal_name")?,
                holder: maybe_text(row, "holder")?,
                actor: text(row, "actor")?,
                reason: text(row, "reason")?,
            });
        }
        Ok(all)
    }
}

const COUNTED: &str = "SELECT v.month, v.codes, v.outcome, COUNT(*) AS many FROM verdicts v WHERE v.month >= $1 AND v.month <= $2 \
     GROUP BY v.month, v.codes, v.outcome";

/// Fifty are picked by the index of months before anything else is looked up for them.
const EXAMPLES: &str = "SELECT v.activation_id, v.at, v.outcome, o.legal_name, h.actor, h.reason, \
     (SELECT p.holder_name FROM payments p WHERE p.activation_id = v.activation_id AND p.holder_name IS NOT NULL \
       ORDER BY p.received_at DESC, p.id DESC LIMIT 1) AS holder \
     FROM (SELECT activation_id, number, at, outcome FROM verdicts WHERE month = $1 AND codes LIKE $2 \
       ORDER BY at DESC, activation_id LIMIT 50) v \
     JOIN history h ON h.activation_id = v.activation_id AND h.number = v.number \
     JOIN activations a ON a.id = v.activation_id JOIN organisations o ON o.id = a.organisation_id \
     ORDER BY v.at DESC, v.activation_id";

#[cfg(test)]
mod tests {
    use super::super::finding::plans;
    use super::*;

    #[tokio::test]
    async fn the_report_reads_its_index_and_no_row() {
        let steps = plans::of(COUNTED, &["2026-01", "2026-12"]).await;
        assert!(
            steps
                .iter()
                .any(|step| step.contains("COVERING INDEX verdicts_by_month")),
            "{steps:#?}"
        );
        plans::no_walks(&plans::of(EXAMPLES, &["2026-01", "% x %"]).await);
    }
}
