//! Buckaroo's form pushes.
//!
//! Signed are all fields whose names begin with `brq_`, `add_` or `cust_`, the signature itself left out:
//! values decoded, sorted by name without regard to case, each `name=value`, one after the other, then the
//! secret; and of that a plain hash. Buckaroo's documentation sorts symbols before digits before letters
//! and its libraries by byte, which differs where `_` meets a digit: both orders are tried. So are both
//! ways of taking a value that holds an HTML entity, on which Buckaroo's libraries disagree: as it is, and
//! decoded. Each needs the secret, so trying more than one lets nobody in.

use std::cmp::Ordering;

use eencent_activations::money::Money;

use super::Push;
use crate::endpoint::Endpoint;
use crate::hash::{self, Hash};
use crate::providers::shared_keys;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{id, within_reason};

/// Most fields of a push; honest ones have about thirty.
const MOST_FIELDS: usize = 300;

type Fields = Vec<(String, String)>;

fn fields(body: &[u8]) -> Result<Fields, &'static str> {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(body) {
        if fields.len() == MOST_FIELDS {
            return Err("has more fields than any push");
        }
        if fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            return Err("says a field twice");
        }
        fields.push((name.into_owned(), value.into_owned()));
    }
    Ok(fields)
}

fn get<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    let (_, value) = fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

/// How it was proven, in words.
pub(super) fn check(body: &[u8], endpoint: &Endpoint) -> Result<String, Refused> {
    let Some(algorithm) = endpoint.algorithm() else {
        return Err(Refused::new(
            Code::UnknownSecret,
            format!(
                "It is a form push, and webhooks.{}.algorithm isn't set: set it as the website's settings at Buckaroo say, or let Buckaroo push JSON.",
                endpoint.name()
            ),
        ));
    };
    let malformed = |what: &str| {
        Refused::new(
            Code::MalformedBody,
            format!("The form {what}. This isn't one of Buckaroo's pushes."),
        )
    };
    let fields = fields(body).map_err(malformed)?;
    let given = get(&fields, "brq_signature").ok_or_else(|| {
        Refused::new(
            Code::MissingSignature,
            "The form has no brq_signature. This isn't Buckaroo.",
        )
    })?;
    let shown = algorithm.shown();
    let given = algorithm.lower_hex(given).ok_or_else(|| {
        Refused::new(
            Code::MalformedSignature,
            format!(
                "brq_signature isn't lower-case hexadecimal of the length that {shown} gives. Compare webhooks.{}.algorithm with the website's settings at Buckaroo.",
                endpoint.name()
            ),
        )
    })?;
    let decoded: Fields = fields
        .iter()
        .map(|(name, value)| (name.clone(), without_entities(value)))
        .collect();
    let number = [by_bytes as Order, symbols_first]
        .into_iter()
        .flat_map(|order| [&fields, &decoded].map(|fields| text(fields, order)))
        .find_map(|text| signed_by(algorithm, endpoint, &text, &given))
        .ok_or_else(|| signature::mismatch(endpoint.secrets(), "brq_signature"))?;
    if let Some(account) = endpoint.named_account()
        && get(&fields, "brq_websitekey") != Some(account)
    {
        return Err(Refused::new(
            Code::WrongAccount,
            format!(
                "Rightly signed, but for another website than webhooks.{}.account, the website key.",
                endpoint.name()
            ),
        ));
    }
    let secrets = endpoint.secrets();
    Ok(format!(
        "Buckaroo's signature over all its fields ({shown}), secret {number} of {secrets}"
    ))
}

fn signed_by(algorithm: Hash, endpoint: &Endpoint, text: &str, given: &[u8]) -> Option<usize> {
    shared_keys(endpoint).find_map(|(number, key)| {
        let sum = algorithm.sum(&[text.as_bytes(), key].concat());
        hash::same(&sum, given).then_some(number)
    })
}

/// The characters that HTML entities stand for; `&amp;` last, so that nothing is decoded twice.
fn without_entities(value: &str) -> String {
    if !value.contains('&') {
        return value.to_owned();
    }
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(value.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

type Order = fn(&str, &str) -> Ordering;

/// As Buckaroo's libraries sort.
fn by_bytes(one: &str, other: &str) -> Ordering {
    one.cmp(other)
}

/// As Buckaroo's documentation sorts: symbols, digits, letters.
fn symbols_first(one: &str, other: &str) -> Ordering {
    let kind = |c: char| {
        if c.is_alphabetic() {
            2
        } else {
            u8::from(c.is_ascii_digit())
        }
    };
    let key = |text: &str| text.chars().map(|c| (kind(c), c)).collect::<Vec<_>>();
    key(one).cmp(&key(other))
}

/// What is signed, before the secret.
fn text(fields: &Fields, order: Order) -> String {
    let mut signed: Vec<(String, &(String, String))> = fields
        .iter()
        .map(|field| (field.0.to_lowercase(), field))
        .filter(|(name, _)| ["brq_", "add_", "cust_"].iter().any(|prefix| name.starts_with(prefix)))
        .filter(|(name, _)| name != "brq_signature")
        .collect();
    signed.sort_by(|(one, _), (other, _)| order(one, other));
    let mut text = String::new();
    for (_, (name, value)) in signed {
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// The signature that Buckaroo would give a form, in hexadecimal.
pub(crate) fn form_signature(algorithm: Hash, secret: &str, form: &str) -> String {
    let fields = fields(form.as_bytes()).unwrap_or_default();
    hex::encode(algorithm.sum(format!("{}{secret}", text(&fields, by_bytes)).as_bytes()))
}

/// Reads a proven push.
pub(super) fn read(body: &[u8]) -> Result<Push, String> {
    let fields = fields(body).map_err(|what| format!("The form {what}."))?;
    let said = |name: &str| get(&fields, name);
    // Several transactions are listed with commas; the last is the newest.
    let key = said("brq_transactions").and_then(|list| list.rsplit(',').next());
    let key = id(key.map(Into::into).as_ref(), "brq_transactions")?;
    let code = said("brq_statuscode").and_then(|code| code.parse().ok());
    let code = code.ok_or("brq_statuscode isn't a number.")?;
    let takes_back = [
        ("brq_relatedtransaction_refund", false),
        ("brq_relatedtransaction_reversal", true),
    ]
    .into_iter()
    .find_map(|(name, by_bank)| Some((said(name)?.to_owned(), by_bank)));
    // A field of a service is named after it: brq_SERVICE_ideal_consumerName.
    let of_service = |names: &[&str]| {
        fields
            .iter()
            .find(|(name, value)| {
                let name = name.to_ascii_lowercase();
                let field = name.strip_prefix("brq_service_").and_then(|rest| rest.split_once('_'));
                !value.is_empty() && field.is_some_and(|(_, field)| names.contains(&field))
            })
            .map(|(_, value)| value.clone())
    };
    let amount = match said("brq_amount").or_else(|| said("brq_amount_credit")) {
        None => Ok(None),
        Some(amount) => Money::parse(amount, said("brq_currency").unwrap_or_default())
            .map_err(|_| "brq_amount isn't an amount in decimal text.".to_owned())
            .and_then(|money| within_reason(money, "brq_amount").map(Some)),
    };
    Ok(Push {
        key,
        code,
        at: said("brq_timestamp").map(str::to_owned),
        takes_back,
        amount,
        method: said("brq_payment_method")
            .or_else(|| said("brq_transaction_method"))
            .map(str::to_owned),
        name: of_service(&["consumername", "customeraccountname", "accountname"]).map(|name| without_entities(&name)),
        iban: of_service(&["consumeriban", "customeriban", "iban"]),
        reference: said("brq_invoicenumber")
            .or_else(|| said("brq_ordernumber"))
            .or_else(|| said("add_activation_id"))
            .map(str::to_owned),
        test: said("brq_test").map(|test| test.eq_ignore_ascii_case("true")),
    })
}

/// The transaction that an unproven form claims to be about.
pub(super) fn claimed(body: &[u8]) -> Option<String> {
    let fields = fields(body.get(..body.len().min(8 * 1024))?).ok()?;
    crate::providers::claimed::plain(get(&fields, "brq_transactions")?)
}
