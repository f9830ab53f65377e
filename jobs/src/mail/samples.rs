//! Sample data for every e-mail: what templates are checked with and previews show.

use eencent_activations::links::LINK_PLACEHOLDER;
use eencent_activations::state::EmailKind;
use serde_json::{Value, json};

/// Each case of an e-mail that a template may tell apart: its name, and what the template is given. The first is the
/// usual one.
pub(crate) fn samples(kind: EmailKind, language: &str) -> Vec<(&'static str, Value)> {
    let usual = if kind.is_to_the_house() {
        to_the_house(language)
    } else {
        usual(kind, language)
    };
    let with = |more: Value| {
        let mut data = usual.clone();
        extend(&mut data, more);
        data
    };
    let mut all = vec![("", usual.clone())];
    match kind {
        EmailKind::ReviewDigest => {
            let none = json!({ "waiting": "0", "reasons": [], "oldest_local": "", "oldest_age": "", "unallocated": "3" });
            all.push(("one", with(json!({ "waiting": "1", "asked": "0", "console": "" }))));
            all.push(("payments_only", with(none)));
            return all;
        }
        EmailKind::TakesLonger => all.push(("no_reasons", with(json!({ "reasons": [] })))),
        EmailKind::Activated => all.push(("no_page", with(json!({ "peppol_url": "" })))),
        EmailKind::ReminderToPay => {
            let mut invoice = with(json!({ "method": "invoice", "amount": "18.15", "reference": "RF18 5390 0754 7034", "link": LINK_PLACEHOLDER }));
            all.push(("invoice", invoice.clone()));
            extend(&mut invoice, json!({ "received": "10.00", "missing": "8.15" }));
            all.push(("paid_in_part", invoice));
        }
        EmailKind::Expired => {
            all.push(("awaiting_confirmation", with(json!({ "was": "awaiting_confirmation" }))));
            all.push(("information_requested", with(json!({ "was": "information_requested" }))));
            all.push((
                "invoice",
                with(json!({ "method": "invoice", "amount": "18.15", "reference": "RF18 5390 0754 7034", "link": LINK_PLACEHOLDER })),
            ));
        }
        EmailKind::Cancelled => all.push((
            "invoice",
            with(json!({ "method": "invoice", "amount": "18.15", "reference": "RF18 5390 0754 7034", "link": LINK_PLACEHOLDER })),
        )),
        EmailKind::Invoice
        | EmailKind::PartlyPaid
        | EmailKind::InformationRequested
        | EmailKind::Rejected
        | EmailKind::Scheduled
        | EmailKind::RoundOff
        | EmailKind::ReminderToRoundOff
        | EmailKind::ReminderToAnswer => {}
    }
    for (name, email, url) in [
        ("support_page", "", "https://platform.example/help"),
        (
            "support_both",
            "support@eencent.example",
            "https://platform.example/help",
        ),
        ("no_support", "", ""),
    ] {
        all.push((
            name,
            with(json!({ "creator": "", "support": { "email": email, "url": url } })),
        ));
    }
    all
}

/// What an e-mail of this kind has to say, whatever else it says.
pub(super) fn must_say(kind: EmailKind) -> &'static [&'static str] {
    match kind {
        EmailKind::RoundOff | EmailKind::ReminderToRoundOff => &["link"],
        EmailKind::InformationRequested => &["question", "link"],
        EmailKind::ReminderToAnswer => &["link"],
        EmailKind::Rejected => &["reason"],
        EmailKind::Invoice => &["reference", "link"],
        // Every word of it depends on what waits.
        EmailKind::ReviewDigest => &[],
        _ => &["organisation"],
    }
}

fn usual(kind: EmailKind, language: &str) -> Value {
    let invoice = matches!(kind, EmailKind::Invoice | EmailKind::PartlyPaid);
    let dutch = language == "nl";
    let (monday, day) = if dutch {
        ("maandag 12 januari 2026 om 09:00", "donderdag 22 januari 2026 om 09:00")
    } else {
        ("Monday 12 January 2026 at 09:00", "Thursday 22 January 2026 at 09:00")
    };
    let say = |nl: &'static str, en: &'static str| if dutch { nl } else { en };
    let mut data = json!({
        "organisation": "Bakkerij De Korenaar B.V.",
        "creator": "Ans Jansen",
        "reference": if invoice { "RF18 5390 0754 7034" } else { "EC-7K3M-9PX2" },
        "method": if invoice { "invoice" } else { "ideal" },
        "amount": if invoice { "18.15" } else { "0.01" },
        "currency": "EUR",
        "expires_at": "2026-01-22T08:00:00Z",
        "expires_local": day,
        "link_expires_local": day,
        "question": "",
        "link": "",
        "support": { "email": "support@eencent.example", "url": "" },
    });
    let more = match kind {
        EmailKind::Invoice => json!({ "iban": "NL91 ABNA 0417 1643 00", "beneficiary": "Eencent", "due_local": day,
                                      "link": LINK_PLACEHOLDER }),
        EmailKind::PartlyPaid => json!({ "received": "10.00", "missing": "8.15", "link": LINK_PLACEHOLDER }),
        EmailKind::TakesLonger => json!({ "reasons": [
            { "code": "names_differ", "text": say(
                "De tenaamstelling van de rekening is niet de naam van de organisatie.",
                "The name on the bank account is not the name of the organisation.") },
            { "code": "names_entered", "text": say(
                "De namen van de organisatie komen niet uit een handelsregister.",
                "The names of the organisation do not come from a trade register.") },
        ] }),
        EmailKind::InformationRequested | EmailKind::ReminderToAnswer => {
            json!({ "link": LINK_PLACEHOLDER, "question": say(
            "Kunt u een uittreksel uit het handelsregister sturen?\nHet mag een foto zijn.",
            "Can you send an extract from the trade register?\nA photograph is fine.") })
        }
        EmailKind::Rejected => json!({ "reason": say(
            "De rekening staat op naam van een andere organisatie.",
            "The account is in the name of another organisation.") }),
        EmailKind::Scheduled => json!({ "takes_effect_at": "2026-01-12T08:00:00Z", "takes_effect_local": monday }),
        EmailKind::RoundOff | EmailKind::ReminderToRoundOff => json!({ "link": LINK_PLACEHOLDER }),
        EmailKind::Activated => json!({ "peppol_url": "https://platform.example/peppol" }),
        EmailKind::Expired => json!({ "was": "awaiting_payment" }),
        EmailKind::ReminderToPay | EmailKind::Cancelled | EmailKind::ReviewDigest => json!({}),
    };
    extend(&mut data, more);
    data
}

fn to_the_house(language: &str) -> Value {
    let dutch = language == "nl";
    let say = |nl: &'static str, en: &'static str| if dutch { nl } else { en };
    json!({
        "waiting": "12",
        "asked": "2",
        "unallocated": "0",
        "oldest_local": say("vrijdag 9 januari 2026 om 16:10", "Friday 9 January 2026 at 16:10"),
        "oldest_age": say("2 dagen", "2 days"),
        "reasons": [
            { "code": "names_differ", "many": "9", "text": say(
                "De tenaamstelling van de rekening is niet de naam van de organisatie.",
                "The name on the bank account is not the name of the organisation.") },
            { "code": "names_entered", "many": "4", "text": say(
                "De namen van de organisatie komen niet uit een handelsregister.",
                "The names of the organisation do not come from a trade register.") },
        ],
        "console": "https://eencent.example/",
    })
}

fn extend(data: &mut Value, more: Value) {
    if let (Value::Object(data), Value::Object(more)) = (data, more) {
        data.extend(more);
    }
}
