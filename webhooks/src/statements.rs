//! Bank statements: what came in on our own account, in the formats that Dutch banks give.
//!
//! camt.053 (a day's statement) and camt.054 (notifications within the day), of any version, and MT940.
//! Nothing in such a file proves where it comes from; trust comes from the channel, so whoever imports one
//! is recorded. A file is read as a whole or not at all: [`Unreadable`] says the line and the reason.
//!
//! An entry is known by the bank's own reference, so that a statement which overlaps another, or comes
//! twice, tells nothing twice. Where the bank gives none (MT940 often doesn't) it is known by its facts and
//! by how many equal ones stand before it in the statement.
//!
//! The holder's name is the debtor's, as his bank sends it with the account; an ultimate debtor, on whose
//! behalf somebody pays, is not the holder.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, PaymentStatus, Proof, ReferenceHint, Told};
use eencent_activations::personal::{AccountNumber, HolderName};

use crate::signature::sha256;
use crate::translation::{kept, payment, within_reason};

mod camt;
mod mt940;

/// Largest file that is read, in bytes: a month of a very busy account.
pub const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Most entries of one file.
pub const MOST_ENTRIES: usize = 50_000;

/// Why a file can't be read. Displays as `line 12: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Unreadable {
    /// Counted from 1.
    pub line: usize,
    /// A sentence that says what is wrong there; no names or accounts.
    pub reason: String,
}

impl Unreadable {
    fn at(line: usize, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
        }
    }
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Such as `camt.054.001.08` or `MT940`.
    pub format: String,
    /// Our own accounts that it is about, in the order of the file.
    pub accounts: Vec<OfAccount>,
}

/// What a file says of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfAccount {
    /// Its IBAN, or how the bank names it.
    pub account: String,
    /// One for each transaction.
    pub events: Vec<Event>,
}

/// Reads a statement, whichever format it is.
///
/// # Errors
/// [`Unreadable`] at the first thing that can't be understood; nothing of the file may then be used.
pub fn read(bytes: &[u8]) -> Result<Statement, Unreadable> {
    if bytes.len() > MOST_BYTES {
        return Err(Unreadable::at(
            1,
            format!("the file is larger than {MOST_BYTES} bytes; export fewer days at a time"),
        ));
    }
    let text = decoded(bytes);
    let begin = text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']);
    if begin.is_empty() {
        return Err(Unreadable::at(1, "the file is empty"));
    }
    let (format, entries) = if begin.starts_with('<') {
        camt::read(&text)?
    } else {
        mt940::read(&text)?
    };
    if entries.len() > MOST_ENTRIES {
        return Err(Unreadable::at(
            1,
            format!("the file holds more than {MOST_ENTRIES} transactions; export fewer days at a time"),
        ));
    }
    let mut accounts: Vec<(String, Vec<Entry>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for entry in entries {
        let place = *places.entry(entry.account.clone()).or_insert(accounts.len());
        match accounts.get_mut(place) {
            Some((_, of_account)) => of_account.push(entry),
            None => accounts.push((entry.account.clone(), vec![entry])),
        }
    }
    let accounts = accounts.into_iter().map(|(account, entries)| OfAccount {
        account,
        events: events(entries),
    });
    Ok(Statement {
        format,
        accounts: accounts.collect(),
    })
}

/// MT940 knows no encoding; banks write UTF-8 or Latin-1, and what isn't the one is the other.
fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// One transaction, whichever format it stood in.
#[derive(Debug, Clone)]
struct Entry {
    line: usize,
    /// Our own account.
    account: String,
    /// The bank's own reference, if it gives one that is worth it.
    bank_reference: Option<String>,
    amount: Money,
    what: What,
    name: Option<String>,
    iban: Option<String>,
    reference: Option<ReferenceHint>,
    /// The day, `2026-11-21`; with a time where the bank says one.
    booked: Option<String>,
}

/// What kind of transaction it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Received,
    WentOut,
    /// On its way, or for information; it comes again when it is booked.
    NotBooked,
    /// Money that had come in went back.
    SentBack,
    /// Somebody has to look; says why.
    Unclear(String),
}

fn events(entries: Vec<Entry>) -> Vec<Event> {
    let mut seen = std::collections::HashMap::new();
    let mut events = Vec::with_capacity(entries.len());
    for entry in entries {
        // The day alone: a notification within the day says the time too, and is of the same booking.
        let day = entry.booked.as_deref().map(|booked| booked.get(..10).unwrap_or(booked));
        let facts = format!(
            "{}|{}|{}|{:?}|{}|{}|{:?}",
            entry.account,
            day.unwrap_or_default(),
            entry.amount,
            entry.what,
            entry.name.as_deref().unwrap_or_default(),
            entry.iban.as_deref().unwrap_or_default(),
            entry.reference,
        );
        let digest = sha256(facts.as_bytes());
        // The bank's reference alone may stand for a whole batch, so equal ones are told apart by their order.
        let base = match &entry.bank_reference {
            Some(reference) => kept(reference, 100),
            None => format!("facts:{}", hex::encode(digest.get(..16).unwrap_or_default())),
        };
        let count = seen.entry(base.clone()).or_insert(0_usize);
        *count += 1;
        let id = if *count == 1 { base } else { format!("{base}:{count}") };
        // A booking on its way and the booking itself may share their reference, and are two events.
        let event_id = match entry.what {
            What::NotBooked => format!("pending:{id}"),
            _ => id.clone(),
        };
        events.push(Event {
            event_id,
            digest,
            told: told(entry, id),
            reread: None,
        });
    }
    events
}

fn told(entry: Entry, id: String) -> Told {
    let line = entry.line;
    match entry.what {
        What::WentOut => return Told::Ignored(format!("line {line}: money that went out")),
        What::NotBooked => return Told::Ignored(format!("line {line}: not booked yet; it comes again when it is")),
        What::SentBack => {
            return Told::Quarantined(format!(
                "Line {line}: money that had come in went back, and the statement doesn't say of which payment. Look at it, and decide what it means for the activation."
            ));
        }
        What::Unclear(why) => return Told::Quarantined(format!("Line {line}: {why}")),
        What::Received => {}
    }
    let mut told = payment(id, PaymentStatus::Paid, Proof::Imported);
    told.amount = Some(entry.amount);
    told.holder = entry.name.as_deref().and_then(HolderName::parse);
    told.account_number = entry.iban.as_deref().and_then(AccountNumber::iban);
    told.reference = entry.reference;
    told.paid_at = entry.booked.as_deref().and_then(day_or_instant);
    Told::Payment(Box::new(told))
}

/// A day begins where our office is; an instant is one.
fn day_or_instant(text: &str) -> Option<Timestamp> {
    crate::translation::instant(Some(text)).or_else(|| {
        crate::translation::on_the_clock(
            Some(&format!("{}T00:00:00", text.get(..10)?)),
            chrono_tz::Europe::Amsterdam,
        )
    })
}

/// An amount of a statement: decimal text, above nothing or nothing.
fn amount(text: &str, currency: &str, line: usize) -> Result<Money, Unreadable> {
    let wrong = || Unreadable::at(line, "the amount isn't a decimal number and a currency");
    let money = Money::parse(text.trim(), currency).map_err(|_| wrong())?;
    within_reason(money, "the amount").map_err(|_| wrong())
}

/// Free text, and a structured reference beside it.
fn hint(structured: Option<&str>, free: &[&str]) -> Option<ReferenceHint> {
    let free = free.join(" ");
    let free = free.trim();
    match structured.map(str::trim).filter(|text| !text.is_empty()) {
        Some(reference) if free.is_empty() => Some(ReferenceHint::Exact(kept(reference, 1_000))),
        Some(reference) => Some(ReferenceHint::Within(kept(&format!("{reference} {free}"), 1_000))),
        None if free.is_empty() => None,
        None => Some(ReferenceHint::Within(kept(free, 1_000))),
    }
}
