//! MultiSafepay: POST notifications (MultiSafepay's documentation, "Webhook", and its PHP library).
//!
//! - **Proof.** `Auth`: base64 of a time in unix seconds, a colon, and the hexadecimal HMAC-SHA-512 over
//!   that time, a colon and the raw body; the key is the site's API key, without white space around it.
//!   The raw bytes count: one of MultiSafepay's libraries writes the JSON anew first, and so refuses what
//!   is genuine. The time may be ten minutes off, either way.
//! - **Rotation.** There is one API key a site: while it is changed, both are in `secrets`.
//! - **Answer.** 200 and `OK` within ten seconds; else five more tries, fifteen minutes apart.
//! - There is no event id: it is made of the transaction's id, its two states and what was refunded.
//!
//! | status | what it is here |
//! |---|---|
//! | `completed` | paid |
//! | `initialized`, `uncleared`, `reserved` | pending |
//! | `declined` | failed |
//! | `cancelled`, `void` | cancelled |
//! | `expired` | expired |
//! | `refunded`, `partial_refunded` | refunded |
//! | `chargedback` | charged back |
//! | anything else | quarantined |
//!
//! The name is `payment_details.account_holder_name`, believed of iDEAL and bank transfers alone. The IBAN
//! shows its last four digits unless MultiSafepay was asked for the whole. Times have no zone and are
//! Dutch time; `modified` of a completed payment is when it was paid. The reference is `order_id`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentStatus, Proof, Told};
use eencent_activations::personal::HolderName;

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, shared_keys};
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::Hash;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{
    Reading, event_of, exact, full_or_last, minor_amount, numeric_id, on_the_clock, payment, unreadable,
};

/// MultiSafepay; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct MultiSafepay;

const HEADER: &str = "auth";

/// Seconds, as MultiSafepay's libraries have it.
const TOLERANCE: u64 = 600;

impl Provider for MultiSafepay {
    fn name(&self) -> &'static str {
        "multisafepay"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[HEADER, "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Ok(Key::shared(secret.trim()))
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
        let header = signature::single(request.headers, HEADER, "Auth", "MultiSafepay")?;
        let decoded = STANDARD
            .decode(header)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or_else(|| malformed("it isn't base64 of text"))?;
        let (seconds, code) = decoded
            .split_once(':')
            .ok_or_else(|| malformed("it holds no time and code"))?;
        let signed_at =
            signature::unix_seconds(seconds).ok_or_else(|| malformed("its time isn't whole seconds in digits"))?;
        let code = Hash::Sha512
            .lower_hex(code)
            .ok_or_else(|| malformed("its code isn't 128 lower-case hexadecimal digits"))?;
        let secrets = endpoint.secrets();
        let parts = [seconds.as_bytes(), b":", request.body];
        let number = Hash::Sha512
            .made_by(shared_keys(endpoint), &parts, &code)
            .ok_or_else(|| signature::mismatch(secrets, "Auth"))?;
        signature::check_time(signed_at, now, endpoint.tolerance_or(TOLERANCE))?;
        Ok(Authentic::whole_message(
            request,
            format!("MultiSafepay's signature over time and body (HMAC-SHA-512), secret {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        vec![
            match document::read(body).and_then(|document| Ok((event_id(&document)?, document))) {
                Ok((id, document)) => event_of(body, &id, reading(&document, authentic.proof())),
                Err(why) => unreadable(body, why),
            },
        ]
    }

    fn reply(&self) -> Reply {
        Reply {
            status: 200,
            content_type: Some("text/plain; charset=utf-8"),
            body: "OK",
        }
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "order_id")
    }
}

fn malformed(what: &str) -> Refused {
    Refused::new(
        Code::MalformedSignature,
        format!(
            "Auth isn't written as MultiSafepay writes it: {what}. This isn't MultiSafepay, or a proxy rewrote the header."
        ),
    )
}

fn event_id(document: &Value) -> Result<String, String> {
    let transaction = numeric_id(document.get("transaction_id"), "`transaction_id`")?;
    let state = |name| text(document, name).unwrap_or_default();
    let refunded = document.get("amount_refunded").and_then(Value::as_i64).unwrap_or(0);
    let id = format!(
        "{transaction}:{}:{}:{refunded}",
        state("/status"),
        state("/financial_status")
    );
    crate::translation::id(Some(&Value::from(id)), "The event's id (transaction, states, refunded)")
}

fn reading(document: &Value, proof: Proof) -> Reading {
    let status = match text(document, "/status").ok_or("It has no `status`.")? {
        "completed" => PaymentStatus::Paid,
        "initialized" | "uncleared" | "reserved" => PaymentStatus::Pending,
        "declined" => PaymentStatus::Failed,
        "cancelled" | "void" => PaymentStatus::Cancelled,
        "expired" => PaymentStatus::Expired,
        "refunded" | "partial_refunded" => PaymentStatus::Refunded,
        "chargedback" => PaymentStatus::ChargedBack,
        _ => return Err("`status` is a word that isn't known here.".to_owned()),
    };
    let transaction = numeric_id(document.get("transaction_id"), "`transaction_id`")?;
    let mut told = payment(transaction, status, proof);
    told.amount = Some(minor_amount(
        document.get("amount"),
        document.get("currency"),
        "`amount`",
    )?);
    told.reference = exact(text(document, "/order_id")).or_else(|| exact(text(document, "/var2")));
    let details = document.get("payment_details").unwrap_or(&Value::Null);
    told.holder = text(details, "/account_holder_name").and_then(HolderName::parse);
    told.account_number = full_or_last(text(details, "/account_iban"));
    let vouched = matches!(text(details, "/type"), Some("IDEAL" | "BANKTRANS"));
    if told.holder.is_some() && !vouched {
        told.proof = Proof::SomeFields;
    }
    if matches!(status, PaymentStatus::Paid | PaymentStatus::Refunded) {
        told.paid_at = on_the_clock(text(document, "/modified"), chrono_tz::Europe::Amsterdam);
    }
    Ok(Told::Payment(Box::new(told)))
}
