//! MT940 (SWIFT), as Dutch banks write it.
//!
//! `:61:` is a booking, `:86:` what it was for. Each bank writes `:86:` in one of two ways: words between
//! slashes (`/NAME/…/IBAN/…/REMI/…`: ING, Rabobank, ABN AMRO, bunq), or numbered fields (`?20…?32…`:
//! Triodos, and German banks); both are read, and anything else is free text. Lines are broken at 65
//! characters wherever that falls, so they are joined before anything is looked for.

use eencent_activations::money::Money;

use super::{Entry, Unreadable, What, amount, hint};

/// A field of the file: its tag, its lines joined, and where it begins.
struct Field<'t> {
    line: usize,
    tag: &'t str,
    first: &'t str,
    rest: Vec<&'t str>,
}

impl Field<'_> {
    fn joined(&self) -> String {
        let mut text = self.first.to_owned();
        self.rest.iter().for_each(|line| text.push_str(line));
        text
    }
}

fn fields(text: &str) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim_end_matches(['\r', '\n']);
        // What SWIFT puts around a message, and the end of one.
        let line = line.rsplit_once("{4:").map_or(line, |(_, rest)| rest);
        let tagged = line.strip_prefix(':').and_then(|rest| rest.split_once(':'));
        match tagged.filter(|(tag, _)| (2..=3).contains(&tag.len()) && tag.starts_with(|c: char| c.is_ascii_digit())) {
            Some((tag, first)) => fields.push(Field {
                line: number,
                tag,
                first,
                rest: Vec::new(),
            }),
            None if line == "-" || line.starts_with("-}") || line.starts_with('{') => {}
            None => {
                if let Some(field) = fields.last_mut() {
                    field.rest.push(line);
                }
            }
        }
    }
    fields
}

/// The format and the transactions.
pub(super) fn read(text: &str) -> Result<(String, Vec<Entry>), Unreadable> {
    let fields = fields(text);
    if !fields.iter().any(|field| field.tag == "20") || !fields.iter().any(|field| field.tag == "25") {
        return Err(Unreadable::at(
            1,
            "this is neither XML (camt.053, camt.054) nor MT940, which begins with :20: and :25:; export one of those",
        ));
    }
    let mut entries: Vec<Entry> = Vec::new();
    let (mut account, mut currency) = (String::new(), "EUR".to_owned());
    let mut balance: Option<i64> = None;
    // Whether the last booking still waits for its :86:.
    let mut open = false;
    for field in &fields {
        match field.tag {
            "25" => {
                let written = field.first.trim();
                let (number, of) = written.split_once(' ').unwrap_or((written, ""));
                account = number.to_owned();
                if of.trim().len() == 3 {
                    currency = of.trim().to_owned();
                }
                balance = None;
            }
            "60F" | "60M" => {
                let (minor, of) = read_balance(field)?;
                currency = of;
                balance = Some(minor);
            }
            "61" => {
                let (entry, signed) = booking(field, &account, &currency)?;
                balance = balance.map(|before| before.saturating_add(signed));
                entries.push(entry);
                open = true;
            }
            "86" if open => {
                if let Some(entry) = entries.last_mut() {
                    information(&field.joined(), entry);
                }
                open = false;
            }
            "62F" | "62M" => {
                open = false;
                let (after, _) = read_balance(field)?;
                if balance.take().is_some_and(|reckoned| reckoned != after) {
                    return Err(Unreadable::at(
                        field.line,
                        "the opening balance and the bookings don't come to the closing balance: bookings are missing; export the file again",
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(("MT940".to_owned(), entries))
}

/// `C261120EUR32,33`: in minor units, and the currency.
fn read_balance(field: &Field<'_>) -> Result<(i64, String), Unreadable> {
    let wrong = || {
        Unreadable::at(
            field.line,
            "the balance isn't written C or D, a date, a currency and an amount",
        )
    };
    let text = field.first.trim();
    let (mark, rest) = text.split_at_checked(1).ok_or_else(wrong)?;
    let (_, rest) = rest.split_at_checked(6).ok_or_else(wrong)?;
    let (currency, number) = rest.split_at_checked(3).ok_or_else(wrong)?;
    let money = decimal(number, currency, field.line)?;
    match mark {
        "C" => Ok((money.minor, currency.to_owned())),
        "D" => Ok((-money.minor, currency.to_owned())),
        _ => Err(wrong()),
    }
}

/// `18,15`, also `18,` and `18,1`.
fn decimal(text: &str, currency: &str, line: usize) -> Result<Money, Unreadable> {
    let written = text.replacen(',', ".", 1);
    let written = written.strip_suffix('.').unwrap_or(&written);
    amount(written, currency, line)
}

/// `2611211121C18,15NTRFNONREF//B6K21`: date, day of booking, mark, amount, kind, our reference, the bank's.
fn booking(field: &Field<'_>, account: &str, currency: &str) -> Result<(Entry, i64), Unreadable> {
    let wrong = |what: &str| Unreadable::at(field.line, format!("the booking (:61:) {what}"));
    let text = field.first.trim_end();
    let (date, rest) = text
        .split_at_checked(6)
        .filter(|(date, _)| date.bytes().all(|b| b.is_ascii_digit()))
        .ok_or_else(|| wrong("doesn't begin with a date"))?;
    // The day of booking may stand after it, as month and day.
    let (day, rest) = match rest.split_at_checked(4) {
        Some((day, after)) if day.bytes().all(|b| b.is_ascii_digit()) => (Some(day), after),
        _ => (None, rest),
    };
    let (mark, rest) = ["RC", "RD", "EC", "ED", "C", "D"]
        .iter()
        .find_map(|mark| Some((*mark, rest.strip_prefix(mark)?)))
        .ok_or_else(|| wrong("has no C, D, RC or RD"))?;
    // The third letter of the currency may stand before the amount.
    let rest = rest.strip_prefix(|c: char| c.is_ascii_uppercase()).unwrap_or(rest);
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != ',')
        .unwrap_or(rest.len());
    let (number, rest) = rest.split_at_checked(end).ok_or_else(|| wrong("has no amount"))?;
    if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Err(wrong("has no kind (such as NTRF) after its amount"));
    }
    let amount = decimal(number, currency, field.line)?;
    let bank = rest.split_once("//").map(|(_, reference)| reference.trim());
    let bank = bank.filter(|reference| !reference.is_empty() && !reference.eq_ignore_ascii_case("NONREF"));
    let sign = if ["C", "RD", "EC"].contains(&mark) { 1 } else { -1 };
    let entry = Entry {
        line: field.line,
        account: account.to_owned(),
        bank_reference: bank.map(|reference| format!("{}:{reference}", day_of(date, day))),
        amount,
        what: match mark {
            "C" => What::Received,
            "RC" => What::SentBack,
            "EC" | "ED" => What::NotBooked,
            _ => What::WentOut,
        },
        name: None,
        iban: None,
        reference: None,
        booked: Some(day_of(date, day)),
    };
    Ok((entry, amount.minor.saturating_mul(sign)))
}

/// `YYMMDD`, and the day of booking near it, as `2026-11-21`.
fn day_of(date: &str, day: Option<&str>) -> String {
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or("00");
    let (month, dom) = match day {
        Some(day) => (day.get(..2).unwrap_or("00"), day.get(2..).unwrap_or("00")),
        None => (part(2, 4), part(4, 6)),
    };
    // A value date of January booked in December, or the other way round, is of the other year.
    let year: i32 = part(0, 2).parse().unwrap_or(0);
    let year = match (part(2, 4), month) {
        ("01", "12") => year - 1,
        ("12", "01") => year + 1,
        _ => year,
    };
    format!("20{year:02}-{month}-{dom}")
}

/// The words that stand between slashes; other words are part of a text.
const WORDS: [&str; 24] = [
    "NAME", "IBAN", "BIC", "REMI", "EREF", "CNTP", "TRTP", "TRCD", "MARF", "CSID", "PREF", "RTRN", "ORDP", "BENM",
    "ISDT", "CREF", "PURP", "SVCL", "ULTD", "ULTC", "ULTB", "ID", "ADDR", "INIT",
];

fn information(text: &str, entry: &mut Entry) {
    if text.contains("/REMI/") || text.contains("/NAME/") || text.contains("/IBAN/") || text.contains("/CNTP/") {
        return between_slashes(text, entry);
    }
    if text.contains("?20") || text.contains("?32") {
        return numbered(text, entry);
    }
    entry.reference = hint(None, &[text]);
}

fn between_slashes(text: &str, entry: &mut Entry) {
    // `/WORD/value/WORD/value`; a value may hold slashes of its own.
    let mut values: Vec<(&str, String)> = Vec::new();
    for part in text.split('/').skip(1) {
        match WORDS.iter().find(|word| **word == part) {
            Some(word) => values.push((word, String::new())),
            None => {
                if let Some((_, value)) = values.last_mut() {
                    if !value.is_empty() {
                        value.push('/');
                    }
                    value.push_str(part);
                }
            }
        }
    }
    let said = |word: &str| {
        let found = values
            .iter()
            .find(|(known, value)| *known == word && !value.trim_matches('/').trim().is_empty());
        found.map(|(_, value)| value.trim_end_matches('/').trim())
    };
    // ING: account, BIC, name and city in one.
    let counterparty: Vec<&str> = said("CNTP").map(|value| value.split('/').collect()).unwrap_or_default();
    let of_counterparty = |position: usize| counterparty.get(position).copied().filter(|part| !part.is_empty());
    entry.iban = said("IBAN").or_else(|| of_counterparty(0)).map(str::to_owned);
    entry.name = said("NAME").or_else(|| of_counterparty(2)).map(str::to_owned);
    let remittance = said("REMI").unwrap_or_default();
    // ING: `USTD//text`, or `STRD/CUR/reference`.
    let free = remittance
        .strip_prefix("USTD")
        .map_or(remittance, |rest| rest.trim_start_matches('/'));
    let structured = free
        .strip_prefix("STRD/")
        .and_then(|rest| rest.rsplit('/').find(|part| !part.is_empty()));
    let free = if structured.is_some() { "" } else { free };
    let end_to_end = said("EREF").filter(|id| !["NOTPROVIDED", "NONREF"].contains(id));
    let mut parts = vec![free];
    if structured.is_none() {
        parts.extend(end_to_end);
    }
    entry.reference = hint(structured, &parts);
    if said("RTRN").is_some() && entry.what == What::Received {
        entry.what = What::Unclear("a payment of our own was sent back to us; it is nobody's activation.".to_owned());
    }
}

fn numbered(text: &str, entry: &mut Entry) {
    let (mut free, mut name, mut iban) = (String::new(), String::new(), None);
    for part in text.split('?').skip(1) {
        let Some((number, value)) = part.split_at_checked(2) else {
            continue;
        };
        match number {
            "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" | "60" | "61" | "62" | "63" => {
                free.push_str(value);
            }
            "31" => iban = Some(value.trim().to_owned()),
            "32" | "33" => name.push_str(value),
            _ => {}
        }
    }
    entry.iban = iban;
    entry.name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    let free = free.replace("SVWZ+", " ").replace("EREF+", " ");
    entry.reference = hint(None, &[free.as_str()]);
}
