//! What the platform and the providers do, in the fewest words a test needs.

use eencent_activations::clock::{Clock, SystemClock, Timestamp};
use eencent_webhooks::signing;
use serde_json::{Value, json};

use crate::http::{Answer, request};
use crate::server::{Server, wait_for};

pub const MOLLIE: &str = "mollie-secret";
pub const STRIPE: &str = "whsec_stripe-secret";
pub const BANK: &str = "whsec_dGhlIGJhbmsncyBzZWNyZXQsIGZvciB0ZXN0cw==";
pub const ADYEN: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

pub const NAME: &str = "Bakkerij De Korenaar B.V.";

pub fn now() -> Timestamp {
    SystemClock.now()
}

pub fn organisation(kvk: u32) -> Value {
    json!({
        "environment": "tests",
        "legal_name": NAME,
        "trade_names": ["De Korenaar"],
        "legal_form": "Besloten Vennootschap",
        "country": "NL",
        "names_source": "register",
        "address": { "street": "Brink 1", "postcode": "7411 BR", "city": "Deventer" },
        "identifiers": [{ "scheme": "NL:KVK", "value": format!("{kvk:08}") }],
        "creator": { "name": "Anna Jansen", "email": "jansen@example.nl", "language": "nl", "role": "administrator" },
    })
}

/// An organisation with an activation waiting for its payment: the activation as it was answered.
pub fn started(server: &Server, kvk: u32, method: &str) -> Value {
    let made = server.api("POST", "/v1/organisations", &organisation(kvk));
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let started = server.api(
        "POST",
        &format!("/v1/organisations/{id}/activations"),
        &json!({ "method": method }),
    );
    assert_eq!(started.status, 201, "{}", started.body);
    started.json()
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

pub fn activation(server: &Server, id: &str) -> Value {
    let answer = server.api("GET", &format!("/v1/activations/{id}"), &Value::Null);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

pub fn wait_for_state(server: &Server, id: &str, state: &str) -> Value {
    wait_for(&format!("{id} to be {state}"), || {
        Some(activation(server, id)).filter(|now| text(now, "state") == state)
    })
}

/// Mollie's snapshot event of a paid iDEAL payment of one cent.
pub fn mollie_paid(event: &str, payment: &str, reference: &str, holder: &str) -> Value {
    json!({
        "resource": "event",
        "id": event,
        "type": "payment.paid",
        "entityId": payment,
        "createdAt": now(),
        "_embedded": { "entity": {
            "resource": "payment",
            "id": payment,
            "mode": "live",
            "createdAt": now(),
            "amount": { "value": "0.01", "currency": "EUR" },
            "description": "Activatie",
            "method": "ideal",
            "metadata": { "reference": reference },
            "status": "paid",
            "paidAt": now(),
            "details": { "consumerName": holder, "consumerAccount": "NL91ABNA0417164300", "consumerBic": "ABNANL2A" },
        } },
    })
}

/// The same payment, which came to nothing: `canceled`, `failed` or `expired`.
pub fn mollie_broken_off(event: &str, payment: &str, reference: &str, status: &str) -> Value {
    let mut body = mollie_paid(event, payment, reference, NAME);
    body["type"] = format!("payment.{status}").into();
    let entity = body["_embedded"]["entity"].as_object_mut().unwrap();
    entity.insert("status".to_owned(), status.into());
    entity.remove("paidAt");
    entity.remove("details");
    body
}

/// A refund of that payment.
pub fn mollie_refunded(event: &str, payment: &str) -> Value {
    json!({
        "resource": "event", "id": event, "type": "refund.refunded", "entityId": "re_1", "createdAt": now(),
        "_embedded": { "entity": { "resource": "refund", "id": "re_1", "mode": "live", "paymentId": payment,
            "amount": { "value": "0.01", "currency": "EUR" }, "status": "refunded", "createdAt": now() } },
    })
}

pub fn post_mollie(server: &Server, body: &Value) -> std::io::Result<Answer> {
    let bytes = body.to_string().into_bytes();
    post(server, "mollie", &signing::mollie(MOLLIE, &bytes), &bytes)
}

pub fn post_stripe(server: &Server, body: &Value) -> std::io::Result<Answer> {
    let bytes = body.to_string().into_bytes();
    post(server, "stripe", &signing::stripe(STRIPE, now(), &bytes), &bytes)
}

pub fn post_bank(server: &Server, id: &str, body: &Value) -> std::io::Result<Answer> {
    let bytes = body.to_string().into_bytes();
    post(
        server,
        "bank",
        &signing::standard_webhooks(BANK, id, now(), &bytes),
        &bytes,
    )
}

/// Signs every item.
pub fn post_adyen(server: &Server, body: &Value, basic_auth: Option<&str>) -> std::io::Result<Answer> {
    let mut body = body.clone();
    signing::adyen(ADYEN, &mut body);
    let headers: Vec<_> = basic_auth
        .map(|value| ("authorization", value.to_owned()))
        .into_iter()
        .collect();
    post(server, "adyen", &headers, body.to_string().as_bytes())
}

pub fn post(
    server: &Server,
    endpoint: &str,
    headers: &[(&'static str, String)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
    request(&server.public, "POST", &format!("/webhooks/{endpoint}"), &all, body)
}

/// A transfer as a bank or an in-house system tells it.
pub fn transfer(id: &str, cents: i64, remittance: &str, holder: &str) -> Value {
    json!({
        "type": "bank_transfer.received",
        "timestamp": now(),
        "data": {
            "transaction_id": id,
            "status": "booked",
            "direction": "credit",
            "booked_at": now(),
            "amount": { "value": format!("{}.{:02}", cents / 100, cents % 100), "currency": "EUR" },
            "debtor": { "name": holder, "iban": "NL91ABNA0417164300" },
            "remittance_information": { "unstructured": remittance },
        },
    })
}

pub fn stripe_charge(event: &str, intent: &str, reference: &str, holder: &str) -> Value {
    json!({
        "id": event,
        "object": "event",
        "created": now().unix_seconds(),
        "livemode": true,
        "type": "charge.succeeded",
        "data": { "object": {
            "id": format!("py_{intent}"),
            "object": "charge",
            "amount": 1,
            "currency": "eur",
            "created": now().unix_seconds(),
            "description": "Activation",
            "livemode": true,
            "metadata": { "activation": reference },
            "paid": true,
            "status": "succeeded",
            "payment_intent": intent,
            "billing_details": { "name": "What The Payer Typed B.V." },
            "payment_method_details": { "type": "ideal", "ideal": { "verified_name": holder, "iban_last4": "4300", "bic": "ABNANL2A" } },
        } },
    })
}

pub fn adyen_paid(psp: &str, reference: &str, holder: &str) -> Value {
    json!({
        "live": "true",
        "notificationItems": [{ "NotificationRequestItem": {
            "additionalData": { "iDealConsumerName": holder, "iDealConsumerIBAN": "NL91ABNA0417164300" },
            "amount": { "currency": "EUR", "value": 1 },
            "eventCode": "AUTHORISATION",
            "eventDate": now(),
            "merchantAccountCode": "EencentECOM",
            "merchantReference": reference,
            "paymentMethod": "ideal",
            "pspReference": psp,
            "success": "true",
        } }],
    })
}

/// `adyen:colon:and:more`, encoded.
pub const ADYEN_BASIC: &str = "Basic YWR5ZW46Y29sb246YW5kOm1vcmU=";
