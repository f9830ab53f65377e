//! Taking the person out of what is kept as JSON, and leaving its shape: pages and `explain` read it as before.

use serde_json::Value;

use super::ERASED;
use super::words::Words;

/// Fields of a decision's record that say nothing of a person. Whatever has another name is taken out, so that a field
/// that comes later doesn't stay by mistake.
const IMPERSONAL: &[&str] = &[
    "account",
    "code",
    "country",
    "currency",
    "expression",
    "folded",
    "legal_form",
    "matcher",
    "method",
    "outcome",
    "payment_id",
    "register",
    "takes_effect",
    "tied_by",
    "value",
    "verdict",
    "version",
    "zone",
];

/// Lists of words and names, of which none stay.
const LISTS: &[&str] = &[
    "detail",
    "left_over_account",
    "left_over_registered",
    "trade_names",
    "words",
];

/// A decision's record without anybody in it.
pub(super) fn record(record: &mut Value, words: &Words) {
    blank("", record, words);
}

/// The same, only of these payments; of what else it says, what names their payer.
pub(super) fn record_of_payments(record: &mut Value, payments: &[String], words: &Words) {
    for pointer in ["/payments", "/decision/compared"] {
        for one in record
            .pointer_mut(pointer)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let theirs = one.get("payment_id").and_then(Value::as_str);
            if theirs.is_some_and(|id| payments.iter().any(|payment| payment == id)) {
                blank("", one, words);
            }
        }
    }
    if let Some(told) = record.pointer_mut("/decision/reasons") {
        reasons(told, words);
    }
}

/// Reasons and flags: codes stay, and what they say where that names nobody.
pub(super) fn reasons(list: &mut Value, words: &Words) {
    for one in list.as_array_mut().into_iter().flatten() {
        for field in ["text", "text_nl"] {
            if let Some(text) = one.get_mut(field)
                && text.as_str().is_some_and(|text| words.hinted_in(text))
            {
                *text = ERASED.into();
            }
        }
    }
}

/// What a message told, without who paid. What isn't about a payment is a sentence of the program's.
pub(super) fn told(told: &mut Value) {
    let Some(fields) = told.as_object_mut() else {
        *told = ERASED.into();
        return;
    };
    if let Some(holder) = fields.get_mut("holder")
        && !holder.is_null()
    {
        *holder = ERASED.into();
    }
    for field in ["account_number", "reference"] {
        fields.insert(field.to_owned(), Value::Null);
    }
}

/// An event for the platform without the document that it carried; whether there was one.
pub(super) fn document(payload: &mut Value) -> bool {
    let Some(data) = payload.get_mut("data").and_then(Value::as_object_mut) else {
        return false;
    };
    let mut found = false;
    for name in ["invoice", "credit_note"] {
        if let Some(ubl) = data.get_mut(name).and_then(|document| document.get_mut("ubl"))
            && !ubl.is_null()
        {
            *ubl = Value::Null;
            found = true;
        }
    }
    found
}

fn blank(name: &str, value: &mut Value, words: &Words) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                blank(name, field, words);
            }
        }
        Value::Array(list) if LISTS.contains(&name) => list.clear(),
        Value::Array(list) => list.iter_mut().for_each(|one| blank(name, one, words)),
        // What the program says of a reason names somebody only now and then.
        Value::String(text) if matches!(name, "text" | "text_nl") && !words.hinted_in(text) => {}
        Value::String(_) if IMPERSONAL.contains(&name) || name.ends_with("_at") => {}
        Value::String(text) => ERASED.clone_into(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests stop at what they did not expect"
    )]
    use super::*;
    use serde_json::json;

    fn decided() -> Value {
        json!({
            "decided_at": "2026-01-01T00:00:00Z",
            "asked": { "legal_name": "Bakkerij Jansen", "trade_names": ["Jansen"], "method": "ideal",
                "amount": { "value": "0.01", "currency": "EUR" } },
            "payments": [{ "payment_id": "tr_1", "holder_name": "A. Jansen", "account_masked": "NL** 00", "unheard_of": "x" }],
            "decision": { "outcome": "unclear", "reasons": [
                { "code": "other_name", "text": "Another name: jansen.", "text_nl": "Het bedrag klopt." }],
                "compared": [{ "payment_id": "tr_1", "evidence": { "verdict": "review", "score": 3, "folded": ["case"],
                    "reasons": [{ "code": "other_name", "detail": ["jansen"] }], "account_name_shown": "A. Jansen",
                    "words": [{ "account": "jansen", "registered": "jansen", "name": 0 }] } }] },
        })
    }

    #[test]
    fn of_a_record_codes_times_and_amounts_stay_and_nobody_else() {
        let mut words = Words::of("anna@example.nl");
        words.name("A. Jansen");
        let mut kept = decided();
        record(&mut kept, &words);
        assert!(!kept.to_string().to_lowercase().contains("jansen"), "{kept}");
        assert_eq!(kept["asked"]["amount"]["value"], "0.01");
        assert_eq!(kept["decision"]["reasons"][0]["text_nl"], "Het bedrag klopt.");
        assert_eq!(kept["payments"][0]["unheard_of"], ERASED);
        assert_eq!(kept["decision"]["compared"][0]["evidence"]["folded"], json!(["case"]));
    }

    #[test]
    fn of_anothers_payments_nothing_is_taken_out() {
        let mut kept = decided();
        record_of_payments(&mut kept, &["tr_2".to_owned()], &Words::of("nl00"));
        assert_eq!(kept, decided());
        record_of_payments(&mut kept, &["tr_1".to_owned()], &Words::of("nl00"));
        assert_eq!(kept["payments"][0]["holder_name"], ERASED);
        assert_eq!(kept["asked"]["legal_name"], "Bakkerij Jansen");
    }

    #[test]
    fn what_is_blanked_can_be_read_as_before() {
        let mut said = json!({ "payment_id": "tr_1", "status": "paid", "amount": null, "holder": "A. Jansen",
            "account_number": { "iban": "NL91ABNA0417164300" }, "reference": { "kind": "exact", "text": "x" },
            "paid_at": null, "proof": "read_back", "mode": null, "name_comes_separately": false });
        told(&mut said);
        let read: crate::notification::PaymentNotification = serde_json::from_value(said).unwrap();
        assert_eq!(read.holder.unwrap().as_str(), ERASED);
        assert_eq!((read.account_number, read.reference), (None, None));
    }
}
