//! bunq: callbacks about one's own account (bunq's documentation, "Callbacks", and its libraries).
//!
//! - **Proof.** `X-Bunq-Server-Signature`: base64 of an RSA signature (PKCS #1 v1.5, SHA-256) over the raw
//!   body, with the server's key that bunq gives at installation (PEM, in `secrets`). Whether bunq signs
//!   callbacks at all is nowhere said: with a key in the settings an unsigned one is refused; without one
//!   a callback proves nothing, and the payment is read from bunq's API.
//! - **Read back.** `GET /v1/user/{user}/monetary-account/{account}/payment/{payment}`, with a session's
//!   token as `api_key` and the user's id as `api_user`.
//! - **Answer.** 200, empty; else five more tries, a minute apart.
//! - The event's id is the category and the payment. Money that went out is ignored. Times are UTC without
//!   saying so.
//!
//! The holder's name is `counterparty_alias.display_name`, believed of transfers from other banks
//! (`EBA_SCT`) and of iDEAL: between two accounts of bunq's a customer chooses what is displayed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentNotification, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::reread::{Answer, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, rsa_signer};
use crate::api;
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::refused::{Code, Refused};
use crate::signature::{self, sha256};
use crate::translation::{decimal, ignored, numeric_id, on_the_clock, payment, told, unreadable, within};

/// bunq; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bunq;

const HEADER: &str = "x-bunq-server-signature";

impl Provider for Bunq {
    fn name(&self) -> &'static str {
        "bunq"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[HEADER, "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Key::rsa(secret)
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::SecretsIfAny
    }

    fn lacks(&self, endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
        if endpoint.secrets() > 0 || (endpoint.has_api_key() && endpoint.api().user.is_some()) {
            return Vec::new();
        }
        vec![(
            "secrets",
            "is missing, and so is api_key or api_user: give the server's public key (PEM), or a session's token and the user's id to read payments with.",
        )]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let secrets = endpoint.secrets();
        if secrets == 0 {
            let document = document::read(request.body).unwrap_or_default();
            return match document.pointer("/NotificationUrl/object/Payment/id") {
                Some(_) => Ok(Authentic::unproven(request, "a callback of bunq's, unsigned")),
                None => Err(Refused::new(
                    Code::MalformedBody,
                    "The body isn't a callback of bunq's about a payment.",
                )),
            };
        }
        let given = signature::single(request.headers, HEADER, "X-Bunq-Server-Signature", "bunq")?;
        let given = STANDARD.decode(given).map_err(|_| {
            Refused::new(
                Code::MalformedSignature,
                "X-Bunq-Server-Signature isn't base64. This isn't bunq, or a proxy rewrote the header.",
            )
        })?;
        let number = rsa_signer(endpoint, None, request.body, &given)
            .ok_or_else(|| signature::mismatch(secrets, "X-Bunq-Server-Signature"))?;
        Ok(Authentic::whole_message(
            request,
            format!("bunq's signature over the whole body (RSA-SHA-256), key {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, endpoint: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let document = match document::read(body) {
            Ok(document) => document,
            Err(why) => return vec![unreadable(body, why)],
        };
        let notice = document.get("NotificationUrl").unwrap_or(&Value::Null);
        let category = text(notice, "/category").unwrap_or_default();
        let object = notice.pointer("/object/Payment").unwrap_or(&Value::Null);
        let Ok(number) = numeric_id(object.get("id"), "`Payment.id`") else {
            let why = "a callback about something else than a payment";
            return vec![crate::translation::event_of(
                body,
                &crate::translation::unreadable_id("body", sha256(body)),
                ignored(category, why),
            )];
        };
        let proven = authentic.proof() != Proof::Nothing;
        let reading = match of_payment(object, number.clone(), authentic.proof()) {
            _ if !proven => ignored(category, "unsigned; bunq's API says what there is to know"),
            Ok(Some(told)) => Ok(Told::Payment(Box::new(told))),
            Ok(None) => ignored(category, "money that went out"),
            Err(why) => Err(why),
        };
        let account = numeric_id(object.get("monetary_account_id"), "`monetary_account_id`").ok();
        let reread = account.filter(|_| !proven && endpoint.has_api_key());
        let event_id = format!("{}:{number}", crate::translation::kept(category, 40));
        vec![Event {
            // What an unsigned one says doesn't count, so that it can't contradict a genuine one either.
            digest: if proven {
                sha256(body)
            } else {
                sha256(event_id.as_bytes())
            },
            event_id,
            told: told(reading),
            reread: reread.map(|account| format!("payment/{account}/{number}")),
        }]
    }

    fn read_back(&self, endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> Step {
        api::step(read_back(endpoint, subject, answers))
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "id")
    }
}

fn read_back(endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> api::Ended<Step> {
    let (_, ids) = api::subject(subject)?;
    let [account, number] = ids.as_slice() else {
        return Err(Step::Never("A payment at bunq is read by account and id.".to_owned()));
    };
    let Some(answer) = answers.first() else {
        let base = api::base(endpoint, "https://api.bunq.com");
        let user = api::plain(api::user(endpoint)?)
            .ok_or_else(|| Step::Later(format!("webhooks.{}.api_user isn't a user's id.", endpoint.name())))?;
        let url = format!("{base}/v1/user/{user}/monetary-account/{account}/payment/{number}");
        let token = ("x-bunq-client-authentication", api::key(endpoint)?.to_owned());
        return Ok(api::get(url, vec![token]));
    };
    let document = api::document(answer, endpoint)?;
    let object = document.pointer("/Response/0/Payment").unwrap_or(&Value::Null);
    let found = numeric_id(object.get("id"), "`Payment.id`").ok();
    api::about(found.as_deref(), number)?;
    Ok(Step::Told(
        match of_payment(object, (*number).to_owned(), Proof::ReadBack) {
            Ok(Some(told)) => vec![api::event(Ok(told), number)],
            Ok(None) => Vec::new(),
            Err(why) => vec![api::event(Err(why), number)],
        },
    ))
}

/// A payment of bunq's; `None` when money went out.
fn of_payment(object: &Value, number: String, proof: Proof) -> Result<Option<PaymentNotification>, String> {
    let value = text(object, "/amount/value");
    if value.is_some_and(|value| value.starts_with('-')) {
        return Ok(None);
    }
    let mut told = payment(number, PaymentStatus::Paid, proof);
    told.amount = Some(decimal(value, text(object, "/amount/currency"), "`amount`")?);
    told.holder = text(object, "/counterparty_alias/display_name").and_then(HolderName::parse);
    told.account_number = text(object, "/counterparty_alias/iban").and_then(AccountNumber::iban);
    if told.holder.is_some() && !matches!(text(object, "/type"), Some("EBA_SCT" | "IDEAL")) {
        told.proof = Proof::SomeFields;
    }
    told.reference = within(text(object, "/description"));
    told.paid_at = on_the_clock(text(object, "/created"), chrono_tz::UTC);
    Ok(Some(told))
}
