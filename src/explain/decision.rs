//! A decision as it was kept: the names side by side, the rule that decided, the clock.

use eencent_activations::clock::Timestamp;
use serde_json::Value;

use super::paper::Paper;
use super::{Write, money, text};

/// A decision, and the line of the history that it led to.
pub struct Decision<'a> {
    /// The line.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// The state that it led to.
    pub outcome: &'a str,
    /// Its inputs, as they were.
    pub record: &'a Value,
}

/// Writes one decision.
pub fn write(write: &Write<'_>, paper: &mut Paper, decision: &Decision<'_>) {
    let record = decision.record;
    paper.heading(&format!(
        "Decision, which led to {} (line {} of what happened)",
        decision.outcome, decision.number
    ));
    paper.pair("decided", &write.instant(decision.at));
    paper.pair_if("asked", &asked(record));
    for payment in list(record, "/payments") {
        paper.item(&format!(
            "payment {}: {}",
            text(payment, "/payment_id"),
            money(payment, "/amount")
        ));
        paper.under("tied by", text(payment, "/tied_by"));
        paper.under("made", &write.instant_at(payment, "/made_at").unwrap_or_default());
        if payment.get("paid_at_proven") == Some(&Value::Bool(false)) {
            paper.under("", "the provider's time is not proven; when it was received counts");
        }
        if payment.get("name_proven") == Some(&Value::Bool(false)) {
            paper.under("", "the name is not covered by the proof, and decides nothing");
        }
    }
    names_from(write, paper, record);
    for compared in list(record, "/decision/compared") {
        names(paper, record, compared);
    }
    rule(write, paper, record);
    clock(write, paper, record);
}

fn asked(record: &Value) -> String {
    if record.get("asked").is_none() {
        return String::new();
    }
    let source = match record.pointer("/asked/names_from_register") {
        Some(Value::Bool(true)) => "names from a register",
        Some(Value::Bool(false)) => "names that somebody typed",
        _ => "",
    };
    format!("{}, {source}", money(record, "/asked/amount"))
}

/// From when the names are, and what their register said when it was asked for newer ones.
fn names_from(write: &Write<'_>, paper: &mut Paper, record: &Value) {
    let Some(at) = write.instant_at(record, "/asked/names_at") else {
        return;
    };
    paper.pair("names of", &at);
    paper.pair_if(
        "register",
        match text(record, "/asked/register") {
            "ended" => "asked before this decision: it is not registered any more",
            "unknown" => "asked before this decision: there is no such number",
            "nothing" => "asked before this decision, for a day, without an answer",
            _ => "",
        },
    );
}

fn names(paper: &mut Paper, record: &Value, compared: &Value) {
    paper.item("the names, side by side");
    paper.under("account holder", text(compared, "/evidence/account_name_shown"));
    paper.under("statutory name", text(record, "/asked/legal_name"));
    let trade_names: Vec<&str> = list(record, "/asked/trade_names").filter_map(Value::as_str).collect();
    paper.under("trade names", &trade_names.join(", "));
    paper.under("legal form", text(record, "/asked/legal_form"));
    paper.under("closest", text(compared, "/evidence/matched_name"));
    let score = compared
        .pointer("/evidence/score")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    paper.under(
        "verdict",
        &format!("{} (score {score} of 100)", text(compared, "/evidence/verdict")),
    );
    for pair in list(compared, "/evidence/words") {
        paper.under(
            "",
            &format!("{} = {}", text(pair, "/account"), text(pair, "/registered")),
        );
    }
    for (name, pointer) in [
        ("only on account", "/evidence/left_over_account"),
        ("only registered", "/evidence/left_over_registered"),
    ] {
        let left: Vec<&str> = list(compared, pointer).filter_map(Value::as_str).collect();
        paper.under(name, &left.join(", "));
    }
    let folded = list(compared, "/evidence/folded").filter_map(folding_of);
    paper.under("folded", &folded.collect::<Vec<_>>().join(", "));
    for reason in list(compared, "/evidence/reasons") {
        paper.under("", &reason_of(reason));
    }
    paper.under("matcher", text(compared, "/evidence/version"));
}

/// A reason of the matcher, as stored: a code, and the words that it is about.
fn reason_of(reason: &Value) -> String {
    match serde_json::from_value::<eencent_matching::Reason>(reason.clone()) {
        Ok(reason) => reason.text(eencent_matching::Language::English),
        Err(_) => text(reason, "/code").to_owned(),
    }
}

/// What was folded, as stored: a stable name.
fn folding_of(folding: &Value) -> Option<&'static str> {
    let folding = serde_json::from_value::<eencent_matching::Folding>(folding.clone()).ok()?;
    Some(folding.text(eencent_matching::Language::English))
}

fn rule(write: &Write<'_>, paper: &mut Paper, record: &Value) {
    let outcome = match text(record, "/decision/outcome") {
        "clear" => {
            "paid in full, exactly as asked, and the account holder is the organisation: approved without a person"
                .to_owned()
        }
        "unclear" => "not everything is clear: nothing is activated, and a person looks".to_owned(),
        "paid_in_part" => format!("less than asked: {} is missing", money(record, "/decision/missing")),
        "wait" => "another message of this payment will bring the name: wait for it".to_owned(),
        other => other.replace('_', " "),
    };
    if outcome.is_empty() {
        for (name, value) in record.as_object().into_iter().flatten() {
            if let Some(value) = value.as_str() {
                paper.pair(&name.replace('_', " "), value);
            }
        }
        return;
    }
    paper.item("the rule that decided");
    paper.under("", &outcome);
    paper.under(
        "until",
        &write.instant_at(record, "/decision/until").unwrap_or_default(),
    );
    for reason in list(record, "/decision/reasons") {
        paper.under("", &format!("{} [{}]", text(reason, "/text"), text(reason, "/code")));
    }
}

fn clock(write: &Write<'_>, paper: &mut Paper, record: &Value) {
    let hours = text(record, "/office_hours/expression");
    if hours.is_empty() {
        return;
    }
    paper.item("the clock");
    paper.under(
        "made",
        &write.instant_at(record, "/decision/made_at").unwrap_or_default(),
    );
    paper.under("decided", &write.instant_at(record, "/decided_at").unwrap_or_default());
    paper.under(
        "office hours",
        &format!("{hours} in {}", text(record, "/office_hours/zone")),
    );
    let open = match record.pointer("/office_hours/open_when_decided") {
        Some(Value::Bool(true)) => "the office was open",
        Some(Value::Bool(false)) => "the office was closed",
        _ => "",
    };
    paper.under("when decided", open);
    paper.under(
        "takes effect",
        &write.instant_at(record, "/takes_effect").unwrap_or_default(),
    );
}

fn list<'v>(record: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    record.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
