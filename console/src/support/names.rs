//! The account holder's name and the organisation's names beside each other, as the decision kept them.

use eencent_activations::desk::support::Case;
use eencent_activations::language::Language;
use eencent_matching::{Evidence, Folding, Reason};
use serde::Serialize;
use serde_json::Value;

/// A comparison as it was made. Nothing in it is computed again.
#[derive(Serialize)]
pub(super) struct Compared {
    /// The account holder, with invisible characters made visible.
    account: String,
    /// The registered name that matched, or came closest.
    closest: Option<String>,
    statutory: String,
    trade_names: Vec<String>,
    from_register: bool,
    matched: bool,
    score: u8,
    /// Words of the account with the registered words that they are.
    pairs: Vec<(String, String)>,
    only_account: Vec<String>,
    only_registered: Vec<String>,
    reasons: Vec<String>,
    folded: Vec<&'static str>,
    version: String,
    /// When it was decided.
    at: String,
}

/// The comparisons of the newest decision that made any.
pub(super) fn compared(case: &Case, language: Language) -> Vec<Compared> {
    let decisions = case.explanation.decisions.iter().rev();
    let mut found = decisions.filter_map(|decision| {
        let compared = decision.record.pointer("/decision/compared")?.as_array()?;
        let read: Vec<Compared> = compared
            .iter()
            .filter_map(|one| read(&decision.record, one, language, decision.at.to_string()))
            .collect();
        (!read.is_empty()).then_some(read)
    });
    found.next().unwrap_or_default()
}

fn read(record: &Value, compared: &Value, language: Language, at: String) -> Option<Compared> {
    let evidence: Evidence = serde_json::from_value(compared.get("evidence")?.clone()).ok()?;
    let language = match language {
        Language::English => eencent_matching::Language::English,
        Language::Dutch => eencent_matching::Language::Dutch,
    };
    let text = |pointer: &str| {
        record
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let trade_names = record.pointer("/asked/trade_names").and_then(Value::as_array);
    let told = |reason: &Reason| reason.text(language);
    Some(Compared {
        closest: evidence.matched_name.clone(),
        statutory: text("/asked/legal_name"),
        trade_names: trade_names
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        from_register: record.pointer("/asked/names_from_register") == Some(&Value::Bool(true)),
        matched: evidence.verdict == eencent_matching::Verdict::Match,
        score: evidence.score,
        pairs: evidence
            .words
            .iter()
            .map(|pair| (pair.account.to_string(), pair.registered.to_string()))
            .collect(),
        only_account: evidence.left_over_account.iter().map(ToString::to_string).collect(),
        only_registered: evidence.left_over_registered.iter().map(ToString::to_string).collect(),
        reasons: evidence.reasons.iter().map(told).collect(),
        folded: foldings(compared)
            .iter()
            .map(|folding| folding.text(language))
            .collect(),
        version: evidence.version.to_string(),
        account: evidence.account_name_shown,
        at,
    })
}

fn foldings(compared: &Value) -> Vec<Folding> {
    let folded = compared.pointer("/evidence/folded").and_then(Value::as_array);
    folded
        .into_iter()
        .flatten()
        .filter_map(|one| serde_json::from_value(one.clone()).ok())
        .collect()
}
