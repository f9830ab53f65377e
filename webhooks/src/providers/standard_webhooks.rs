//! Standard Webhooks, for banks and in-house systems: the signature of the Standard Webhooks
//! specification, and a payload of our own, described here and in `config/providers/standard_webhooks.md`.
//!
//! - **Proof.** `webhook-id`, `webhook-timestamp` and `webhook-signature` (or the same three beginning
//!   `svix-`). The signature covers `id.timestamp.body`. `v1,<base64>` is HMAC-SHA-256 with the key that
//!   follows `whsec_` in base64; `v1a,<base64>` is Ed25519, and the endpoint's secret is then the
//!   sender's public key, `whpk_` and base64. Several entries, separated by spaces, during a rotation.
//!   The time may be five minutes off, either way.
//! - **Answer.** 200, empty. The event's id is `webhook-id`.
//!
//! # The payload
//!
//! ```json
//! {"type": "bank_transfer.received",
//!  "timestamp": "2026-11-21T08:02:12Z",
//!  "data": {
//!    "id": "trx_0001", "status": "booked", "direction": "credit", "mode": "live",
//!    "booked_at": "2026-11-21T08:02:11Z",
//!    "amount": {"value": "18.15", "currency": "EUR"},
//!    "debtor": {"name": "BAKKERIJ DE KORENAAR BV", "iban": "NL20INGB0001234567"},
//!    "remittance_information": {"unstructured": "EEN-7K3M-9QXD"},
//!    "metadata": {"reference": "EEN-7K3M-9QXD"}}}
//! ```
//!
//! | field | meaning |
//! |---|---|
//! | `type` | `payment.` and `pending`, `paid`, `failed`, `expired`, `cancelled` (or `canceled`), `refunded`, `charged_back`, `refund_failed`; `bank_transfer.received`, `bank_transfer.returned` |
//! | `timestamp` | RFC 3339; when it happened, used where `data` doesn't say |
//! | `data.payment_id`, else `data.id`, else `data.transaction_id` | the payment; the same in every event about it. Required |
//! | `data.status` | of a transfer: `booked` (the default), `pending`, `rejected`, `cancelled` |
//! | `data.direction` | `credit` (the default) or `debit`; money that went out is ignored |
//! | `data.mode` | `live` or `test`; by default the endpoint's |
//! | `data.amount` | `value` in decimal text and `currency`; `minor_units`, if also there, must say the same. Required, except while pending, failed, expired or cancelled |
//! | `data.debtor` (or `data.payer`) | `name`, as the bank reports the account's holder; `iban`, or `iban_last4`; `bic` isn't used |
//! | `data.metadata.reference`, else `.activation`, else `.activation_id`, else `data.reference` | the reference and nothing else |
//! | `data.remittance_information` | text, or `unstructured` and `structured`: free text in which the reference may stand; else `data.description` |
//! | `data.paid_at`, else `data.booked_at` | RFC 3339; when the payment was made |
//! | `data.name_follows` | true when this event never carries the name and another one of the same payment will |
//!
//! Other fields may be there and are kept, not read. `organisation.*` and `activation.*` (our own
//! outgoing events, sent to the wrong address) are ignored; any other type is quarantined.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, PaymentNotification, PaymentStatus, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use http::HeaderMap;

use super::{Authentic, Key, KeyKind, ProvenWith, Provider, Reply, Request, claimed, shared_keys};
use crate::document::{self, Value, present, text};
use crate::endpoint::Endpoint;
use crate::refused::{Code, Refused};
use crate::signature::{self, sha256};
use crate::translation::{
    Reading, decimal_amount, event_of, exact, id, ignored, minor_amount, mode, payment, reference_in_metadata,
    remittance, unknown_type, unreadable_id, within,
};

/// Standard Webhooks; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardWebhooks;

/// Id, time and signature, under the specification's names and under Svix's.
const NAMES: [[&str; 3]; 2] = [
    ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ["svix-id", "svix-timestamp", "svix-signature"],
];

impl Provider for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard_webhooks"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "svix-id",
            "svix-timestamp",
            "svix-signature",
            "content-type",
        ]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        if secret.starts_with("whsk_") {
            return Err(
                "is the sender's private key (whsk_): take it out of here, and put the public one (whpk_) in its place",
            );
        }
        if let Some(public) = secret.strip_prefix("whpk_") {
            let wrong = "isn't whpk_ and the base64 of an Ed25519 public key of 32 bytes";
            let bytes: [u8; 32] = STANDARD
                .decode(public)
                .ok()
                .and_then(|it| it.try_into().ok())
                .ok_or(wrong)?;
            let key = VerifyingKey::from_bytes(&bytes).map_err(|_| wrong)?;
            return Ok(Key {
                kind: KeyKind::PublicEd25519(Box::new(key)),
                id: None,
                advice: None,
            });
        }
        let written = secret.strip_prefix("whsec_").unwrap_or(secret);
        Ok(match STANDARD.decode(written) {
            Ok(bytes) if !bytes.is_empty() => Key::shared(bytes),
            _ => Key::shared(written).with_advice("isn't whsec_ and base64, as the specification has it: its text is used as the key. If messages are refused, copy it again."),
        })
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let [id_name, time_name, signature_name] = names(request.headers);
        let message_id = single(request.headers, id_name)?;
        let seconds = single(request.headers, time_name)?;
        let signed_at =
            signature::unix_seconds(&seconds).ok_or_else(|| malformed(time_name, "isn't whole seconds in digits"))?;
        let joined = signature::header(request.headers, signature_name, ' ')?.ok_or_else(|| missing(signature_name))?;
        let (codes, signatures) = entries(&joined, signature_name)?;

        let parts = [message_id.as_bytes(), b".", seconds.as_bytes(), b".", request.body];
        let (number, scheme) = match signature::made_by(shared_keys(endpoint), &parts, &codes) {
            Some(number) => (number, "v1, HMAC-SHA-256"),
            None => match signed_by(endpoint, &parts.concat(), &signatures) {
                Some(number) => (number, "v1a, Ed25519"),
                None => return Err(not_ours(endpoint, &codes, &signatures, signature_name)),
            },
        };
        signature::check_time(signed_at, now, endpoint.tolerance())?;
        let secrets = endpoint.secrets();
        let mut authentic = Authentic::whole_message(
            request,
            format!("a Standard Webhooks signature over id, time and body ({scheme}), secret {number} of {secrets}"),
        );
        authentic.message_id = Some(message_id);
        Ok(authentic)
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let message_id = authentic.message_id.as_deref().unwrap_or_default();
        let said = id(Some(&Value::from(message_id)), "The header webhook-id");
        let event_id = said.clone().unwrap_or_else(|_| unreadable_id("body", sha256(body)));
        let reading = said
            .and_then(|_| document::read(body))
            .and_then(|document| reading(&document, authentic));
        vec![event_of(body, &event_id, reading)]
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        let [id_name, ..] = names(request.headers);
        claimed::plain(request.headers.get(id_name)?.to_str().ok()?)
    }
}

/// The specification's names, unless only Svix's are there.
fn names(headers: &HeaderMap) -> [&'static str; 3] {
    let [standard, svix] = NAMES;
    let any = |names: [&str; 3]| names.iter().any(|name| headers.contains_key(*name));
    if !any(standard) && any(svix) { svix } else { standard }
}

fn missing(name: &str) -> Refused {
    Refused::new(
        Code::MissingSignature,
        format!(
            "The header {name} is missing. The sender doesn't speak Standard Webhooks, or a proxy removed the header."
        ),
    )
}

fn malformed(name: &str, what: &str) -> Refused {
    Refused::new(
        Code::MalformedSignature,
        format!("The header {name} {what}. The sender doesn't write it as the Standard Webhooks specification says."),
    )
}

/// A header that must be there once.
fn single(headers: &HeaderMap, name: &'static str) -> Result<String, Refused> {
    if headers.get_all(name).iter().nth(1).is_some() {
        return Err(malformed(name, "is there more than once"));
    }
    match signature::header(headers, name, ',')? {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(missing(name)),
    }
}

/// The `v1` codes and `v1a` signatures that are written well; other versions are not looked at.
fn entries(joined: &str, name: &'static str) -> Result<(Vec<signature::Sum>, Vec<Signature>), Refused> {
    let (mut codes, mut signatures) = (Vec::new(), Vec::new());
    for entry in signature::items(joined, ' ', name)? {
        // A proxy that folds two headers into one leaves a comma behind.
        let Some((version, encoded)) = entry.trim_end_matches(',').split_once(',') else {
            continue;
        };
        let Ok(bytes) = STANDARD.decode(encoded) else {
            continue;
        };
        match version {
            "v1" => codes.extend(signature::Sum::try_from(bytes)),
            "v1a" => signatures.extend(Signature::from_slice(&bytes)),
            _ => {}
        }
    }
    if codes.is_empty() && signatures.is_empty() {
        return Err(malformed(name, "holds neither a v1 nor a v1a signature in base64"));
    }
    Ok((codes, signatures))
}

/// The number of the public key that verifies one of the signatures.
fn signed_by(endpoint: &Endpoint, message: &[u8], signatures: &[Signature]) -> Option<usize> {
    endpoint
        .keys()
        .iter()
        .zip(1..)
        .find_map(|(key, number)| match &key.kind {
            KeyKind::PublicEd25519(key) => signatures
                .iter()
                .any(|signature| key.verify_strict(message, signature).is_ok())
                .then_some(number),
            KeyKind::Shared(_) | KeyKind::PublicRsa(_) => None,
        })
}

fn not_ours(endpoint: &Endpoint, codes: &[signature::Sum], signatures: &[Signature], name: &str) -> Refused {
    let shared = shared_keys(endpoint).count();
    let public = endpoint.secrets() - shared;
    if (codes.is_empty() && public == 0) || (signatures.is_empty() && shared == 0) {
        return Refused::new(
            Code::UnknownSecret,
            format!(
                "It is signed in the other of the scheme's two ways: v1 needs a shared secret (whsec_), v1a the sender's public key (whpk_). Add the one that webhooks.{}.secrets lacks.",
                endpoint.name()
            ),
        );
    }
    signature::mismatch(endpoint.secrets(), name)
}

fn reading(document: &Value, authentic: &Authentic<'_>) -> Reading {
    let kind = text(document, "/type").ok_or("The message has no `type`.")?;
    let data = match document.get("data") {
        Some(data) if data.is_object() => data,
        _ => &Value::Null,
    };
    let status = match kind.split_once('.') {
        Some(("payment", "pending")) => PaymentStatus::Pending,
        Some(("payment", "paid")) => PaymentStatus::Paid,
        Some(("payment", "failed")) => PaymentStatus::Failed,
        Some(("payment", "expired")) => PaymentStatus::Expired,
        Some(("payment", "cancelled" | "canceled")) => PaymentStatus::Cancelled,
        Some(("payment", "refunded")) => PaymentStatus::Refunded,
        Some(("payment", "charged_back")) => PaymentStatus::ChargedBack,
        Some(("payment", "refund_failed")) => PaymentStatus::RefundFailed,
        Some(("bank_transfer", "returned")) => PaymentStatus::Refunded,
        Some(("bank_transfer", "received")) => match text(data, "/status").unwrap_or("booked") {
            "booked" => PaymentStatus::Paid,
            "pending" => PaymentStatus::Pending,
            "rejected" => PaymentStatus::Failed,
            "cancelled" | "canceled" => PaymentStatus::Cancelled,
            _ => return Err("`data.status` is a word that isn't known here.".to_owned()),
        },
        Some(("organisation" | "activation", _)) => {
            return ignored(kind, "one of our own outgoing events, sent to the wrong address");
        }
        _ => return unknown_type(kind),
    };
    match present(data, "/direction").map(Value::as_str) {
        None | Some(Some("credit")) => {}
        Some(Some("debit")) => return ignored(kind, "money that went out"),
        Some(_) => return Err("`data.direction` is neither credit nor debit.".to_owned()),
    }
    of_payment(document, data, status, authentic).map(|told| Told::Payment(Box::new(told)))
}

fn of_payment(
    document: &Value,
    data: &Value,
    status: PaymentStatus,
    authentic: &Authentic<'_>,
) -> Result<PaymentNotification, String> {
    let named = ["payment_id", "id", "transaction_id"]
        .into_iter()
        .find_map(|name| data.get(name).filter(|it| !it.is_null()));
    let mut told = payment(id(named, "The payment's id (`data.id`)")?, status, authentic.proof());
    told.amount = amount(data, status)?;
    let payer = present(data, "/debtor")
        .or_else(|| present(data, "/payer"))
        .unwrap_or(&Value::Null);
    told.holder = text(payer, "/name").and_then(HolderName::parse);
    told.account_number = text(payer, "/iban")
        .and_then(AccountNumber::iban)
        .or_else(|| text(payer, "/iban_last4").and_then(AccountNumber::last_digits));
    told.reference = reference_in_metadata(data.get("metadata"))
        .or_else(|| exact(text(data, "/reference")))
        .or_else(|| remittance(data.get("remittance_information"), "/structured"))
        .or_else(|| within(text(data, "/description")));
    if status == PaymentStatus::Paid {
        told.paid_at = [
            text(data, "/paid_at"),
            text(data, "/booked_at"),
            text(document, "/timestamp"),
        ]
        .into_iter()
        .flatten()
        .next()
        .and_then(Timestamp::parse_rfc3339);
    }
    told.mode = mode(data.get("mode"))?;
    told.name_comes_separately = data.get("name_follows") == Some(&Value::Bool(true));
    Ok(told)
}

fn amount(data: &Value, status: PaymentStatus) -> Result<Option<Money>, String> {
    let what = "`data.amount`";
    let Some(amount) = present(data, "/amount") else {
        let moved = !matches!(
            status,
            PaymentStatus::Pending | PaymentStatus::Failed | PaymentStatus::Expired | PaymentStatus::Cancelled
        );
        return if moved {
            Err(format!("{what} is missing."))
        } else {
            Ok(None)
        };
    };
    let minor = match present(amount, "/minor_units") {
        None => None,
        minor => Some(minor_amount(minor, amount.get("currency"), what)?),
    };
    let decimal = match (present(amount, "/value"), minor) {
        (None, Some(minor)) => minor,
        _ => decimal_amount(Some(amount), what)?,
    };
    if minor.is_some_and(|minor| minor != decimal) {
        return Err(format!("{what} says two different amounts: `value` and `minor_units`."));
    }
    Ok(Some(decimal))
}
