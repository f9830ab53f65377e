//! Rabo Smart Pay (formerly OmniKassa), the scheme of 2017 (Rabobank's developer manual and libraries).
//!
//! - **Proof.** The JSON's own `signature`: lower-case hexadecimal HMAC-SHA-512 over `authentication`,
//!   `expiry`, `eventName` and `poiId`, joined by commas; the key is the signing key, decoded from base64.
//! - **Read back.** The notification names no order: with its token the statuses are asked for, again and
//!   again until there are no more, and every answer is signed in the same way over all its fields. The
//!   parts of a transaction are left out of that signature by older versions of the scheme; they are
//!   not read, so both are taken.
//! - **What it proves.** Rabo Smart Pay says no name and no account, anywhere: every payment goes to
//!   review. `eencent check` says so.
//! - **Answer.** 200, empty.
//! - The browser's return address is signed too (`order_id,status`); nothing here believes a browser.
//!
//! | order status | what it is here |
//! |---|---|
//! | `COMPLETED` | paid |
//! | `IN_PROGRESS` | pending |
//! | `FAILURE`, `CANCELLED`, `EXPIRED` | failed, cancelled, expired |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentNotification, PaymentStatus};
use eencent_activations::reread::{Answer, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, shared_keys};
use crate::api;
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::Hash;
use crate::refused::{Code, Refused};
use crate::signature::{self, sha256};
use crate::translation::{exact, id, ignored, minor_amount, told, unreadable};

/// Rabo Smart Pay; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rabo;

/// What every payment of Rabo's comes to.
pub(super) const NAMELESS: &str = "Rabo Smart Pay never says who paid: every payment of this endpoint goes to review. For payments that decide by themselves, take them through another provider, or through the bank account's own statements.";

impl Provider for Rabo {
    fn name(&self) -> &'static str {
        "rabo"
    }

    fn headers(&self) -> &'static [&'static str] {
        &["content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        match STANDARD.decode(secret.trim()) {
            Ok(bytes) if !bytes.is_empty() => Ok(Key::shared(bytes)),
            _ => Err("isn't base64: copy the signing key from Rabo Smart Pay's dashboard again"),
        }
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn advice(&self, endpoint: &Endpoint) -> Vec<String> {
        vec![format!("webhooks.{}: {NAMELESS}", endpoint.name())]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let document = document::read(request.body).map_err(|_| malformed("isn't JSON"))?;
        let signed = announcement(&document).ok_or_else(|| malformed("lacks one of its four signed fields"))?;
        let number = check(text(&document, "/signature"), &[signed], endpoint)?;
        let secrets = endpoint.secrets();
        Ok(Authentic::whole_message(
            request,
            format!(
                "Rabobank's signature over the four fields of the notification (HMAC-SHA-512), key {number} of {secrets}"
            ),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let document = match document::read(body) {
            Ok(document) => document,
            Err(why) => return vec![unreadable(body, why)],
        };
        let digest = sha256(body);
        let token = text(&document, "/authentication").and_then(token);
        let kind = text(&document, "/eventName").unwrap_or_default();
        let reading = match token {
            Some(_) => ignored(kind, "announces changed orders, which are asked for"),
            None => Err("Its token can't stand in a header.".to_owned()),
        };
        vec![Event {
            event_id: format!("announced:{}", hex::encode(digest)),
            digest,
            told: told(reading),
            reread: token.map(|token| format!("statuses/{token}")),
        }]
    }

    fn read_back(&self, endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> Step {
        api::step(read_back(endpoint, subject, answers))
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, _: &Request<'_>) -> Option<String> {
        None
    }
}

fn malformed(what: &str) -> Refused {
    Refused::new(
        Code::MalformedBody,
        format!("The body {what}. This isn't a notification of Rabo Smart Pay."),
    )
}

/// A token as it may stand in a header and in a subject.
fn token(text: &str) -> Option<&str> {
    let may = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=' | b'+');
    ((1..=4_000).contains(&text.len()) && text.bytes().all(may)).then_some(text)
}

/// A field as it is signed; of an amount its cents.
fn as_signed(value: &Value, pointer: &str) -> Option<String> {
    Some(match value.pointer(pointer)? {
        Value::String(text) => text.clone().into_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => String::new(),
        _ => return None,
    })
}

fn joined(value: &Value, pointers: &[&str]) -> Option<String> {
    let fields: Option<Vec<String>> = pointers.iter().map(|pointer| as_signed(value, pointer)).collect();
    fields.map(|fields| fields.join(","))
}

fn announcement(document: &Value) -> Option<String> {
    joined(document, &["/authentication", "/expiry", "/eventName", "/poiId"])
}

/// Which key signed one of the texts.
fn check(signature: Option<&str>, signed: &[String], endpoint: &Endpoint) -> Result<usize, Refused> {
    let given = signature.filter(|given| !given.is_empty()).ok_or_else(|| {
        Refused::new(
            Code::MissingSignature,
            "The JSON has no signature. This isn't Rabo Smart Pay.",
        )
    })?;
    let given = Hash::Sha512.lower_hex(given).ok_or_else(|| {
        Refused::new(
            Code::MalformedSignature,
            "The JSON's signature isn't 128 lower-case hexadecimal digits. This isn't Rabo Smart Pay.",
        )
    })?;
    signed
        .iter()
        .find_map(|text| Hash::Sha512.made_by(shared_keys(endpoint), &[text.as_bytes()], &given))
        .ok_or_else(|| signature::mismatch(endpoint.secrets(), "the JSON"))
}

/// Checks one answer of order statuses.
///
/// # Errors
/// Refused when it isn't signed with one of the endpoint's keys.
pub(crate) fn check_statuses(document: &Value, endpoint: &Endpoint) -> Result<usize, Refused> {
    let texts =
        statuses_texts(document).ok_or_else(|| malformed("lacks one of the signed fields of order statuses"))?;
    check(text(document, "/signature"), &texts, endpoint)
}

/// What is signed of order statuses: without the transactions, as older versions have it, and with them.
pub(crate) fn statuses_texts(document: &Value) -> Option<[String; 2]> {
    const ORDER: [&str; 10] = [
        "/merchantOrderId",
        "/omnikassaOrderId",
        "/poiId",
        "/orderStatus",
        "/orderStatusDateTime",
        "/errorCode",
        "/paidAmount/currency",
        "/paidAmount/amount",
        "/totalAmount/currency",
        "/totalAmount/amount",
    ];
    const TRANSACTION: [&str; 10] = [
        "/id",
        "/paymentBrand",
        "/type",
        "/status",
        "/amount/currency",
        "/amount/amount",
        "/confirmedAmount/currency",
        "/confirmedAmount/amount",
        "/startTime",
        "/lastUpdateTime",
    ];
    let more = as_signed(document, "/moreOrderResultsAvailable")?;
    let (mut short, mut long) = (vec![more.clone()], vec![more]);
    for order in orders(document) {
        let fields = joined(order, &ORDER)?;
        short.push(fields.clone());
        long.push(fields);
        let transactions = order.get("transactions").and_then(Value::as_array);
        for transaction in transactions.into_iter().flatten() {
            let confirmed = transaction.get("confirmedAmount").is_some_and(Value::is_object);
            let fields: Vec<&str> = TRANSACTION
                .into_iter()
                .filter(|field| confirmed || !field.starts_with("/confirmedAmount"))
                .collect();
            long.push(joined(transaction, &fields).unwrap_or_default());
        }
    }
    Some([short.join(","), long.join(",")])
}

/// Checks the address that a browser returned to, for somebody who wants to know; it proves no payment.
///
/// # Errors
/// Refused when it isn't signed with one of the endpoint's keys.
pub(crate) fn check_return(query: &str, endpoint: &Endpoint) -> Result<usize, Refused> {
    let fields: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let said = |name: &str| {
        fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
    };
    let (Some(order), Some(status)) = (said("order_id"), said("status")) else {
        return Err(malformed("has no order_id and status"));
    };
    check(said("signature"), &[format!("{order},{status}")], endpoint)
}

fn orders<'v, 'b>(document: &'v Value<'b>) -> impl Iterator<Item = &'v Value<'b>> {
    let listed = document.get("orderResults").and_then(Value::as_array);
    listed.into_iter().flatten()
}

fn read_back(endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> api::Ended<Step> {
    let token = subject.strip_prefix("statuses/").and_then(token);
    let token = token.ok_or_else(|| Step::Never("There is no token to ask with.".to_owned()))?;
    let mut events = Vec::new();
    for answer in answers {
        if matches!(answer.status, 401 | 403) {
            // The token is the notification's own and lives for minutes; another notification brings another.
            return Err(Step::Never(format!(
                "Rabo Smart Pay refuses the notification's token ({}): it has run out. The next notification brings these orders too.",
                answer.status
            )));
        }
        let document = api::document(answer, endpoint)?;
        check_statuses(&document, endpoint)
            .map_err(|refused| Step::Never(format!("The order statuses are not believed. {refused}")))?;
        for order in orders(&document) {
            let named = text(order, "/omnikassaOrderId").unwrap_or_default();
            events.push(api::event(reading(order), named));
        }
        if document.get("moreOrderResultsAvailable") != Some(&Value::Bool(true)) {
            return Ok(Step::Told(events));
        }
    }
    let base = api::base(endpoint, "https://betalen.rabobank.nl/omnikassa-api");
    let url = format!("{base}/order/server/api/v2/events/results/merchant.order.status.changed");
    Ok(api::get(url, vec![api::token(token)]))
}

fn reading(order: &Value) -> Result<PaymentNotification, String> {
    let status = match text(order, "/orderStatus").unwrap_or_default() {
        "COMPLETED" => PaymentStatus::Paid,
        "IN_PROGRESS" => PaymentStatus::Pending,
        "FAILURE" => PaymentStatus::Failed,
        "CANCELLED" => PaymentStatus::Cancelled,
        "EXPIRED" => PaymentStatus::Expired,
        _ => return Err("`orderStatus` is a word that isn't known here.".to_owned()),
    };
    let mut told = api::payment(id(order.get("omnikassaOrderId"), "`omnikassaOrderId`")?, status);
    let amount = if status == PaymentStatus::Paid {
        "/paidAmount"
    } else {
        "/totalAmount"
    };
    let amount = order.pointer(amount).unwrap_or(&Value::Null);
    told.amount = Some(minor_amount(
        amount.get("amount"),
        amount.get("currency"),
        "The order's amount",
    )?);
    told.reference = exact(text(order, "/merchantOrderId"));
    if status == PaymentStatus::Paid {
        told.paid_at = text(order, "/orderStatusDateTime").and_then(Timestamp::parse_rfc3339);
    }
    Ok(told)
}
