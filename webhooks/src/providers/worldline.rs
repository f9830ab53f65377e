//! Worldline Direct and Ingenico Connect, which share one scheme (Worldline's documentation, "Webhooks", and
//! the validator of its libraries).
//!
//! - **Proof.** `X-GCS-Signature`: base64 of HMAC-SHA-256 over the raw body, the secret being text;
//!   `X-GCS-KeyId` says which secret, and has to be one of the settings' `keys`. Either header twice is
//!   refused. No time is signed.
//! - **Rotation.** A new key in the portal revokes the old one at once: put it in `keys` beside the old one
//!   before you make it current.
//! - **Answer.** 200, empty. The event's id is `id`.
//!
//! | event | what it is here |
//! |---|---|
//! | `payment.paid`, `.captured` | paid |
//! | `payment.created`, `.redirected`, `.pending_*`, `.capture_requested`, `.account_verified`, `.authorization_requested` | pending |
//! | `payment.rejected`, `.rejected_capture` | failed |
//! | `payment.cancelled` | cancelled |
//! | `payment.refunded`, `refund.refunded` | refunded |
//! | `refund.rejected`, `.cancelled` | refund failed |
//! | `payment.chargebacked`, `.chargeback_notification`, `.reversed` | charged back |
//! | other events of refunds, payouts, tokens, disputes, links | ignored |
//! | other events of payments | quarantined |
//!
//! At Direct the operations of one payment share a number, `3066019730_0`, `_1`, …: a refund is told of the
//! first of them, the payment. The name is that of `customerBankAccount`, which the bank gives; of a card
//! there is none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, shared_keys_named};
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::Hash;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{
    Reading, event_of, exact, id, ignored, instant, minor_amount, payment, unknown_type, unreadable,
};

/// Worldline Direct and Connect; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Worldline;

impl Provider for Worldline {
    fn name(&self) -> &'static str {
        "worldline"
    }

    fn headers(&self) -> &'static [&'static str] {
        &["x-gcs-signature", "x-gcs-keyid", "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Ok(Key::shared(secret))
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn lacks(&self, endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
        if endpoint.keys().iter().all(|key| key.id().is_some()) {
            return Vec::new();
        }
        vec![(
            "secrets",
            "must be given by key id, since Worldline names the key of each message: keys = { \"KEY-ID\" = \"SECRET\" }, both from the portal under Webhooks.",
        )]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let given = signature::single(request.headers, "x-gcs-signature", "X-GCS-Signature", "Worldline")?;
        let key_id = signature::single(request.headers, "x-gcs-keyid", "X-GCS-KeyId", "Worldline")?;
        let given = STANDARD.decode(given).map_err(|_| {
            Refused::new(
                Code::MalformedSignature,
                "X-GCS-Signature isn't base64. This isn't Worldline, or a proxy rewrote the header.",
            )
        })?;
        let number = Hash::Sha256
            .made_by(shared_keys_named(endpoint, &key_id)?, &[request.body], &given)
            .ok_or_else(|| signature::mismatch(endpoint.secrets(), "X-GCS-Signature"))?;
        let secrets = endpoint.secrets();
        Ok(Authentic::whole_message(
            request,
            format!(
                "Worldline's signature over the whole body (HMAC-SHA-256), secret {number} of {secrets}, by its key id"
            ),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, endpoint: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let read =
            document::read(body).and_then(|document| Ok((id(document.get("id"), "The event's `id`")?, document)));
        vec![match read {
            Ok((event_id, document)) => event_of(body, &event_id, reading(&document, endpoint, authentic.proof())),
            Err(why) => unreadable(body, why),
        }]
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "id")
    }
}

fn reading(document: &Value, endpoint: &Endpoint, proof: Proof) -> Reading {
    let kind = text(document, "/type").ok_or("The event has no `type`.")?;
    if let Some(account) = endpoint.named_account()
        && text(document, "/merchantId") != Some(account)
    {
        return ignored(kind, "of another merchant than the endpoint's account");
    }
    let status = match kind.split_once('.') {
        Some(("payment", verb)) => match verb {
            "paid" | "captured" => PaymentStatus::Paid,
            "created" | "redirected" | "capture_requested" | "account_verified" | "authorization_requested" => {
                PaymentStatus::Pending
            }
            pending if pending.starts_with("pending_") => PaymentStatus::Pending,
            "rejected" | "rejected_capture" => PaymentStatus::Failed,
            "cancelled" => PaymentStatus::Cancelled,
            "refunded" => PaymentStatus::Refunded,
            "chargebacked" | "chargeback_notification" | "reversed" => PaymentStatus::ChargedBack,
            _ => return unknown_type(kind),
        },
        Some(("refund", "refunded")) => PaymentStatus::Refunded,
        Some(("refund", "rejected" | "cancelled")) => PaymentStatus::RefundFailed,
        Some(("refund" | "payout" | "token" | "dispute" | "paymentlink" | "hostedcheckout", _)) => {
            return ignored(kind, "no money to us, or another event tells of it");
        }
        _ => return unknown_type(kind),
    };
    let (object, output) = match document.get("refund") {
        Some(refund) if refund.is_object() => (refund, "/refundOutput"),
        _ => (document.get("payment").unwrap_or(&Value::Null), "/paymentOutput"),
    };
    let own = id(object.get("id"), "The operation's `id`")?;
    let mut told = payment(first_operation(own, document.get("refund").is_some()), status, proof);
    let output = object.pointer(output).unwrap_or(&Value::Null);
    told.amount = Some(minor_amount(
        output.pointer("/amountOfMoney/amount"),
        output.pointer("/amountOfMoney/currencyCode"),
        "`amountOfMoney`",
    )?);
    told.reference = exact(text(output, "/references/merchantReference"));
    let bank = [
        "/redirectPaymentMethodSpecificOutput",
        "/bankTransferPaymentMethodSpecificOutput",
    ]
    .iter()
    .find_map(|method| output.pointer(method)?.get("customerBankAccount"))
    .unwrap_or(&Value::Null);
    told.holder = text(bank, "/accountHolderName").and_then(HolderName::parse);
    told.account_number = text(bank, "/iban").and_then(AccountNumber::iban);
    if status == PaymentStatus::Paid {
        told.paid_at = instant(text(document, "/created"));
    }
    Ok(Told::Payment(Box::new(told)))
}

/// Of Direct's `3066019730_1`, a refund, the payment `3066019730_0` that it takes back. Connect's ids are
/// of another form and stay as they are.
fn first_operation(id: String, refund: bool) -> String {
    match id.split_once('_') {
        Some((number, operation))
            if refund
                && [number, operation]
                    .iter()
                    .all(|part| part.bytes().all(|b| b.is_ascii_digit())) =>
        {
            format!("{number}_0")
        }
        _ => id,
    }
}
