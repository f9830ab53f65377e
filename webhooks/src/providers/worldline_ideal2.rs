//! iDEAL 2.0 straight from the acquiring bank, by Worldline's Open Banking Service (its documentation,
//! "Notification API for iDEAL 2.0").
//!
//! - **Proof.** `Signature: keyId="…",algorithm="rsa-sha256",headers="…",signature="…"` over the headers
//!   listed, each `name: value` on a line of its own (RSA PKCS #1 v1.5, SHA-256), and `Digest: SHA-256=…`
//!   over the body. `digest` and `messagecreatedatetime` must be among those listed, in any order; the
//!   algorithm's label chooses nothing. The settings hold the bank's certificate or public key in PEM, in
//!   `secrets`, or in `keys` by the SHA-1 fingerprint that `keyId` names. The time may be five minutes off.
//! - **Answer.** 200, empty.
//! - **The reference.** The message has none. Start the activation with the bank's `PaymentId` as its
//!   reference; or give the bank an address that ends in `?reference=…`. That part of the address is not
//!   signed, so it counts only where Basic auth also proves the sender; without, such a payment goes to
//!   review.
//! - The event's id is `PaymentId` and status.
//!
//! | `PaymentStatus` | what it is here |
//! |---|---|
//! | `SettlementCompleted` | paid, with name and IBAN as the payer's bank gave them |
//! | `Open`, `Authorised`, `SettlementInProcess`, `Pending` | pending |
//! | `Cancelled`, `Expired` | cancelled, expired |
//! | `Error`, `Rejected` | failed |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use http::HeaderMap;

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, rsa_signer, unknown_key};
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::{self, Hash};
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{Reading, decimal, event_of, exact, id, payment, unreadable, within};

/// iDEAL 2.0 from the bank; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorldlineIdeal2;

const SENDER: &str = "the bank";

impl Provider for WorldlineIdeal2 {
    fn name(&self) -> &'static str {
        "worldline_ideal2"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[
            "signature",
            "digest",
            "messagecreatedatetime",
            "x-request-id",
            "content-type",
        ]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Key::rsa(secret)
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
        let sender_known = endpoint.check_basic_auth(request.headers)?;
        let headers = request.headers;
        let written = signature::single(headers, "signature", "Signature", SENDER)?;
        let digest = signature::single(headers, "digest", "Digest", SENDER)?;
        let created = signature::single(headers, "messagecreatedatetime", "MessageCreateDateTime", SENDER)?;
        let parameter = |name| {
            parameter(&written, name)
                .ok_or_else(|| malformed("Signature lacks one of keyId, algorithm, headers and signature"))
        };
        if !parameter("algorithm")?.eq_ignore_ascii_case("rsa-sha256") {
            return Err(malformed("Signature names another algorithm than rsa-sha256"));
        }
        let listed = parameter("headers")?;
        let names: Vec<&str> = listed.split_ascii_whitespace().collect();
        if !["digest", "messagecreatedatetime"]
            .iter()
            .all(|must| names.contains(must))
            || names.len() > 16
        {
            return Err(malformed("Signature doesn't cover digest and messagecreatedatetime"));
        }
        let text = signed_text(headers, &names)?;
        let given = STANDARD.decode(parameter("signature")?);
        let given = given.map_err(|_| malformed("the signature in Signature isn't base64"))?;
        let key_id = parameter("keyId")?;
        if !endpoint
            .keys()
            .iter()
            .any(|key| key.id().is_none_or(|known| known.eq_ignore_ascii_case(key_id)))
        {
            return Err(unknown_key(endpoint, key_id));
        }
        let number = rsa_signer(endpoint, Some(key_id), text.as_bytes(), &given)
            .ok_or_else(|| signature::mismatch(endpoint.secrets(), "Signature"))?;
        let sum = digest
            .strip_prefix("SHA-256=")
            .and_then(|sum| STANDARD.decode(sum).ok());
        if !sum.is_some_and(|sum| hash::same(&sum, &Hash::Sha256.sum(request.body))) {
            return Err(Refused::new(
                Code::SignatureMismatch,
                "Digest, which is rightly signed, is of another body. A proxy rewrote the body, or a forgery.",
            ));
        }
        let signed_at = Timestamp::parse_rfc3339(&created);
        let signed_at = signed_at.ok_or_else(|| malformed("MessageCreateDateTime isn't a time"))?;
        signature::check_time(signed_at.unix_seconds(), now, endpoint.tolerance())?;
        let secrets = endpoint.secrets();
        let mut authentic = Authentic::whole_message(
            request,
            format!("the bank's signature over time and digest of the body (RSA-SHA-256), key {number} of {secrets}"),
        );
        if in_address(request.url).is_some() {
            authentic.proof = if sender_known {
                Proof::WholeRequest
            } else {
                Proof::SomeFields
            };
        }
        Ok(authentic)
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let request = authentic.request();
        let body = request.body;
        let created = request
            .headers
            .get("messagecreatedatetime")
            .and_then(|value| value.to_str().ok());
        vec![match said(body) {
            Ok((event_id, told)) => event_of(body, &event_id, reading(&told, request.url, created, authentic.proof())),
            Err(why) => unreadable(body, why),
        }]
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn advice(&self, endpoint: &Endpoint) -> Vec<String> {
        if endpoint.asks_basic_auth() {
            return Vec::new();
        }
        vec![format!(
            "webhooks.{}: messages of iDEAL 2.0 carry no reference. Start activations with the bank's PaymentId as reference; a reference in the address isn't signed, and without username and password such payments go to review.",
            endpoint.name()
        )]
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "PaymentId")
    }
}

fn malformed(what: &str) -> Refused {
    Refused::new(
        Code::MalformedSignature,
        format!("{what}. This isn't the bank, or a proxy rewrote the header."),
    )
}

/// `name="value"` in a list with commas.
fn parameter<'h>(written: &'h str, name: &str) -> Option<&'h str> {
    let mut found = written.split("\",").filter_map(|part| {
        let (key, value) = part.trim().split_once("=\"")?;
        (key == name).then(|| value.trim_end_matches('"'))
    });
    // What is said twice says nothing.
    found.next().filter(|_| found.next().is_none())
}

fn signed_text(headers: &HeaderMap, names: &[&str]) -> Result<String, Refused> {
    let mut lines = Vec::new();
    for name in names {
        let mut values = headers.get_all(*name).iter();
        let value = values.next().and_then(|value| value.to_str().ok());
        match (value, values.next()) {
            (Some(value), None) => lines.push(format!("{}: {value}", name.to_ascii_lowercase())),
            _ => {
                return Err(malformed(
                    "Signature covers a header that isn't there, or is there twice",
                ));
            }
        }
    }
    Ok(lines.join("\n"))
}

fn said(body: &[u8]) -> Result<(String, Value<'_>), String> {
    let document = document::read(body)?;
    let common = document.get("CommonPaymentData").cloned().unwrap_or_default();
    let payment = id(common.get("PaymentId"), "`PaymentId`")?;
    let status = text(&common, "/PaymentStatus").ok_or("It has no `PaymentStatus`.")?;
    let event_id = id(
        Some(&format!("{payment}:{status}").into()),
        "The event's id (payment, status)",
    )?;
    Ok((event_id, common))
}

/// The reference in the address that the bank was given.
fn in_address(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "reference")?;
    Some(value.into_owned()).filter(|value| !value.is_empty())
}

fn reading(common: &Value, url: &str, created: Option<&str>, proof: Proof) -> Reading {
    let status = match text(common, "/PaymentStatus").unwrap_or_default() {
        "SettlementCompleted" => PaymentStatus::Paid,
        "Open" | "Authorised" | "SettlementInProcess" | "Pending" => PaymentStatus::Pending,
        "Cancelled" => PaymentStatus::Cancelled,
        "Expired" => PaymentStatus::Expired,
        "Error" | "Rejected" => PaymentStatus::Failed,
        _ => return Err("`PaymentStatus` is a word that isn't known here.".to_owned()),
    };
    let payment_id = id(common.get("PaymentId"), "`PaymentId`")?;
    // The bank's own id ties a payment whose activation was started with it.
    let reference = exact(in_address(url).as_deref()).or_else(|| within(Some(&payment_id)));
    let mut told = payment(payment_id, status, proof);
    told.reference = reference;
    // iDEAL knows euros alone.
    told.amount = Some(decimal(
        text(common, "/GuaranteedAmount"),
        Some("EUR"),
        "`GuaranteedAmount`",
    )?);
    told.holder = text(common, "/DebtorInformation/Name").and_then(HolderName::parse);
    told.account_number = text(common, "/DebtorInformation/Account/Identification").and_then(AccountNumber::iban);
    if status == PaymentStatus::Paid {
        told.paid_at = created.and_then(Timestamp::parse_rfc3339);
    }
    Ok(Told::Payment(Box::new(told)))
}
