//! Tink: webhooks about accounts that its customers have connected (Tink's documentation, "Webhook signature
//! validation", "Transactions").
//!
//! - **Proof.** `X-Tink-Signature: t=<unix seconds>,v1=<hex>`, as `timed` has it.
//! - **Read back.** Messages carry no transactions: those of the account are read from the earliest day that
//!   changed, with `api_user` (client id) and `api_key` (client secret). That is four questions: a token
//!   for the client, a code for the user, a token for the user, and the list, in at most three pages.
//! - **Answer.** 200, empty. There is no event id: it is made of the body.
//!
//! Only `BOOKED` transactions above nothing count. An amount is an unscaled number and a scale, both text.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, PaymentNotification, PaymentStatus};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::reread::{Answer, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request};
use crate::api;
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::refused::Refused;
use crate::signature::sha256;
use crate::timed::Timed;
use crate::translation::{event_of, id, ignored, unreadable, unreadable_id, within, within_reason};

/// Tink; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tink;

const SIGNATURE: Timed = Timed {
    header: "x-tink-signature",
    shown: "X-Tink-Signature",
    sender: "Tink",
};

/// Pages of a hundred transactions that are read at one message.
const MOST_PAGES: usize = 3;

impl Provider for Tink {
    fn name(&self) -> &'static str {
        "tink"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[SIGNATURE.header, "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Ok(Key::shared(secret))
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn lacks(&self, endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
        if endpoint.has_api_key() && endpoint.api().user.is_some() {
            return Vec::new();
        }
        vec![(
            "api_key",
            "is missing, or api_user: Tink's messages carry no transactions, so they have to be read with client id (api_user) and client secret (api_key).",
        )]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let number = SIGNATURE.check(request, endpoint, now)?;
        let secrets = endpoint.secrets();
        Ok(Authentic::whole_message(
            request,
            format!("Tink's signature over time and body (HMAC-SHA-256, v1), secret {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let document = match document::read(body) {
            Ok(document) => document,
            Err(why) => return vec![unreadable(body, why)],
        };
        let kind = text(&document, "/event").unwrap_or_default();
        let event_id = unreadable_id("body", sha256(body));
        let reread = subject(&document);
        let why = match (kind, &reread) {
            ("account-transactions:modified" | "account-booked-transactions:modified", Some(_)) => {
                "announces transactions, which are read"
            }
            ("account-transactions:modified" | "account-booked-transactions:modified", None) => {
                let why = "It doesn't say which account of which user has transactions.";
                return vec![event_of(body, &event_id, Err(why.to_owned()))];
            }
            _ => return vec![event_of(body, &event_id, ignored(kind, "announces no transactions"))],
        };
        let mut event = event_of(body, &event_id, ignored(kind, why));
        event.reread = reread;
        vec![event]
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

/// `transactions/<user>/<account>/<first day>`.
fn subject(document: &Value) -> Option<String> {
    let user = api::plain(text(document, "/context/userId")?)?;
    let account = text(document, "/content/account/id").or_else(|| text(document, "/content/accountId"))?;
    let account = api::plain(account)?;
    let day = text(document, "/content/transactions/earliestModifiedBookedDate")
        .or_else(|| text(document, "/content/transactions/earliestModifiedDate"))
        .and_then(api::plain)?;
    Some(format!("transactions/{user}/{account}/{day}"))
}

fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(pairs);
    body.finish().into_bytes()
}

fn read_back(endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> api::Ended<Step> {
    let (_, ids) = api::subject(subject)?;
    let [user, account, day] = ids.as_slice() else {
        return Err(Step::Never(
            "Transactions at Tink are read by user, account and day.".to_owned(),
        ));
    };
    let base = api::base(endpoint, "https://api.tink.com");
    let (client, secret) = (api::user(endpoint)?, api::key(endpoint)?);
    let posted = ("content-type", "application/x-www-form-urlencoded".to_owned());
    let token_url = format!("{base}/api/v1/oauth/token");
    let granted = |answer: &Answer, name: &str| -> api::Ended<String> {
        let document = api::document(answer, endpoint)?;
        let found = text(&document, name).map(str::to_owned);
        found.ok_or_else(|| Step::Later("Tink's API granted nothing.".to_owned()))
    };
    let of_client = [("client_id", client), ("client_secret", secret)];
    let Some(answer) = answers.first() else {
        let asked = [("grant_type", "client_credentials"), ("scope", "authorization:grant")];
        return Ok(api::post(
            token_url,
            vec![posted],
            form(&[of_client.as_slice(), &asked].concat()),
        ));
    };
    let of_the_client = granted(answer, "/access_token")?;
    let Some(answer) = answers.get(1) else {
        let asked = form(&[("user_id", user), ("scope", "transactions:read,accounts:read")]);
        let url = format!("{base}/api/v1/oauth/authorization-grant");
        return Ok(api::post(url, vec![api::token(&of_the_client), posted], asked));
    };
    let code = granted(answer, "/code")?;
    let Some(answer) = answers.get(2) else {
        let asked = [("grant_type", "authorization_code"), ("code", code.as_str())];
        return Ok(api::post(
            token_url,
            vec![posted],
            form(&[of_client.as_slice(), &asked].concat()),
        ));
    };
    let of_the_user = granted(answer, "/access_token")?;
    let list = format!("{base}/data/v2/transactions?accountIdIn={account}&bookedDateGte={day}&pageSize=100");
    let pages = answers.get(3..).unwrap_or_default();
    let mut events = Vec::new();
    let mut next = Some(list.clone());
    for page in pages {
        let document = api::document(page, endpoint)?;
        let listed = document.get("transactions").and_then(Value::as_array);
        let listed =
            listed.ok_or_else(|| Step::Later("The answer of Tink's API isn't a list of transactions.".to_owned()))?;
        events.extend(listed.iter().filter_map(received));
        next = text(&document, "/nextPageToken")
            .and_then(api::plain)
            .map(|token| format!("{list}&pageToken={token}"));
    }
    match next {
        Some(url) if pages.len() < MOST_PAGES => Ok(api::get(url, vec![api::token(&of_the_user)])),
        _ => Ok(Step::Told(events)),
    }
}

/// A booked transaction that brought money.
fn received(listed: &Value) -> Option<Event> {
    let unscaled = text(listed, "/amount/value/unscaledValue").unwrap_or_default();
    let booked = text(listed, "/status").is_none_or(|status| status == "BOOKED");
    let number = text(listed, "/id").unwrap_or_default();
    (booked && !unscaled.starts_with('-')).then(|| api::event(reading(listed), number))
}

fn reading(listed: &Value) -> Result<PaymentNotification, String> {
    let mut told = api::payment(id(listed.get("id"), "The transaction's `id`")?, PaymentStatus::Paid);
    let amount = listed.get("amount").unwrap_or(&Value::Null);
    told.amount = Some(within_reason(scaled(amount)?, "The transaction's amount")?);
    told.holder = text(listed, "/counterparties/payer/name").and_then(HolderName::parse);
    told.account_number = text(
        listed,
        "/counterparties/payer/identifiers/financialInstitution/accountNumber",
    )
    .and_then(AccountNumber::iban);
    told.reference =
        within(text(listed, "/descriptions/detailed/unstructured").or_else(|| text(listed, "/descriptions/original")));
    told.paid_at = text(listed, "/bookedDateTime")
        .and_then(Timestamp::parse_rfc3339)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", text(listed, "/dates/booked")?)));
    Ok(told)
}

/// `{"value": {"unscaledValue": "1815", "scale": "2"}, "currencyCode": "EUR"}`.
fn scaled(amount: &Value) -> Result<Money, String> {
    let wrong = || "The transaction's amount isn't an unscaled number, a scale and a currency.".to_owned();
    let digits = text(amount, "/value/unscaledValue").ok_or_else(wrong)?;
    let scale: usize = text(amount, "/value/scale")
        .and_then(|scale| scale.parse().ok())
        .ok_or_else(wrong)?;
    let currency = text(amount, "/currencyCode").ok_or_else(wrong)?;
    if scale > 10 || digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let written = if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    };
    Money::parse(&written, currency).map_err(|_| wrong())
}
