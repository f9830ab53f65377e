//! Every recorded payload, signed and translated, against what is expected of it; then the rules that
//! no recorded payload shows.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Mode, PaymentNotification, PaymentStatus, Proof, ReferenceHint, Told};
use eencent_activations::personal::AccountNumber;
use eencent_webhooks::Secret;
use eencent_webhooks::endpoint::Endpoint;
use eencent_webhooks::providers::{ALL, Provider};
use serde_json::{Value, json};

use crate::desk::{endpoint, fixture, now, payment, read, settings, signed, told};

/// A payload as the provider would post it. An answer of Mollie's to a fetch is the entity that an
/// event embeds.
fn posted(file: &str) -> String {
    let body = fixture(&format!("payloads/{file}"));
    if !file.contains("/get_payment.") {
        return body;
    }
    let entity: Value = serde_json::from_str(&body).unwrap();
    json!({"resource": "event", "id": "event_x", "type": "payment.paid", "entityId": entity["id"],
           "_embedded": {"entity": entity}})
    .to_string()
}

fn check(file: &str, told: &PaymentNotification, expect: &Value) {
    let text = |name: &str| expect[name].as_str();
    assert_eq!(Some(told.payment_id.as_str()), text("provider_payment_id"), "{file}");
    let status = text("status").map(|word| if word == "canceled" { "cancelled" } else { word });
    assert_eq!(Some(told.status.as_str()), status, "{file}");
    assert_eq!(
        told.amount.map(|money| money.minor),
        expect["amount_minor"].as_i64(),
        "{file}"
    );
    // Rabobank's third version says no currency; it is taken for euros.
    let currency = text("currency").or(expect["amount_minor"].as_i64().map(|_| "EUR"));
    assert_eq!(
        told.amount.map(|money| money.currency.to_string()).as_deref(),
        currency,
        "{file}"
    );
    assert_eq!(
        told.holder.as_ref().map(|name| name.as_str()),
        text("holder_name"),
        "{file}"
    );
    let number = match (text("iban"), text("iban_last4")) {
        (Some(iban), _) => Some(AccountNumber::Iban(iban.to_owned())),
        (None, Some(digits)) => Some(AccountNumber::LastDigits(digits.to_owned())),
        (None, None) => None,
    };
    assert_eq!(told.account_number, number, "{file}");
    match (&told.reference, text("reference")) {
        (Some(ReferenceHint::Exact(said) | ReferenceHint::Within(said)), Some(expected)) => {
            assert_eq!(said, expected, "{file}")
        }
        // A description is read, though none of these holds a reference.
        (Some(ReferenceHint::Within(_)) | None, None) => {}
        other => unreachable!("{file}: {other:?}"),
    }
    // Of iDEAL 2.0 the time stands in a header, which a file doesn't have.
    if told.status == PaymentStatus::Paid && !file.starts_with("worldline_ideal2/") {
        assert_eq!(
            told.paid_at,
            text("occurred_at").and_then(Timestamp::parse_rfc3339),
            "{file}"
        );
    }
    if told.status != PaymentStatus::Paid && !file.contains("refunded") && !file.contains("charged_back") {
        assert_eq!(told.paid_at, None, "{file}: nothing was paid");
    }
    assert_ne!(told.mode, Some(Mode::Test), "{file}");
}

/// The endpoint that such a payload is posted to, and how it is read where it is an answer of an API.
fn provider_of(file: &str, provider: &str) -> &'static str {
    let name = match (file, provider) {
        ("mollie/classic_ping.form", _) => "mollie_classic",
        ("adyen/balancePlatform.transfer.updated.incoming.json", _) => "adyen_platform",
        ("rabo/v3.order.status.finalized.json", _) => "rabo_v3",
        (_, provider) => provider,
    };
    ALL.into_iter()
        .map(Provider::name)
        .find(|known| *known == name)
        .unwrap()
}

#[test]
fn every_recorded_payload_says_what_is_expected() {
    let index: Vec<Value> = serde_json::from_str(&fixture("payloads/index.json")).unwrap();
    let mut checked = 0;
    for entry in &index {
        let file = entry["file"].as_str().unwrap();
        // Answers of an API that aren't posted to anybody: see the reading tests.
        if file.contains("status_pull") || file == "ponto/transaction.json" {
            continue;
        }
        let provider = provider_of(file, entry["provider"].as_str().unwrap());
        let events = told(provider, posted(file).as_bytes());
        let expected = match &entry["expect"] {
            Value::Array(several) => several.clone(),
            one => vec![one.clone()],
        };
        assert_eq!(events.len(), expected.len(), "{file}");
        for (event, expect) in events.iter().zip(&expected) {
            if let Some(id) = expect["provider_event_id"].as_str() {
                assert_eq!(event.event_id, id, "{file}");
            }
            if expect["must_fetch"] == true {
                assert!(event.reread.is_some(), "{file}");
            }
            match &event.told {
                // Its refund has an id of its own at Worldline, and is told of the payment.
                Told::Payment(payment) if file.ends_with("refund.refunded.json") && provider == "worldline" => {
                    assert_eq!(payment.payment_id, "3066019730_0");
                    assert_eq!(payment.status, PaymentStatus::Refunded);
                }
                Told::Payment(payment) => check(file, payment, expect),
                Told::Ignored(_) => {
                    // Nothing is said that counts: it is read, was our own, or went out.
                    let ours = file.ends_with("activation.completed.json") || file.contains("outgoing");
                    assert!(ours || expect["must_fetch"] == true, "{file}");
                }
                Told::Quarantined(why) => {
                    assert!(file.ends_with("get_payment.404.json"), "{file}: {why}")
                }
            }
            checked += 1;
        }
    }
    assert_eq!(checked, CHECKED);
}

/// Everything that is expected of a payload which somebody posts.
const CHECKED: usize = 92;

#[test]
fn a_bank_transfer_in_our_own_layout() {
    let told = payment(
        "standard_webhooks",
        &fixture("payloads/standard_webhooks/bank_transfer.received.json"),
    );
    assert_eq!(told.payment_id, "trf_01JD8A");
    assert_eq!(told.status, PaymentStatus::Paid);
    assert_eq!(told.amount, Some(Money::cents(1)));
    assert_eq!(told.holder.unwrap().as_str(), "BAKKERIJ DE KORENAAR BV");
    assert_eq!(told.account_number, AccountNumber::last_digits("5264"));
    assert_eq!(
        told.reference,
        Some(ReferenceHint::Exact("act_01JD5W9A4H8S6P0D2E7XGK5NQM".to_owned()))
    );
    assert_eq!(told.paid_at, Timestamp::parse_rfc3339("2026-11-21T08:02:11Z"));
    assert_eq!(told.proof, Proof::WholeMessage);
}

/// A recorded payload with something changed before it is signed.
fn changed(file: &str, pointer: &str, to: Value) -> String {
    let mut body: Value = serde_json::from_str(&posted(file)).unwrap();
    *body.pointer_mut(pointer).unwrap() = to;
    body.to_string()
}

fn only(provider: &str, body: &str) -> Told {
    let mut events = told(provider, body.as_bytes());
    assert_eq!(events.len(), 1);
    events.remove(0).told
}

const MOLLIE_PAID: &str = "mollie/event_payment.paid.ideal.json";
const STRIPE_CHARGE: &str = "stripe/charge.succeeded.ideal.json";
const STRIPE_INTENT: &str = "stripe/payment_intent.succeeded.ideal.json";
const ADYEN_PAID: &str = "adyen/authorisation.ideal.success.json";
const TRANSFER: &str = "standard_webhooks/bank_transfer.received.json";

#[test]
fn the_reference_is_looked_for_in_the_fixed_order() {
    for (file, provider, at) in [
        (MOLLIE_PAID, "mollie", "/_embedded/entity"),
        (STRIPE_CHARGE, "stripe", "/data/object"),
    ] {
        let metadata = format!("{at}/metadata");
        let with = |metadata_is: Value| {
            payment(provider, &changed(file, &metadata, metadata_is))
                .reference
                .unwrap()
        };
        let all = json!({"activation_id": "c", "activation": "b", "reference": "a"});
        assert_eq!(with(all), ReferenceHint::Exact("a".to_owned()));
        assert_eq!(
            with(json!({"activation_id": "c", "activation": "b", "reference": ""})),
            ReferenceHint::Exact("b".to_owned())
        );
        assert_eq!(
            with(json!({"activation_id": "c"})),
            ReferenceHint::Exact("c".to_owned())
        );
        assert_eq!(
            with(json!({})),
            ReferenceHint::Within("Activatie Bakkerij De Korenaar B.V.".to_owned())
        );
        assert_eq!(
            with(Value::Null),
            ReferenceHint::Within("Activatie Bakkerij De Korenaar B.V.".to_owned())
        );
    }
}

#[test]
fn money_that_spends_a_cash_balance_is_not_counted_twice() {
    let charge = changed(
        STRIPE_CHARGE,
        "/data/object/payment_method_details",
        json!({"type": "customer_balance", "customer_balance": {}}),
    );
    assert!(matches!(only("stripe", &charge), Told::Ignored(_)));
    let methods = "/data/object/payment_method_types";
    assert!(matches!(
        only("stripe", &changed(STRIPE_INTENT, methods, json!(["customer_balance"]))),
        Told::Ignored(_)
    ));
    let either = payment(
        "stripe",
        &changed(STRIPE_INTENT, methods, json!(["ideal", "customer_balance"])),
    );
    assert_eq!(either.status, PaymentStatus::Pending, "its charge says how it was paid");
    let funded = "stripe/customer_cash_balance_transaction.created.funded.json";
    assert!(matches!(
        only(
            "stripe",
            &changed(funded, "/data/object/type", json!("applied_to_payment"))
        ),
        Told::Ignored(_)
    ));
    assert!(matches!(
        only(
            "stripe",
            &changed(funded, "/data/object/type", json!("funding_reversed"))
        ),
        Told::Quarantined(_)
    ));
}

#[test]
fn a_name_that_the_payer_typed_is_never_taken() {
    let stripe = payment("stripe", &posted("stripe/charge.succeeded.ideal.no_verified_name.json"));
    assert_eq!(stripe.holder, None);
    let mut body: Value = serde_json::from_str(&posted(ADYEN_PAID)).unwrap();
    body["notificationItems"][0]["NotificationRequestItem"]["additionalData"] =
        json!({"shopperName": "Bakkerij De Korenaar B.V."});
    assert_eq!(payment("adyen", &body.to_string()).holder, None);
}

#[test]
fn an_uncaptured_charge_is_not_paid_yet() {
    let told = payment("stripe", &changed(STRIPE_CHARGE, "/data/object/captured", json!(false)));
    assert_eq!((told.status, told.paid_at), (PaymentStatus::Pending, None));
    assert!(matches!(
        only("stripe", &changed(STRIPE_CHARGE, "/data/object/paid", json!(false))),
        Told::Quarantined(_)
    ));
}

#[test]
fn a_payment_of_the_other_mode_is_told_with_its_mode() {
    assert_eq!(
        payment("mollie", &changed(MOLLIE_PAID, "/_embedded/entity/mode", json!("test"))).mode,
        Some(Mode::Test)
    );
    assert_eq!(
        payment("stripe", &changed(STRIPE_CHARGE, "/livemode", json!(false))).mode,
        Some(Mode::Test)
    );
    assert_eq!(
        payment("adyen", &changed(ADYEN_PAID, "/live", json!("false"))).mode,
        Some(Mode::Test)
    );
    let mut body: Value = serde_json::from_str(&posted(TRANSFER)).unwrap();
    body["data"]["mode"] = json!("test");
    assert_eq!(payment("standard_webhooks", &body.to_string()).mode, Some(Mode::Test));
}

#[test]
fn adyens_name_is_proven_only_with_basic_auth_account_and_mode() {
    let (mut with_password, body) = signed("adyen", posted(ADYEN_PAID).as_bytes());
    with_password.insert("authorization", "Basic YWR5ZW46Z2VoZWlt".parse().unwrap());
    let endpoint = |account: Option<&str>, basic: bool| {
        let mut settings = settings("adyen");
        settings.account = account.map(str::to_owned);
        if basic {
            settings.username = Some("adyen".to_owned());
            settings.password = Some(Secret::from("geheim"));
        }
        Endpoint::from_settings("adyen", &settings).unwrap()
    };
    let proof = |endpoint: &Endpoint| read(endpoint, &with_password, &body, now()).map(|(proof, _)| proof);
    let right = Some("EInvoiceNL_ECOM");
    assert_eq!(proof(&endpoint(right, true)).unwrap(), Proof::WholeRequest);
    assert_eq!(proof(&endpoint(right, false)).unwrap(), Proof::SomeFields);
    assert_eq!(proof(&endpoint(None, true)).unwrap(), Proof::SomeFields);
    assert_eq!(
        proof(&endpoint(Some("Other"), true)).unwrap_err().code().as_str(),
        "wrong_account"
    );

    let (_, no_mode) = signed("adyen", changed(ADYEN_PAID, "/live", Value::Null).as_bytes());
    let told = read(&endpoint(right, true), &with_password, &no_mode, now()).unwrap();
    assert_eq!(told.0, Proof::SomeFields);

    for wrong in ["Basic YWR5ZW46Z2VoZWlu", "Basic !", "Bearer YWR5ZW46Z2VoZWlt", ""] {
        let mut headers = with_password.clone();
        headers.insert("authorization", wrong.parse().unwrap());
        let refused = read(&endpoint(right, true), &headers, &body, now()).unwrap_err();
        assert_eq!(refused.code().as_str(), "bad_basic_auth", "{wrong}");
    }
}

#[test]
fn one_text_is_not_read_as_two_items() {
    let mut body: Value = serde_json::from_str(&posted(ADYEN_PAID)).unwrap();
    body["notificationItems"][0]["NotificationRequestItem"]["merchantReference"] = json!("a:b");
    let (headers, body) = signed("adyen", body.to_string().as_bytes());
    assert!(read(&endpoint("adyen"), &headers, &body, now()).is_ok());
    let mut shifted: Value = serde_json::from_slice(&body).unwrap();
    let item = &mut shifted["notificationItems"][0]["NotificationRequestItem"];
    item["merchantAccountCode"] = json!("EInvoiceNL_ECOM:a");
    item["merchantReference"] = json!("b");
    let refused = read(&endpoint("adyen"), &headers, shifted.to_string().as_bytes(), now()).unwrap_err();
    assert_eq!(refused.code().as_str(), "malformed_body");
}

#[test]
fn what_an_item_says_depends_neither_on_the_key_that_signed_it_nor_on_the_order_of_names() {
    let body = posted(ADYEN_PAID);
    let digest = |body: &str| told("adyen", body.as_bytes())[0].digest;
    let mut again: Value = serde_json::from_str(&body).unwrap();
    let item = &mut again["notificationItems"][0]["NotificationRequestItem"];
    item["additionalData"]["hmacSignature"] = json!("of another key");
    let reason = item.as_object_mut().unwrap().remove("reason").unwrap();
    item["reason"] = reason;
    assert_eq!(digest(&body), digest(&again.to_string()));
    assert_ne!(digest(&body), digest(&body.replace("Bakkerij", "Slagerij")));
}

#[test]
fn fault_13_unknown_types_are_set_apart_and_unknown_fields_are_passed_over() {
    for (provider, file, pointer) in [
        ("mollie", MOLLIE_PAID, "/type"),
        ("stripe", STRIPE_CHARGE, "/type"),
        (
            "adyen",
            ADYEN_PAID,
            "/notificationItems/0/NotificationRequestItem/eventCode",
        ),
        ("standard_webhooks", TRANSFER, "/type"),
    ] {
        let unknown = if provider == "stripe" {
            "charge.teleported"
        } else {
            "payment.teleported"
        };
        assert!(
            matches!(
                only(provider, &changed(file, pointer, json!(unknown))),
                Told::Quarantined(_)
            ),
            "{provider}"
        );
        let mut more: Value = serde_json::from_str(&posted(file)).unwrap();
        more["new_field"] = json!({"deep": [1, 2, 3]});
        assert!(
            matches!(only(provider, &more.to_string()), Told::Payment(_)),
            "{provider}"
        );
    }
    for (provider, file, needed) in [
        ("mollie", MOLLIE_PAID, "/_embedded/entity/amount"),
        ("mollie", MOLLIE_PAID, "/_embedded/entity/status"),
        ("stripe", STRIPE_CHARGE, "/data/object/amount"),
        ("stripe", STRIPE_CHARGE, "/data/object/currency"),
        (
            "adyen",
            ADYEN_PAID,
            "/notificationItems/0/NotificationRequestItem/amount",
        ),
        ("standard_webhooks", TRANSFER, "/data/amount"),
        ("standard_webhooks", TRANSFER, "/data"),
    ] {
        assert!(
            matches!(
                only(provider, &changed(file, needed, Value::Null)),
                Told::Quarantined(_)
            ),
            "{provider} {needed}"
        );
    }
}

#[test]
fn absurd_amounts_are_set_apart() {
    for amount in [
        json!("-0.01"),
        json!("1e3"),
        json!("99999999999.00"),
        json!("99999999999999999999"),
        json!(18.15),
        json!("1.234"),
    ] {
        assert!(
            matches!(
                only(
                    "mollie",
                    &changed(MOLLIE_PAID, "/_embedded/entity/amount/value", amount.clone())
                ),
                Told::Quarantined(_)
            ),
            "{amount}"
        );
    }
    for amount in [
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!([1]),
        json!("x"),
    ] {
        assert!(
            matches!(
                only("stripe", &changed(STRIPE_CHARGE, "/data/object/amount", amount.clone())),
                Told::Quarantined(_)
            ),
            "{amount}"
        );
    }
    assert!(matches!(
        only(
            "standard_webhooks",
            &changed(TRANSFER, "/data/amount/minor_units", json!(2))
        ),
        Told::Quarantined(_)
    ));
}

#[test]
fn money_that_went_out_is_ignored() {
    assert!(matches!(
        only(
            "standard_webhooks",
            &changed(TRANSFER, "/data/direction", json!("debit"))
        ),
        Told::Ignored(_)
    ));
    assert!(matches!(
        only(
            "standard_webhooks",
            &changed(TRANSFER, "/data/direction", json!("sideways"))
        ),
        Told::Quarantined(_)
    ));
}

#[test]
fn fault_18_what_is_said_twice_is_set_apart_under_an_id_of_its_own() {
    let twice = posted(MOLLIE_PAID).replacen("\"value\": \"0.01\"", "\"value\": \"0.01\", \"value\": \"18.15\"", 1);
    let events = told("mollie", twice.as_bytes());
    assert!(matches!(&events[0].told, Told::Quarantined(why) if why.contains("twice")));
    assert!(events[0].event_id.starts_with("body:"));

    // Adyen's signature survives a doubled name that it doesn't cover.
    let (headers, body) = signed("adyen", posted(ADYEN_PAID).as_bytes());
    let body = String::from_utf8(body)
        .unwrap()
        .replacen("\"ownerName\":", "\"ownerName\":\"X\",\"ownerName\":", 1);
    let (_, events) = read(&endpoint("adyen"), &headers, body.as_bytes(), now()).unwrap();
    assert!(matches!(&events[0].told, Told::Quarantined(_)));
    assert!(
        events[0].event_id.starts_with("body:"),
        "it must not take the place of the genuine item"
    );
}

#[test]
fn fault_18_nul_is_replaced_in_all_that_is_kept() {
    let told = payment(
        "mollie",
        &changed(MOLLIE_PAID, "/_embedded/entity/metadata", json!({"reference": "a\0b"})),
    );
    assert_eq!(told.reference, Some(ReferenceHint::Exact("a\u{FFFD}b".to_owned())));
    let named = payment(
        "mollie",
        &changed(MOLLIE_PAID, "/_embedded/entity/details/consumerName", json!("B\0V")),
    );
    assert_eq!(named.holder.unwrap().as_str(), "B\u{FFFD}V");
    assert!(matches!(
        only("mollie", &changed(MOLLIE_PAID, "/_embedded/entity/id", json!("tr\0"))),
        Told::Quarantined(_)
    ));
    assert!(
        matches!(only("mollie", &changed(MOLLIE_PAID, "/type", json!("payment.\0"))), Told::Quarantined(why) if !why.contains('\0'))
    );
}

#[test]
fn a_simple_refund_is_told_of_its_payment() {
    let simple = json!({"resource": "event", "id": "event_1", "type": "refund.refunded", "entityId": "re_1",
        "_links": {"entity": {"href": "https://api.mollie.com/v2/payments/tr_1/refunds/re_1"}}});
    assert_eq!(payment("mollie", &simple.to_string()).payment_id, "tr_1");
    let lost = json!({"resource": "event", "id": "event_1", "type": "refund.refunded", "entityId": "re_1"});
    assert!(matches!(only("mollie", &lost.to_string()), Told::Quarantined(_)));
}

#[test]
fn a_name_of_a_method_that_no_bank_vouches_for_decides_nothing() {
    for method in ["directdebit", "paypal", "creditcard"] {
        let told = payment(
            "mollie",
            &changed(MOLLIE_PAID, "/_embedded/entity/method", json!(method)),
        );
        assert!(
            told.holder.is_none() || !told.proof.covers_the_name(),
            "mollie {method}: {:?}",
            told.proof
        );
    }
}

#[test]
fn a_name_of_a_direct_debit_at_adyen_decides_nothing_even_with_basic_auth() {
    let (mut with_password, body) = {
        let mut body: Value = serde_json::from_str(&posted(ADYEN_PAID)).unwrap();
        let item = &mut body["notificationItems"][0]["NotificationRequestItem"];
        item["paymentMethod"] = json!("sepadirectdebit");
        item["additionalData"] = json!({"ownerName": "Bakkerij De Korenaar B.V.", "iban": "NL91ABNA0417164300"});
        signed("adyen", body.to_string().as_bytes())
    };
    with_password.insert("authorization", "Basic YWR5ZW46Z2VoZWlt".parse().unwrap());
    let mut s = settings("adyen");
    s.account = Some("EInvoiceNL_ECOM".into());
    s.username = Some("adyen".into());
    s.password = Some(Secret::from("geheim"));
    let endpoint = Endpoint::from_settings("adyen", &s).unwrap();
    let (proof, events) = read(&endpoint, &with_password, &body, now()).unwrap();
    let Told::Payment(told) = &events[0].told else {
        unreachable!()
    };
    assert!(
        told.holder.is_none() || !told.proof.covers_the_name(),
        "{proof:?} {:?}",
        told.status
    );
}
