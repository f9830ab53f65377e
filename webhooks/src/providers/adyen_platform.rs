//! Adyen: webhooks of its platforms and banking (Adyen's documentation, "Verify HMAC signatures", and its
//! OpenAPI description of transfer webhooks).
//!
//! - **Proof.** `HmacSignature`: base64 of HMAC-SHA-256 over the raw body, the key decoded from
//!   hexadecimal. The whole body is covered, the holder's name with it. No time is signed.
//! - **Answer.** 200 and `[accepted]`.
//!
//! | event | what it is here |
//! |---|---|
//! | `balancePlatform.transfer.created`, `.updated`, incoming | by the transfer's `status`: `booked`, `credited` and `captured` paid; `received`, `authorised`, `pending*` pending; `failed`, `refused`, `error` failed; `cancelled`, `expired`; `returned`, `refunded` refunded; `chargeback` charged back |
//! | the same, outgoing | ignored |
//! | other events | ignored |
//!
//! The event's id is `data.eventId`, else `id`, else the transfer's id and status. The name is that of the
//! counterparty's bank account; the reference stands in `description` or `referenceForBeneficiary`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, Mode, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, adyen, claimed, shared_keys};
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::Hash;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{Reading, event_of, id, ignored, instant, minor_amount, payment, unreadable, within};

/// Adyen's platforms; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdyenPlatform;

impl Provider for AdyenPlatform {
    fn name(&self) -> &'static str {
        "adyen_platform"
    }

    fn headers(&self) -> &'static [&'static str] {
        &["hmacsignature", "protocol", "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        adyen::hexadecimal(secret)
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let given = signature::single(request.headers, "hmacsignature", "HmacSignature", "Adyen")?;
        let given = STANDARD.decode(given).map_err(|_| {
            Refused::new(
                Code::MalformedSignature,
                "HmacSignature isn't base64. This isn't Adyen, or a proxy rewrote the header.",
            )
        })?;
        let secrets = endpoint.secrets();
        let number = Hash::Sha256
            .made_by(shared_keys(endpoint), &[request.body], &given)
            .ok_or_else(|| signature::mismatch(secrets, "HmacSignature"))?;
        Ok(Authentic::whole_message(
            request,
            format!("Adyen's signature over the whole body (HMAC-SHA-256), secret {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, endpoint: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let document = match document::read(body) {
            Ok(document) => document,
            Err(why) => return vec![unreadable(body, why)],
        };
        let data = document.get("data").unwrap_or(&Value::Null);
        let derived = format!(
            "{}:{}",
            text(data, "/id").unwrap_or_default(),
            text(data, "/status").unwrap_or_default()
        );
        let named = text(data, "/eventId")
            .or_else(|| text(&document, "/id"))
            .unwrap_or(&derived);
        vec![match id(Some(&Value::from(named)), "The event's id") {
            Ok(event_id) => event_of(body, &event_id, reading(&document, data, endpoint, authentic.proof())),
            Err(why) => unreadable(body, why),
        }]
    }

    fn reply(&self) -> Reply {
        adyen::ACCEPTED
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "id")
    }
}

fn reading(document: &Value, data: &Value, endpoint: &Endpoint, proof: Proof) -> Reading {
    let kind = text(document, "/type").ok_or("The event has no `type`.")?;
    if !kind.starts_with("balancePlatform.transfer.") {
        return ignored(kind, "not about money that came in");
    }
    match text(data, "/direction") {
        Some("incoming") => {}
        Some("outgoing") => return ignored(kind, "money that went out"),
        _ => return Err("`data.direction` is neither incoming nor outgoing.".to_owned()),
    }
    if let Some(account) = endpoint.named_account()
        && text(data, "/balancePlatform") != Some(account)
        && text(data, "/balanceAccount/id") != Some(account)
    {
        return ignored(kind, "of another balance platform or account than the endpoint's");
    }
    let status = match text(data, "/status").unwrap_or_default() {
        "booked" | "credited" | "captured" => PaymentStatus::Paid,
        "received" | "authorised" | "pendingApproval" | "pending" | "pendingIncomingTransfer" | "tracking" => {
            PaymentStatus::Pending
        }
        "failed" | "refused" | "error" => PaymentStatus::Failed,
        "cancelled" => PaymentStatus::Cancelled,
        "expired" => PaymentStatus::Expired,
        "returned" | "refunded" => PaymentStatus::Refunded,
        "chargeback" => PaymentStatus::ChargedBack,
        _ => return Err("`data.status` is a word that isn't known here.".to_owned()),
    };
    let mut told = payment(id(data.get("id"), "The transfer's `id`")?, status, proof);
    told.amount = Some(minor_amount(
        data.pointer("/amount/value"),
        data.pointer("/amount/currency"),
        "`data.amount`",
    )?);
    let bank = data.pointer("/counterparty/bankAccount").unwrap_or(&Value::Null);
    told.holder = text(bank, "/accountHolder/fullName").and_then(HolderName::parse);
    told.account_number = text(bank, "/accountIdentification/iban").and_then(AccountNumber::iban);
    let written: Vec<&str> = [text(data, "/referenceForBeneficiary"), text(data, "/description")]
        .into_iter()
        .flatten()
        .collect();
    told.reference = within(Some(&written.join(" ")));
    if status == PaymentStatus::Paid {
        told.paid_at = instant(text(document, "/timestamp").or_else(|| text(data, "/creationDate")));
    }
    told.mode = match text(document, "/environment") {
        Some("live") => Some(Mode::Live),
        Some("test") => Some(Mode::Test),
        _ => None,
    };
    Ok(Told::Payment(Box::new(told)))
}
