//! What all providers' translations share: kept text, ids, amounts, references, digests.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, Mode, PaymentNotification, PaymentStatus, Proof, ReferenceHint, Told};
use eencent_activations::personal::AccountNumber;

use crate::document::{Value, present, text};
use crate::signature::{Sum, sha256};

/// What a message says, or why it can't be read (it is then quarantined with that sentence).
pub(crate) type Reading = Result<Told, String>;

/// Longest id of an event or payment; the providers' own are under 64.
const MAX_ID: usize = 200;

/// Longest free text that is kept; remittance information has at most 140 characters.
const MAX_TEXT: usize = 1_000;

/// Largest amount that is believed, in minor units: 999,999,999.99, the most that one SEPA credit
/// transfer can carry (European Payments Council, rulebook of the SCT scheme).
const MAX_MINOR: i64 = 99_999_999_999;

/// Text as it is kept: NUL replaced, since PostgreSQL refuses it, and cut at `most` characters.
pub(crate) fn kept(text: &str, most: usize) -> String {
    let replaced = |c| if c == '\0' { '\u{FFFD}' } else { c };
    text.chars().take(most).map(replaced).collect()
}

/// An event's or payment's id: 1 to 200 characters, none of them white space or control.
pub(crate) fn id(value: Option<&Value>, what: &str) -> Result<String, String> {
    let text = value
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{what} is missing or isn't text."))?;
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    if text.is_empty() || text.len() > MAX_ID || !text.chars().all(plain) {
        return Err(format!(
            "{what} is empty, longer than {MAX_ID} bytes, or holds white space or control characters."
        ));
    }
    Ok(text.to_owned())
}

/// One event that a whole body says.
pub(crate) fn event_of(body: &[u8], event_id: &str, reading: Reading) -> Event {
    Event {
        event_id: event_id.to_owned(),
        digest: sha256(body),
        told: told(reading),
        reread: None,
    }
}

/// The event of a body that doesn't get as far as an id: known by its bytes, so that a retry is
/// still seen to be one.
pub(crate) fn unreadable(body: &[u8], why: String) -> Event {
    event_of(body, &unreadable_id("body", sha256(body)), Err(why))
}

/// The id of what says no id: `body:` and the SHA-256 in hexadecimal.
pub(crate) fn unreadable_id(what: &str, digest: Sum) -> String {
    format!("{what}:{}", hex::encode(digest))
}

/// A reading as it is stored.
pub(crate) fn told(reading: Reading) -> Told {
    match reading {
        Ok(Told::Ignored(why)) => Told::Ignored(kept(&why, MAX_TEXT)),
        Ok(told) => told,
        Err(why) => Told::Quarantined(kept(&why, MAX_TEXT)),
    }
}

/// A payment of which nothing is known yet but its id and status.
pub(crate) fn payment(payment_id: String, status: PaymentStatus, proof: Proof) -> PaymentNotification {
    PaymentNotification {
        payment_id,
        status,
        amount: None,
        holder: None,
        account_number: None,
        reference: None,
        paid_at: None,
        proof,
        mode: None,
        name_comes_separately: false,
    }
}

/// The type of an event that is of no concern here.
pub(crate) fn ignored(kind: &str, why: &str) -> Reading {
    Ok(Told::Ignored(format!("{}: {why}", kept(kind, 100))))
}

/// A type of event that isn't known here.
pub(crate) fn unknown_type(kind: &str) -> Reading {
    Err(format!(
        "{} is a type of event that is not known here.",
        kept(kind, 100)
    ))
}

/// `{"value": "18.15", "currency": "EUR"}`.
pub(crate) fn decimal_amount(amount: Option<&Value>, what: &str) -> Result<Money, String> {
    let amount = amount.ok_or_else(|| format!("{what} is missing."))?;
    let unreadable = || format!("{what} isn't a value in decimal text and a currency.");
    let value = text(amount, "/value").ok_or_else(unreadable)?;
    let currency = text(amount, "/currency").ok_or_else(unreadable)?;
    within_reason(Money::parse(value, currency).map_err(|_| unreadable())?, what)
}

/// Whole minor units, as a number or in digits, and a currency in either case.
pub(crate) fn minor_amount(value: Option<&Value>, currency: Option<&Value>, what: &str) -> Result<Money, String> {
    let unreadable = || format!("{what} isn't a whole number of minor units and a currency.");
    let minor = match value {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(digits)) => digits.parse().ok(),
        _ => None,
    };
    let currency = currency
        .and_then(Value::as_str)
        .and_then(eencent_activations::money::Currency::parse);
    match (minor, currency) {
        (Some(minor), Some(currency)) => within_reason(Money::new(minor, currency), what),
        _ => Err(unreadable()),
    }
}

/// That an amount is one that a transfer can have.
pub(crate) fn within_reason(money: Money, what: &str) -> Result<Money, String> {
    if (0..=MAX_MINOR).contains(&money.minor) {
        Ok(money)
    } else {
        Err(format!("{what} is negative, or more than one transfer can carry."))
    }
}

/// The reference in `metadata`: `reference`, else `activation`, else `activation_id`.
pub(crate) fn reference_in_metadata(metadata: Option<&Value>) -> Option<ReferenceHint> {
    let metadata = metadata?;
    ["/reference", "/activation", "/activation_id"]
        .into_iter()
        .find_map(|name| exact(text(metadata, name)))
}

/// A field that holds the reference and nothing else.
pub(crate) fn exact(text: Option<&str>) -> Option<ReferenceHint> {
    let text = text?.trim();
    (!text.is_empty()).then(|| ReferenceHint::Exact(kept(text, MAX_TEXT)))
}

/// Free text in which the reference may stand.
pub(crate) fn within(text: Option<&str>) -> Option<ReferenceHint> {
    let text = text?.trim();
    (!text.is_empty()).then(|| ReferenceHint::Within(kept(text, MAX_TEXT)))
}

/// `mode` of a message: `live` or `test`, or not said.
pub(crate) fn mode(value: Option<&Value>) -> Result<Option<Mode>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(said) => said
            .as_str()
            .and_then(Mode::parse)
            .map(Some)
            .ok_or_else(|| "`mode` is neither live nor test.".to_owned()),
    }
}

/// Remittance information as an object of `unstructured` and structured text, or as text itself:
/// the structured part first, since a payer can't mistype what his bank checks.
pub(crate) fn remittance(value: Option<&Value>, structured: &str) -> Option<ReferenceHint> {
    let value = value?;
    if let Some(text) = value.as_str() {
        return within(Some(text));
    }
    let parts: Vec<&str> = [text(value, structured), text(value, "/unstructured")]
        .into_iter()
        .flatten()
        .collect();
    within(Some(&parts.join(" ")))
}

/// Whether a decimal amount is there and more than nothing; absent is nothing.
pub(crate) fn more_than_nothing(value: &Value, pointer: &str) -> Result<bool, String> {
    match present(value, pointer) {
        None => Ok(false),
        amount => decimal_amount(amount, pointer).map(|money| money.minor > 0),
    }
}

/// An instant as providers write it: RFC 3339, or the same with an offset that lacks its colon.
pub(crate) fn instant(text: Option<&str>) -> Option<Timestamp> {
    let text = text?;
    Timestamp::parse_rfc3339(text).or_else(|| {
        chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z")
            .ok()
            .map(|at| at.to_utc().into())
    })
}

/// A time on the clock of a provider that names no zone, `T` or a space between date and time. An
/// hour that comes twice is taken for the first; one that doesn't exist isn't a time.
pub(crate) fn on_the_clock(text: Option<&str>, zone: chrono_tz::Tz) -> Option<Timestamp> {
    let text = text?;
    let written = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let local = written
        .iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok())?;
    let at = local.and_local_timezone(zone).earliest()?;
    Some(at.to_utc().into())
}

/// An amount in decimal text and a currency, each a text of its own.
pub(crate) fn decimal(value: Option<&str>, currency: Option<&str>, what: &str) -> Result<Money, String> {
    let unreadable = || format!("{what} isn't a value in decimal text and a currency.");
    let (value, currency) = value.zip(currency).ok_or_else(unreadable)?;
    within_reason(Money::parse(value, currency).map_err(|_| unreadable())?, what)
}

/// The account number that a provider shows in full, or of which it shows the end: `*** 4300`.
pub(crate) fn full_or_last(text: Option<&str>) -> Option<AccountNumber> {
    let text = text?.trim();
    AccountNumber::iban(text).or_else(|| {
        let end = text.rsplit(|c: char| !c.is_ascii_digit()).next()?;
        AccountNumber::last_digits(end.get(end.len().checked_sub(4)?..)?)
    })
}

/// An id that is a number in JSON, or text.
pub(crate) fn numeric_id(value: Option<&Value>, what: &str) -> Result<String, String> {
    match value {
        Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
        value => id(value, what),
    }
}
