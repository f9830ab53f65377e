//! Ponto, by Isabel Group (Ibanity's documentation, "Webhooks", and its libraries).
//!
//! - **Proof.** `Signature`: a JSON Web Token, RS512 and nothing else, with one of the keys that Ibanity
//!   publishes (`jwks_url`, `https://api.ibanity.com/webhooks/keys`). Its claims are checked: `digest` is
//!   base64 of the body's SHA-512, `aud` the application (`account`), `iss` Ibanity (`issuer`), `exp` and
//!   `iat` within thirty seconds of now.
//! - **Read back.** Messages only say that there are transactions: those of the account are read, a hundred
//!   a page, newest first, three pages at most: `POST /ponto-connect/oauth2/token` with `api_user` (client
//!   id) and `api_key` (client secret), `GET /ponto-connect/accounts/{id}/transactions`. Ibanity's live API
//!   asks for a client certificate as well: point `api_url` at a proxy that has it.
//! - **Answer.** 200, empty.
//! - Amounts are JSON numbers, and are read from their digits. The time is that of execution, a day.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, PaymentNotification, PaymentStatus};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::reread::{Answer, Step};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed};
use crate::api;
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::{self, Hash};
use crate::jws::Token;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{event_of, id, ignored, unreadable, within, within_reason};

/// Ponto; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ponto;

const ISSUER: &str = "https://api.ibanity.com";

/// Seconds that clocks may differ, as Ibanity's library has it.
const SKEW: u64 = 30;

/// Pages of a hundred transactions that are read at one announcement.
const MOST_PAGES: usize = 3;

impl Provider for Ponto {
    fn name(&self) -> &'static str {
        "ponto"
    }

    fn headers(&self) -> &'static [&'static str] {
        &["signature", "content-type"]
    }

    fn key(&self, _: &str) -> Result<Key, &'static str> {
        Err("has no use: Ibanity signs with keys that it publishes")
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::PublishedKeys
    }

    fn lacks(&self, endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
        let mut lacks = Vec::new();
        if endpoint.named_account().is_none() {
            lacks.push((
                "account",
                "is missing: the id of your application at Ibanity, which every message is signed for.",
            ));
        }
        if !endpoint.has_api_key() || endpoint.api().user.is_none() {
            lacks.push((
                "api_key",
                "is missing, or api_user: Ponto's messages say no payment, so transactions have to be read with client id (api_user) and client secret (api_key).",
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
        endpoint.check_basic_auth(request.headers)?;
        let header = signature::single(request.headers, "signature", "Signature", "Ibanity")?;
        let malformed = |what: &str| {
            Refused::new(
                Code::MalformedSignature,
                format!("Signature {what}. This isn't Ibanity, or a proxy rewrote the header."),
            )
        };
        let token = Token::parse(&header).ok_or_else(|| malformed("isn't a JSON Web Token"))?;
        super::verify_token(&token, endpoint, &[Algorithm::RS512], None, "Signature")?;
        let payload = token.payload().unwrap_or_default();
        let claims = document::read(&payload).ok();
        let claims = claims.ok_or_else(|| malformed("carries no claims"))?;
        let digest = text(&claims, "/digest").and_then(|digest| STANDARD.decode(digest).ok());
        if !digest.is_some_and(|digest| hash::same(&digest, &Hash::Sha512.sum(request.body))) {
            return Err(Refused::new(
                Code::SignatureMismatch,
                "The digest that is rightly signed is of another body. A proxy rewrote the body, or a forgery.",
            ));
        }
        let audience = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            one => one.and_then(Value::as_str).into_iter().collect::<Vec<_>>(),
        };
        let issuer = endpoint.issuer().unwrap_or(ISSUER);
        if !endpoint
            .named_account()
            .is_some_and(|account| audience.contains(&account))
            || text(&claims, "/iss") != Some(issuer)
        {
            return Err(Refused::new(
                Code::WrongAccount,
                format!(
                    "Rightly signed, but for another application than webhooks.{}.account, or by another issuer than {issuer}.",
                    endpoint.name()
                ),
            ));
        }
        let seconds = |name| claims.get(name).and_then(Value::as_i64);
        let (Some(issued), Some(expires)) = (seconds("iat"), seconds("exp")) else {
            return Err(malformed("doesn't say when it was issued and expires"));
        };
        let skew = endpoint.tolerance_or(SKEW);
        let allowed = i64::try_from(skew.as_secs()).unwrap_or(i64::MAX);
        if now.unix_seconds() > expires.saturating_add(allowed) {
            signature::check_time(expires, now, skew)?;
        }
        if issued > now.unix_seconds().saturating_add(allowed) {
            signature::check_time(issued, now, skew)?;
        }
        Ok(Authentic::whole_message(
            request,
            "Ibanity's token over the digest of the whole body (RS512), with a key that it publishes".to_owned(),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let read = document::read(body)
            .and_then(|document| Ok((id(document.pointer("/data/id"), "The event's `data.id`")?, document)));
        let (event_id, document) = match read {
            Ok(read) => read,
            Err(why) => return vec![unreadable(body, why)],
        };
        let kind = text(&document, "/data/type").unwrap_or_default();
        let account = text(&document, "/data/relationships/account/data/id").and_then(api::plain);
        let announced = kind.contains("account.transactions") || kind.contains("synchronization.succeeded");
        let why = match (announced, account) {
            (true, Some(_)) => "announces transactions, which are read",
            _ => "announces no transactions",
        };
        let mut event = event_of(body, &event_id, ignored(kind, why));
        event.reread = account
            .filter(|_| announced)
            .map(|account| format!("transactions/{account}"));
        vec![event]
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
    let account = ids.first().copied().unwrap_or_default();
    let base = api::base(endpoint, ISSUER);
    let Some((granted, pages)) = answers.split_first() else {
        let headers = vec![
            api::basic(endpoint)?,
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let body = b"grant_type=client_credentials".to_vec();
        return Ok(api::post(format!("{base}/ponto-connect/oauth2/token"), headers, body));
    };
    let granted = api::document(granted, endpoint)?;
    let token =
        text(&granted, "/access_token").ok_or_else(|| Step::Later("Ponto's API granted no token.".to_owned()))?;
    let headers = || vec![api::token(token), ("accept", "application/vnd.api+json".to_owned())];
    let first = format!("{base}/ponto-connect/accounts/{account}/transactions");
    let mut next = Some(format!("{first}?page[limit]=100"));
    let mut events = Vec::new();
    for page in pages {
        let body = api::answered(page, endpoint)?;
        events.extend(transactions(body).map_err(Step::Later)?);
        let document = api::document(page, endpoint)?;
        // A link leads to the next page of the same list, or nowhere.
        next = text(&document, "/links/next")
            .filter(|link| link.strip_prefix(&first).is_some_and(|rest| rest.starts_with('?')))
            .map(str::to_owned);
    }
    match next {
        Some(url) if pages.len() < MOST_PAGES => Ok(api::get(url, headers())),
        _ => Ok(Step::Told(events)),
    }
}

/// One transaction, or a list of them, with amounts as digits.
#[derive(Deserialize)]
struct Page<'b> {
    #[serde(borrow)]
    data: Vec<Listed<'b>>,
}

#[derive(Deserialize)]
struct Listed<'b> {
    id: String,
    #[serde(borrow)]
    attributes: Attributes<'b>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes<'b> {
    #[serde(borrow)]
    amount: &'b RawValue,
    currency: String,
    counterpart_name: Option<String>,
    counterpart_reference: Option<String>,
    remittance_information: Option<String>,
    execution_date: Option<String>,
    value_date: Option<String>,
}

fn transactions(body: &[u8]) -> Result<Vec<Event>, String> {
    let page: Page<'_> = serde_json::from_slice(body)
        .map_err(|_| "The answer of Ponto's API isn't a list of transactions.".to_owned())?;
    let received = page
        .data
        .iter()
        .filter(|it| !it.attributes.amount.get().starts_with('-'));
    Ok(received.map(|it| api::event(reading(it), &it.id)).collect())
}

fn reading(listed: &Listed<'_>) -> Result<PaymentNotification, String> {
    let said = &listed.attributes;
    let number = id(Some(&Value::from(listed.id.as_str())), "The transaction's `id`")?;
    let mut told = api::payment(number, PaymentStatus::Paid);
    let amount = Money::parse(said.amount.get(), &said.currency);
    let amount = amount.map_err(|_| "The transaction's amount isn't a decimal number and a currency.".to_owned())?;
    told.amount = Some(within_reason(amount, "The transaction's amount")?);
    told.holder = said.counterpart_name.as_deref().and_then(HolderName::parse);
    told.account_number = said.counterpart_reference.as_deref().and_then(AccountNumber::iban);
    told.reference = within(said.remittance_information.as_deref());
    let date = said.execution_date.as_deref().or(said.value_date.as_deref());
    told.paid_at = date.and_then(Timestamp::parse_rfc3339);
    Ok(told)
}
