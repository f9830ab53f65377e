//! Adyen: standard notifications (Adyen's documentation, "Webhooks", "Verify HMAC signatures", and its
//! OpenAPI description of standard webhooks).
//!
//! - **Proof.** Each item carries `additionalData.hmacSignature`: base64 of HMAC-SHA-256, with the key
//!   decoded from hexadecimal, over eight of its fields joined by colons, without any escaping:
//!   `pspReference`, `originalReference`, `merchantAccountCode`, `merchantReference`, `amount.value`,
//!   `amount.currency`, `eventCode`, `success`. Every item is verified; if one fails, or there is
//!   none, the request is refused. Of these only `merchantReference` may itself hold a colon, so that
//!   one text can't be read as two different items.
//! - **What it doesn't prove.** `additionalData` with the holder's name and IBAN, `eventDate` and `live`
//!   are not covered: whoever has seen one genuine item can put any name in it. So the name decides
//!   only where the sender has also shown the password of Basic auth, the merchant account is the one
//!   in the settings, and `live` is said ([`Proof::WholeRequest`]); otherwise it is translated and the
//!   proof says [`Proof::SomeFields`].
//! - **Answer.** 200 and `[accepted]`, within ten seconds. Adyen retries for thirty days, in any order.
//!   No time is signed, so a replay is told by the event's id: `pspReference`, `eventCode` and `success`,
//!   as Adyen advises.
//! - The other scheme of Adyen's, `HmacSignature` in a header (its balance platform), is another
//!   provider, `adyen_platform`.
//!
//! | eventCode | success | what it is here |
//! |---|---|---|
//! | `AUTHORISATION` | true / false | paid (iDEAL and bank transfers are captured at once) / failed |
//! | `PENDING` | true | pending |
//! | `OFFER_CLOSED` | true | expired |
//! | `CANCELLATION`, `TECHNICAL_CANCEL` | true | cancelled |
//! | `REFUND`, `REFUND_WITH_DATA`, `CANCEL_OR_REFUND` | true / false | refunded / refund failed |
//! | `REFUND_FAILED`, `REFUNDED_REVERSED` | true | refund failed |
//! | `CHARGEBACK`, `SECOND_CHARGEBACK` | true | charged back |
//! | `CAPTURE_FAILED`, `CHARGEBACK_REVERSED` | true | quarantined: about money, and rare; a person has to see it |
//! | reports, captures, orders, … | | ignored |
//! | anything else | | quarantined |
//!
//! An event that takes back or ends another names it in `originalReference`, which is then the payment's
//! id. The name is `iDealConsumerName`, else `ownerName`, else `bankAccount.ownerName`; never
//! `shopperName`, which the payer typed. The time of payment is `eventDate`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, Mode, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::reread::{Answer, Order, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, shared_keys};
use crate::api;
use crate::document::{self, Value, first_text, present, text};
use crate::endpoint::Endpoint;
use crate::refused::{Code, Refused};
use crate::signature::{self, sha256};
use crate::translation::{
    Reading, exact, id, ignored, minor_amount, payment, told, unknown_type, unreadable, unreadable_id,
};

mod payment_link;

/// Adyen; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Adyen;

impl Provider for Adyen {
    fn name(&self) -> &'static str {
        "adyen"
    }

    fn headers(&self) -> &'static [&'static str] {
        &["content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        hexadecimal(secret)
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn advice(&self, endpoint: &Endpoint) -> Vec<String> {
        let key = |name: &str| format!("webhooks.{}.{name}", endpoint.name());
        let mut advice = Vec::new();
        if !endpoint.asks_basic_auth() {
            advice.push(format!("{} and password are not set: Adyen's signature doesn't cover the account holder's name, so every payment of this endpoint goes to review. Set Basic auth here and in the Customer Area.", key("username")));
        }
        if endpoint.named_account().is_none() {
            advice.push(format!("{} is not set: messages for any merchant account are believed, and the account holder's name decides nothing. Set it to the merchant account's code.", key("account")));
        }
        advice
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        let sender_known = endpoint.check_basic_auth(request.headers)?;
        // Later translation reads more strictly; what a lenient reader believes is what was signed.
        let document = document::read_leniently(request.body)
            .map_err(|_| malformed("isn't JSON, so there is no signature to find in it"))?;
        let mut numbers = Vec::new();
        for item in items(&document)? {
            numbers.push(check_item(item, endpoint)?);
        }
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            return Err(malformed("holds no item, so nothing is signed"));
        }
        let checked = endpoint.named_account().is_some();
        let whole = sender_known && checked && live(&document).is_some();
        let secrets = endpoint.secrets();
        let numbers = numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" and ");
        let also = match (sender_known, checked) {
            (true, true) => "with Basic auth, for the right merchant account",
            (true, false) => "with Basic auth, merchant account not checked",
            (false, true) => "without Basic auth, for the right merchant account",
            (false, false) => "without Basic auth, merchant account not checked",
        };
        Ok(Authentic {
            request,
            proof: if whole { Proof::WholeRequest } else { Proof::SomeFields },
            proven_by: format!(
                "Adyen's signature over eight fields of every item (HMAC-SHA-256), secret {numbers} of {secrets}, {also}"
            ),
            message_id: None,
        })
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let document = match document::read(body) {
            Ok(document) => document,
            Err(why) => return vec![unreadable(body, why)],
        };
        let mode = live(&document);
        let events: Vec<Event> = items(&document)
            .unwrap_or_default()
            .into_iter()
            .map(|item| event(item, mode, authentic.proof()))
            .collect();
        if events.is_empty() {
            return vec![unreadable(body, "There are no items in it.".to_owned())];
        }
        events
    }

    fn read_back(&self, endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> Step {
        api::step(payment_link::read_back(endpoint, subject, answers))
    }

    fn make(&self, endpoint: &Endpoint, order: &Order, answers: &[Answer]) -> Step {
        api::step(payment_link::make(endpoint, order, answers))
    }

    fn makes_payments(&self) -> bool {
        true
    }

    fn reply(&self) -> Reply {
        ACCEPTED
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "pspReference")
    }
}

/// What Adyen hears on success.
pub(super) const ACCEPTED: Reply = Reply {
    status: 200,
    content_type: Some("text/plain; charset=utf-8"),
    body: "[accepted]",
};

/// A key as both of Adyen's schemes write it.
pub(super) fn hexadecimal(secret: &str) -> Result<Key, &'static str> {
    hex::decode(secret.trim())
        .map(Key::shared)
        .map_err(|_| "isn't hexadecimal: Adyen's HMAC keys are 64 digits 0-9 and A-F; copy the key again, or generate a new one in the Customer Area")
}

fn malformed(what: &str) -> Refused {
    Refused::new(
        Code::MalformedBody,
        format!("The body {what}. This isn't one of Adyen's standard webhooks."),
    )
}

fn items<'v, 'b>(document: &'v Value<'b>) -> Result<Vec<&'v Value<'b>>, Refused> {
    let list = document.get("notificationItems").and_then(Value::as_array);
    list.and_then(|list| {
        list.iter()
            .map(|entry| entry.get("NotificationRequestItem").filter(|item| item.is_object()))
            .collect()
    })
    .ok_or_else(|| malformed("has no list notificationItems of NotificationRequestItem"))
}

/// `live` of the envelope, said as text or as a truth value.
fn live(document: &Value) -> Option<Mode> {
    match document.get("live")? {
        Value::Bool(true) => Some(Mode::Live),
        Value::Bool(false) => Some(Mode::Test),
        Value::String(said) if said == "true" => Some(Mode::Live),
        Value::String(said) if said == "false" => Some(Mode::Test),
        _ => None,
    }
}

/// The eight signed fields in their order; only the fourth may hold a colon.
const SIGNED: [&str; 8] = [
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    "/merchantReference",
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
];
const MAY_HOLD_A_COLON: &str = "/merchantReference";

/// A field as it is signed: absent is empty, a number is its digits.
fn as_signed(item: &Value, pointer: &str) -> Result<String, Refused> {
    let text = match item.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone().into_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(_) => return Err(malformed("has a list or object where Adyen signs a text")),
    };
    if pointer != MAY_HOLD_A_COLON && text.contains(':') {
        return Err(malformed("has a colon in a field that never holds one at Adyen"));
    }
    Ok(text)
}

/// Verifies one item: the number of the secret that signed it.
fn check_item(item: &Value, endpoint: &Endpoint) -> Result<usize, Refused> {
    let signature = text(item, "/additionalData/hmacSignature").ok_or_else(|| {
        Refused::new(
            Code::MissingSignature,
            "An item has no additionalData.hmacSignature. Generate an HMAC key for this webhook in Adyen's Customer Area.",
        )
    })?;
    let given = STANDARD
        .decode(signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            Refused::new(
                Code::MalformedSignature,
                "An item's hmacSignature isn't base64 of 32 bytes. This isn't Adyen.",
            )
        })?;
    let fields = SIGNED
        .iter()
        .map(|pointer| as_signed(item, pointer))
        .collect::<Result<Vec<_>, _>>()?;
    let secrets = endpoint.secrets();
    let number = signature::made_by(shared_keys(endpoint), &[fields.join(":").as_bytes()], &[given])
        .ok_or_else(|| signature::mismatch(secrets, "an item's hmacSignature"))?;
    match endpoint.named_account() {
        Some(account) if item.get("merchantAccountCode").and_then(Value::as_str) != Some(account) => Err(Refused::new(
            Code::WrongAccount,
            format!(
                "Rightly signed, but for another merchant account than webhooks.{}.account. Send that account's webhooks to an endpoint of its own, or correct the setting.",
                endpoint.name()
            ),
        )),
        _ => Ok(number),
    }
}

fn event(item: &Value, mode: Option<Mode>, proof: Proof) -> Event {
    let digest = sha256(without_signature(item).as_bytes());
    let parts = ["/pspReference", "/eventCode", "/success"].map(|pointer| as_signed(item, pointer).unwrap_or_default());
    let event_id = Value::from(parts.join(":"));
    let read = id(Some(&event_id), "The event's id (pspReference:eventCode:success)");
    match read {
        Ok(event_id) if parts.iter().all(|part| !part.is_empty()) => Event {
            event_id,
            digest,
            told: told(reading(item, mode, proof)),
            reread: None,
        },
        read => Event {
            event_id: unreadable_id("item", digest),
            digest,
            told: Told::Quarantined(
                read.err()
                    .unwrap_or_else(|| "The item lacks pspReference, eventCode or success.".to_owned()),
            ),
            reread: None,
        },
    }
}

/// The item as text that doesn't depend on the order of names, without its signature: what it says,
/// whichever secret signed it.
fn without_signature(item: &Value) -> String {
    let mut said = serde_json::Value::from(item);
    if let Some(serde_json::Value::Object(data)) = said.get_mut("additionalData") {
        data.shift_remove("hmacSignature");
    }
    said.sort_all_objects();
    said.to_string()
}

fn reading(item: &Value, mode: Option<Mode>, proof: Proof) -> Reading {
    let code = text(item, "/eventCode").ok_or("The item's `eventCode` isn't text.")?;
    let success = match as_signed(item, "/success").unwrap_or_default().as_str() {
        "true" => true,
        "false" => false,
        _ => return Err("The item's `success` is neither true nor false.".to_owned()),
    };
    // Whether the payment is the one that `originalReference` names.
    let (status, of_another) = match (code, success) {
        ("AUTHORISATION", true) => (PaymentStatus::Paid, false),
        ("AUTHORISATION", false) => (PaymentStatus::Failed, false),
        ("PENDING", true) => (PaymentStatus::Pending, false),
        ("OFFER_CLOSED", true) => (PaymentStatus::Expired, false),
        ("CANCELLATION" | "TECHNICAL_CANCEL", true) => (PaymentStatus::Cancelled, true),
        ("REFUND" | "REFUND_WITH_DATA" | "CANCEL_OR_REFUND", true) => (PaymentStatus::Refunded, true),
        ("REFUND" | "REFUND_WITH_DATA" | "CANCEL_OR_REFUND", false) | ("REFUND_FAILED" | "REFUNDED_REVERSED", true) => {
            (PaymentStatus::RefundFailed, true)
        }
        ("CHARGEBACK" | "SECOND_CHARGEBACK", true) => (PaymentStatus::ChargedBack, true),
        ("CAPTURE_FAILED" | "CHARGEBACK_REVERSED", true) => {
            return Err(format!(
                "{code}: what was told of this payment's money no longer holds. Look at it in the Customer Area."
            ));
        }
        (
            "PENDING"
            | "OFFER_CLOSED"
            | "CANCELLATION"
            | "TECHNICAL_CANCEL"
            | "REFUND_FAILED"
            | "REFUNDED_REVERSED"
            | "CHARGEBACK"
            | "SECOND_CHARGEBACK"
            | "CAPTURE_FAILED"
            | "CHARGEBACK_REVERSED",
            false,
        ) => return ignored(code, "did not take place"),
        (
            "CAPTURE"
            | "AUTHORISATION_ADJUSTMENT"
            | "ORDER_OPENED"
            | "ORDER_CLOSED"
            | "REPORT_AVAILABLE"
            | "NOTIFICATION_OF_CHARGEBACK"
            | "NOTIFICATION_OF_FRAUD"
            | "REQUEST_FOR_INFORMATION"
            | "INFORMATION_SUPPLIED"
            | "PREARBITRATION_WON"
            | "PREARBITRATION_LOST"
            | "DISPUTE_DEFENSE_PERIOD_ENDED"
            | "ISSUER_COMMENTS"
            | "ISSUER_RESPONSE_TIMEFRAME_EXPIRED"
            | "RECURRING_CONTRACT"
            | "MANUAL_REVIEW_ACCEPT"
            | "MANUAL_REVIEW_REJECT"
            | "POSTPONED_REFUND"
            | "VOID_PENDING_REFUND"
            | "EXPIRE"
            | "DONATION"
            | "PAIDOUT_REVERSED"
            | "PAYOUT_THIRDPARTY"
            | "PAYOUT_EXPIRE"
            | "PAYOUT_DECLINE",
            _,
        ) => return ignored(code, "of no concern here"),
        _ => return unknown_type(code),
    };
    let payment_id = if of_another && present(item, "/originalReference").is_some_and(|it| it.as_str() != Some("")) {
        id(item.get("originalReference"), "`originalReference`")?
    } else if of_another {
        return Err(format!(
            "{code} without `originalReference`: it doesn't say which payment it is about."
        ));
    } else {
        id(item.get("pspReference"), "`pspReference`")?
    };
    let mut told = payment(payment_id, status, proof);
    told.amount = Some(minor_amount(
        item.pointer("/amount/value"),
        item.pointer("/amount/currency"),
        "`amount`",
    )?);
    told.reference = exact(text(item, "/merchantReference"));
    told.mode = mode;
    if code == "AUTHORISATION" && success {
        let data = item.get("additionalData").unwrap_or(&Value::Null);
        let name = ["/iDealConsumerName", "/ownerName", "/bankAccount.ownerName"];
        let iban = [
            "/iDealConsumerIBAN",
            "/iban",
            "/bankAccount.iban",
            "/iDealConsumerAccountNumber",
        ];
        told.holder = first_text(data, &name).and_then(HolderName::parse);
        // Only of these does the payer's bank say who holds the account; of a direct debit, for one, it is
        // what somebody typed. Adyen always names the method.
        let vouched =
            text(item, "/paymentMethod").is_none_or(|method| method == "ideal" || method.starts_with("bankTransfer"));
        if !vouched {
            told.proof = Proof::SomeFields;
        }
        told.account_number = first_text(data, &iban).and_then(AccountNumber::iban);
        told.paid_at = text(item, "/eventDate").and_then(Timestamp::parse_rfc3339);
    }
    Ok(Told::Payment(Box::new(told)))
}
