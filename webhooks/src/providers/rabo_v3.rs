//! Rabo Smart Pay, webhooks of version 3 (Rabobank's developer portal).
//!
//! - **Proof.** `X-SmartPay-Signature`: a detached JSON Web Signature over the body, with one of the keys
//!   that Rabobank publishes (`jwks_url`, `https://pay.rabobank.nl/.well-known/jwks.json`). RS256 to RS512,
//!   ES256 and ES384 are taken; ES512, which Rabobank may use too, isn't, and is refused as unknown.
//! - **What it proves.** No name and no account, as with all of Rabo Smart Pay: every payment goes to
//!   review. The amount has no currency; it is taken for euros.
//! - **Answer.** 200 and `ack` within thirty seconds.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Currency;
use eencent_activations::notification::{Event, PaymentStatus, Proof, Told};
use jsonwebtoken::Algorithm;

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, rabo};
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::jws::Token;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{Reading, event_of, exact, id, ignored, minor_amount, payment, unreadable};

/// Rabo Smart Pay, version 3; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct RaboV3;

const ALLOWED: [Algorithm; 5] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

impl Provider for RaboV3 {
    fn name(&self) -> &'static str {
        "rabo_v3"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[
            "x-smartpay-signature",
            "x-smartpay-event-type",
            "x-smartpay-event-id",
            "content-type",
        ]
    }

    fn key(&self, _: &str) -> Result<Key, &'static str> {
        Err("has no use: Rabobank signs with keys that it publishes")
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::PublishedKeys
    }

    fn advice(&self, endpoint: &Endpoint) -> Vec<String> {
        vec![format!("webhooks.{}: {}", endpoint.name(), rabo::NAMELESS)]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let header = signature::single(
            request.headers,
            "x-smartpay-signature",
            "X-SmartPay-Signature",
            "Rabobank",
        )?;
        let token = Token::parse(&header).filter(Token::is_detached).ok_or_else(|| {
            Refused::new(
                Code::MalformedSignature,
                "X-SmartPay-Signature isn't a detached JSON Web Signature. This isn't Rabobank, or a proxy rewrote the header.",
            )
        })?;
        super::verify_token(&token, endpoint, &ALLOWED, Some(request.body), "X-SmartPay-Signature")?;
        Ok(Authentic::whole_message(
            request,
            "Rabobank's signature over the whole body, with a key that it publishes".to_owned(),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let read =
            document::read(body).and_then(|document| Ok((id(document.get("id"), "The event's `id`")?, document)));
        vec![match read {
            Ok((event_id, document)) => event_of(body, &event_id, reading(&document, authentic.proof())),
            Err(why) => unreadable(body, why),
        }]
    }

    // Thirty seconds, says Rabobank's page on Smart Pay's notifications.
    fn deadline(&self) -> std::time::Duration {
        std::time::Duration::from_secs(30)
    }

    fn reply(&self) -> Reply {
        Reply {
            status: 200,
            content_type: Some("text/plain; charset=utf-8"),
            body: "ack",
        }
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "id")
    }
}

fn reading(document: &Value, proof: Proof) -> Reading {
    let kind = text(document, "/type").ok_or("The event has no `type`.")?;
    if !kind.starts_with("order.status.") {
        return ignored(kind, "not about an order's status");
    }
    let data = document.get("data").unwrap_or(&Value::Null);
    let status = match text(data, "/status").unwrap_or_default().to_ascii_lowercase().as_str() {
        "completed" => PaymentStatus::Paid,
        "in_progress" => PaymentStatus::Pending,
        "failure" | "failed" => PaymentStatus::Failed,
        "cancelled" => PaymentStatus::Cancelled,
        "expired" => PaymentStatus::Expired,
        _ => return Err("`data.status` is a word that isn't known here.".to_owned()),
    };
    let mut told = payment(id(data.get("orderId"), "`data.orderId`")?, status, proof);
    let amount = if status == PaymentStatus::Paid {
        "/amount/paid"
    } else {
        "/amount/total"
    };
    let euros = Value::from(Currency::EUR.as_str());
    told.amount = Some(minor_amount(data.pointer(amount), Some(&euros), "`data.amount`")?);
    told.reference = exact(text(data, "/metadata")).or_else(|| exact(text(data, "/merchantOrderId")));
    if status == PaymentStatus::Paid {
        let seconds = document.get("timestamp").and_then(Value::as_i64);
        told.paid_at = seconds.map(Timestamp::from_unix_seconds);
    }
    Ok(Told::Payment(Box::new(told)))
}
