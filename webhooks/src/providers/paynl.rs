//! Pay. (pay.nl): signed JSON exchanges (Pay.'s documentation, "Exchange calls", and its package for request
//! signing).
//!
//! - **Proof.** `signature`: hexadecimal HMAC over the raw body, the secret being text. `signature-keyid`
//!   is the token code (`AT-…`) or service (`SL-…`) that the secret belongs to and has to be one of the
//!   settings' `keys`; `signature-method` is `HMAC`; `signature-algorithm` is named by the sender, so only
//!   SHA-256, -384 and -512 are taken from it. No time is signed.
//! - **Answer.** 200 and `{"result":true,…}`.
//! - There is no event id: it is made of the order, the status and when it was changed.
//!
//! | status code | what it is here |
//! |---|---|
//! | 100 | paid |
//! | 20, 25, 50, 90, 95, 98 | pending (95: authorised) |
//! | -63, -64 | failed |
//! | -70, -71 | charged back |
//! | -72, -81, -82 | refunded |
//! | -80 | expired |
//! | other negatives | cancelled, as Pay.'s own library has it |
//! | other positives | quarantined |
//!
//! The name is `customerName` of the payment whose `customerType` is `IBAN`. References at Pay. are of
//! letters and digits only.

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, Mode, PaymentStatus, Proof, Told};
use eencent_activations::personal::HolderName;

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, shared_keys_named};
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::Hash;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{Reading, event_of, exact, full_or_last, id, instant, minor_amount, payment, unreadable};

/// Pay.; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct PayNl;

impl Provider for PayNl {
    fn name(&self) -> &'static str {
        "paynl"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[
            "signature",
            "signature-keyid",
            "signature-method",
            "signature-algorithm",
            "content-type",
        ]
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
            "must be given by key id, since Pay. names the key of each message: keys = { \"AT-1234-5678\" = \"…\" } with the token code.",
        )]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let header = |name| signature::single(request.headers, name, name, "Pay.");
        let given = header("signature")?;
        let key_id = header("signature-keyid")?;
        if !header("signature-method")?.eq_ignore_ascii_case("HMAC") {
            return Err(malformed("signature-method isn't HMAC"));
        }
        // SHA-1 is left out on purpose: the sender would choose it.
        let hash = Hash::parse(&header("signature-algorithm")?)
            .filter(|hash| *hash != Hash::Sha1)
            .ok_or_else(|| malformed("signature-algorithm is none of sha256, sha384 and sha512"))?;
        let keys = shared_keys_named(endpoint, &key_id)?;
        let given = hash.lower_hex(&given).ok_or_else(|| {
            malformed("signature isn't lower-case hexadecimal of the length that its algorithm gives")
        })?;
        let number = hash
            .made_by(keys, &[request.body], &given)
            .ok_or_else(|| signature::mismatch(endpoint.secrets(), "signature"))?;
        let (secrets, shown) = (endpoint.secrets(), hash.shown());
        Ok(Authentic::whole_message(
            request,
            format!("Pay.'s signature over the whole body (HMAC-{shown}), key {key_id}, {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let object = match document::read(body) {
            Ok(document) => document.get("object").cloned().unwrap_or_default(),
            Err(why) => return vec![unreadable(body, why)],
        };
        vec![match event_id(&object) {
            Ok(event_id) => event_of(body, &event_id, reading(&object, authentic.proof())),
            Err(why) => unreadable(body, why),
        }]
    }

    fn reply(&self) -> Reply {
        Reply {
            status: 200,
            content_type: Some("application/json"),
            body: "{\"result\":true,\"description\":\"stored\"}",
        }
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "orderId")
    }
}

fn malformed(what: &str) -> Refused {
    Refused::new(
        Code::MalformedSignature,
        format!("{what}. This isn't Pay., or a proxy rewrote the header."),
    )
}

fn code(object: &Value) -> Result<i64, String> {
    let code = object.pointer("/status/code").and_then(Value::as_i64);
    code.ok_or_else(|| "`object.status.code` isn't a whole number.".to_owned())
}

fn event_id(object: &Value) -> Result<String, String> {
    let order = id(object.get("orderId"), "`object.orderId`")?;
    let changed = text(object, "/modifiedAt").unwrap_or_default();
    let event_id = format!("{order}:{}:{changed}", code(object)?);
    id(Some(&Value::from(event_id)), "The event's id (order, status, time)")
}

fn reading(object: &Value, proof: Proof) -> Reading {
    let status = match code(object)? {
        100 => PaymentStatus::Paid,
        20 | 25 | 50 | 90 | 95 | 98 => PaymentStatus::Pending,
        -63 | -64 => PaymentStatus::Failed,
        -70 | -71 => PaymentStatus::ChargedBack,
        -72 | -81 | -82 => PaymentStatus::Refunded,
        -80 => PaymentStatus::Expired,
        ..0 => PaymentStatus::Cancelled,
        _ => return Err("`object.status.code` is a status that isn't known here.".to_owned()),
    };
    let mut told = payment(id(object.get("orderId"), "`object.orderId`")?, status, proof);
    let amount = object.get("amount").unwrap_or(&Value::Null);
    told.amount = Some(minor_amount(
        amount.get("value"),
        amount.get("currency"),
        "`object.amount`",
    )?);
    told.reference = exact(text(object, "/reference"));
    let payments = object
        .get("payments")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if let Some(of_account) = payments.iter().find(|it| text(it, "/customerType") == Some("IBAN")) {
        told.holder = text(of_account, "/customerName").and_then(HolderName::parse);
        told.account_number = full_or_last(text(of_account, "/customerId"));
    }
    if status == PaymentStatus::Paid {
        told.paid_at = instant(text(object, "/completedAt").or_else(|| text(object, "/modifiedAt")));
    }
    told.mode = match object.pointer("/integration/test") {
        Some(Value::Bool(test)) => Some(if *test { Mode::Test } else { Mode::Live }),
        _ => None,
    };
    Ok(Told::Payment(Box::new(told)))
}
