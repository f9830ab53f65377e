//! Buckaroo's JSON pushes.
//!
//! `Authorization: hmac <website key>:<signature>:<nonce>:<unix seconds>` (the word may be absent). The
//! signature is base64 of HMAC-SHA-256 over website key, method, address, seconds, nonce and the base64 of
//! the body's MD5, one after the other; the address without its scheme, percent-encoded and in lower case.
//! Stricter than Buckaroo's libraries, which look at neither: the website key must be ours, and the time
//! may be ten minutes off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Push;
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::Hash;
use crate::providers::{Request, shared_keys};
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{id, within_reason};

/// Seconds; our own rule, Buckaroo's libraries have none.
const TOLERANCE: u64 = 600;

/// What stays as it is in an address that is percent-encoded as a whole.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How it was proven, in words.
pub(super) fn check(request: &Request<'_>, endpoint: &Endpoint, now: Timestamp) -> Result<String, Refused> {
    let header = signature::single(request.headers, "authorization", "Authorization", "Buckaroo")?;
    let header = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("hmac"))
        .map_or(header.as_str(), |(_, rest)| rest.trim_start());
    let parts: Vec<&str> = header.split(':').collect();
    let [site, code, nonce, seconds] = parts.as_slice() else {
        return Err(malformed("it isn't four parts with colons between"));
    };
    let signed_at =
        signature::unix_seconds(seconds).ok_or_else(|| malformed("its time isn't whole seconds in digits"))?;
    let code = STANDARD
        .decode(code)
        .map_err(|_| malformed("its signature isn't base64"))?;
    let (Some(account), Some(url)) = (endpoint.named_account(), endpoint.url()) else {
        let name = endpoint.name();
        return Err(Refused::new(
            Code::UnknownSecret,
            format!(
                "It is a JSON push, which is signed over address and website key: set webhooks.{name}.url and webhooks.{name}.account."
            ),
        ));
    };
    if *site != account {
        return Err(Refused::new(
            Code::WrongAccount,
            format!(
                "It is signed for another website than webhooks.{}.account, the website key.",
                endpoint.name()
            ),
        ));
    }
    let signed = signed(site, request.method, url, seconds, nonce, request.body);
    let secrets = endpoint.secrets();
    let number = Hash::Sha256
        .made_by(shared_keys(endpoint), &[signed.as_bytes()], &code)
        .ok_or_else(|| {
            Refused::new(
                Code::SignatureMismatch,
                format!(
                    "None of the endpoint's {secrets} secret(s) made the signature in Authorization. Usual causes: webhooks.{}.url isn't the push address exactly as at Buckaroo, query included; another website's secret; a proxy that rewrites the body; or a forgery.",
                    endpoint.name()
                ),
            )
        })?;
    signature::check_time(signed_at, now, endpoint.tolerance_or(TOLERANCE))?;
    Ok(format!(
        "Buckaroo's signature over address, time and body (HMAC-SHA-256 of its MD5), secret {number} of {secrets}"
    ))
}

/// The text that is signed.
pub(crate) fn signed(site: &str, method: &str, url: &str, seconds: &str, nonce: &str, body: &[u8]) -> String {
    let address = url.split_once("://").map_or(url, |(_, rest)| rest);
    let address = utf8_percent_encode(address, KEPT).to_string().to_lowercase();
    let sum = if body.is_empty() {
        String::new()
    } else {
        STANDARD.encode(Md5::digest(body))
    };
    [site, method, &address, seconds, nonce, &sum].concat()
}

fn malformed(what: &str) -> Refused {
    Refused::new(
        Code::MalformedSignature,
        format!(
            "Authorization isn't written as Buckaroo writes it: {what}. This isn't Buckaroo, or a proxy rewrote the header."
        ),
    )
}

/// The digits of the amounts, which are JSON numbers: a floating-point number is never made of them.
#[derive(Deserialize)]
struct Amounts<'b> {
    #[serde(rename = "Transaction", borrow)]
    transaction: Digits<'b>,
}

#[derive(Deserialize)]
struct Digits<'b> {
    #[serde(rename = "AmountDebit", borrow)]
    debit: Option<&'b RawValue>,
    #[serde(rename = "AmountCredit", borrow)]
    credit: Option<&'b RawValue>,
}

/// Reads a proven push.
pub(super) fn read(body: &[u8]) -> Result<Push, String> {
    let document = document::read(body)?;
    let transaction = document.get("Transaction").ok_or("It has no `Transaction`.")?;
    let related = transaction.get("RelatedTransactions").and_then(Value::as_array);
    let takes_back = related.into_iter().flatten().find_map(|related| {
        let by_bank = match text(related, "/RelationType")? {
            kind if kind.eq_ignore_ascii_case("refund") => false,
            kind if kind.eq_ignore_ascii_case("reversal") => true,
            _ => return None,
        };
        Some((text(related, "/RelatedTransactionKey")?.to_owned(), by_bank))
    });
    let services = transaction.get("Services").and_then(Value::as_array);
    let parameters: Vec<(&str, &str)> = services
        .into_iter()
        .flatten()
        .filter_map(|service| service.get("Parameters")?.as_array())
        .flatten()
        .filter_map(|parameter| Some((text(parameter, "/Name")?, text(parameter, "/Value")?)))
        .collect();
    let parameter = |names: [&str; 2]| {
        let named = |(name, _): &&(&str, &str)| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        parameters.iter().find(named).map(|(_, value)| (*value).to_owned())
    };
    let code = transaction.pointer("/Status/Code/Code").and_then(Value::as_u64);
    Ok(Push {
        key: id(transaction.get("Key"), "`Transaction.Key`")?,
        code: code.ok_or("`Status.Code.Code` isn't a number.")?,
        at: text(transaction, "/Status/DateTime").map(str::to_owned),
        takes_back,
        amount: amount(body, text(transaction, "/Currency").unwrap_or_default()),
        method: text(transaction, "/ServiceCode").map(str::to_owned),
        name: parameter(["consumerName", "customerAccountName"]),
        iban: parameter(["consumerIBAN", "customerIBAN"]),
        reference: text(transaction, "/Invoice")
            .or_else(|| text(transaction, "/Order"))
            .map(str::to_owned),
        test: transaction.get("IsTest").and_then(Value::as_bool),
    })
}

fn amount(body: &[u8], currency: &str) -> Result<Option<Money>, String> {
    let wrong = || "The amount isn't a decimal number and a currency.".to_owned();
    let Digits { debit, credit } = serde_json::from_slice::<Amounts<'_>>(body)
        .map_err(|_| wrong())?
        .transaction;
    let Some(digits) = debit.or(credit) else {
        return Ok(None);
    };
    let money = Money::parse(digits.get(), currency).map_err(|_| wrong())?;
    within_reason(money, "The amount").map(Some)
}
