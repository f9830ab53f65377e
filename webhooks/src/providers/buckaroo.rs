//! Buckaroo: push messages, as a form or as JSON (Buckaroo's documentation, "Security" and "Push messages",
//! and its libraries). Which of the two is a setting of the website in Buckaroo's Plaza.
//!
//! - **Form**, see `form`: `brq_signature` over the fields. Which hash function is a setting of the website
//!   too; it is pinned by `algorithm`, and without it forms are refused, so that nobody can choose a weaker
//!   one for us.
//! - **JSON**, see `json`: `Authorization: hmac …` over website key, method, address, time, nonce and body.
//!   The address is signed as Buckaroo knows it, so the settings have to say it (`url`); the website key is
//!   `account`.
//! - **Answer.** 200, empty; else eleven more tries over three days.
//! - There is no event id: it is made of the transaction's key, the status code and its time.
//!
//! | status code | what it is here |
//! |---|---|
//! | 190 | paid; of a refund (a transaction that names the one it takes back) refunded, of a reversal charged back |
//! | 490, 491, 492, 690 | failed; of a refund, refund failed |
//! | 790 to 794 | pending |
//! | 890, 891 | cancelled |
//! | anything else | quarantined |
//!
//! A transfer of another amount than was asked arrives as a new, successful transaction with the same
//! invoice: amounts are compared where it is decided. The reference is the invoice number. Names are
//! believed of iDEAL and transfers alone. Times have no zone and are Dutch time.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, Mode, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed};
use crate::endpoint::Endpoint;
use crate::refused::Refused;
use crate::translation::{Reading, event_of, exact, ignored, on_the_clock, payment, unreadable};

mod form;
mod json;

pub(crate) use form::form_signature;
pub(crate) use json::signed;

/// Buckaroo; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Buckaroo;

impl Provider for Buckaroo {
    fn name(&self) -> &'static str {
        "buckaroo"
    }

    fn headers(&self) -> &'static [&'static str] {
        // JSON pushes are signed in `Authorization`, which is never kept.
        &["content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Ok(Key::shared(secret))
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn lacks(&self, endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
        let mut lacks = Vec::new();
        if endpoint.asks_basic_auth() {
            lacks.push((
                "username",
                "can't be used: Buckaroo signs in the header that Basic auth needs. Take username and password out.",
            ));
        }
        if endpoint.algorithm().is_none() && (endpoint.named_account().is_none() || endpoint.url().is_none()) {
            lacks.push((
                "url",
                "is missing, or account: for JSON pushes set url (the push address, exactly as at Buckaroo) and account (the website key); for form pushes set algorithm (sha1, sha256 or sha512, as the website's settings say).",
            ));
        }
        lacks
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        let proven_by = if is_form(request) {
            form::check(request.body, endpoint)?
        } else {
            json::check(request, endpoint, now)?
        };
        Ok(Authentic::whole_message(request, proven_by))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let request = authentic.request();
        let body = request.body;
        let read = if is_form(request) {
            form::read(body)
        } else {
            json::read(body)
        };
        vec![match read {
            Ok(push) => {
                let event_id = format!("{}:{}:{}", push.key, push.code, push.at.as_deref().unwrap_or_default());
                event_of(body, &event_id, push.reading(authentic.proof()))
            }
            Err(why) => unreadable(body, why),
        }]
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        if is_form(request) {
            return form::claimed(request.body);
        }
        claimed::in_body(request.body, "Key")
    }
}

/// Whether the push is a form: by what it is, not by what its header says.
fn is_form(request: &Request<'_>) -> bool {
    !request.body.trim_ascii_start().starts_with(b"{")
}

/// What either kind of push says.
struct Push {
    key: String,
    code: u64,
    at: Option<String>,
    /// The transaction that this one takes back, and whether the payer's bank did so.
    takes_back: Option<(String, bool)>,
    amount: Result<Option<Money>, String>,
    method: Option<String>,
    name: Option<String>,
    iban: Option<String>,
    reference: Option<String>,
    test: Option<bool>,
}

impl Push {
    fn reading(&self, proof: Proof) -> Reading {
        let taken_back = self.takes_back.as_ref();
        let status = match (self.code, taken_back) {
            (190, Some((_, true))) => PaymentStatus::ChargedBack,
            (190, Some(_)) => PaymentStatus::Refunded,
            (190, None) => PaymentStatus::Paid,
            (490..=492 | 690 | 890 | 891, Some(_)) => PaymentStatus::RefundFailed,
            (490..=492 | 690, None) => PaymentStatus::Failed,
            (790..=794, Some(_)) => return ignored("refund", "under way; another push tells when the money has moved"),
            (790..=794, None) => PaymentStatus::Pending,
            (890 | 891, None) => PaymentStatus::Cancelled,
            _ => return Err(format!("Status code {} is not known here.", self.code)),
        };
        let of = taken_back.map_or(&self.key, |(key, _)| key);
        let mut told = payment(of.clone(), status, proof);
        told.amount = self.amount.clone()?;
        told.holder = self.name.as_deref().and_then(HolderName::parse);
        told.account_number = self.iban.as_deref().and_then(AccountNumber::iban);
        let vouched = self.method.as_deref().is_some_and(|method| {
            ["ideal", "transfer"]
                .iter()
                .any(|known| method.eq_ignore_ascii_case(known))
        });
        if told.holder.is_some() && !vouched {
            told.proof = Proof::SomeFields;
        }
        told.reference = exact(self.reference.as_deref());
        if status == PaymentStatus::Paid {
            told.paid_at = on_the_clock(self.at.as_deref(), chrono_tz::Europe::Amsterdam);
        }
        told.mode = self.test.map(|test| if test { Mode::Test } else { Mode::Live });
        Ok(Told::Payment(Box::new(told)))
    }
}
