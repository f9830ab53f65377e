//! What came from outside, as it may be shown to whoever looks after the machinery: its shape, and nothing of persons.
//!
//! Who mends a translation needs to see which fields there are and what is in those that decide: ids, statuses, amounts,
//! times. What names a person or an account is masked wherever it stands. A single word of letters, digits and signs is
//! shown, unless its field is one of persons; whatever has white space or letters beyond ASCII is taken for words that
//! somebody wrote, and masked. So a field that nobody thought of shows too little rather than too much.

use serde_json::Value;

use crate::personal::{AccountNumber, EmailAddress, masked_words};

/// So much of a body is shown.
const LONGEST: usize = 64 * 1024;

/// What the names of fields that are about persons have in them.
const OF_PERSONS: [&str; 27] = [
    "name",
    "naam",
    "holder",
    "houder",
    "iban",
    "account",
    "rekening",
    "mail",
    "phone",
    "telefoon",
    "street",
    "straat",
    "address",
    "adres",
    "city",
    "plaats",
    "postal",
    "postcode",
    "birth",
    "shopper",
    "debtor",
    "creditor",
    "payer",
    "consumer",
    "counterparty",
    "owner",
    "nm",
];

/// A text that may quote what came in: e-mail addresses and account numbers in it are masked.
pub fn masked_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_of_token) {
        let (between, from) = rest.split_at(begin);
        masked.push_str(between);
        let end = from.find(|c: char| !is_of_token(c)).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        masked.push_str(&masked_token(token));
        rest = after;
    }
    masked.push_str(rest);
    masked
}

fn is_of_token(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+' | '\'')
}

fn masked_token(token: &str) -> String {
    let word = token.trim_matches(['.', '-', '_', '+', '\'']);
    let masked = match () {
        () if word.contains('@') => {
            EmailAddress::parse(word).map_or_else(|_| "***".to_owned(), |address| address.masked())
        }
        () => match AccountNumber::iban(word) {
            Some(number) => number.masked(),
            None => return token.to_owned(),
        },
    };
    token.replacen(word, &masked, 1)
}

/// A body as it came, masked: JSON, a form, XML, or lines of text.
pub fn masked_body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let masked = if let Ok(json) = serde_json::from_str::<Value>(&text) {
        serde_json::to_string_pretty(&masked(json, false)).unwrap_or_default()
    } else if text.trim_start().starts_with('<') {
        masked_xml(&text)
    } else if is_form(&text) {
        masked_form(&text)
    } else {
        text.lines().map(masked_words_of_line).collect::<Vec<_>>().join("\n")
    };
    if masked.len() <= LONGEST {
        return masked;
    }
    let mut end = LONGEST;
    while !masked.is_char_boundary(end) {
        end -= 1;
    }
    format!(
        "{}\n… {} bytes in all",
        masked.get(..end).unwrap_or_default(),
        body.len()
    )
}

/// What was read of a body, masked alike.
pub fn masked_json(value: Value) -> Value {
    masked(value, false)
}

fn is_of_persons(field: &str) -> bool {
    let field = field.to_lowercase();
    OF_PERSONS.iter().any(|part| match *part {
        // Too short to be sought within others.
        "nm" => field.rsplit(':').next() == Some("nm"),
        part => field.contains(part),
    })
}

fn masked(value: Value, of_persons: bool) -> Value {
    match value {
        Value::String(text) => Value::String(masked_value(&text, of_persons)),
        Value::Array(all) => Value::Array(all.into_iter().map(|one| masked(one, of_persons)).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let theirs = of_persons || is_of_persons(&name);
                (name, masked(value, theirs))
            });
            Value::Object(fields.collect())
        }
        Value::Number(number) if of_persons && number.to_string().len() > 5 => Value::String("***".to_owned()),
        other => other,
    }
}

/// One value: of a field of persons, or of any other.
fn masked_value(text: &str, of_persons: bool) -> String {
    let shown = || masked_text(text);
    // JSON within JSON, as some providers send it.
    if text.trim_start().starts_with(['{', '['])
        && let Ok(inner) = serde_json::from_str::<Value>(text)
    {
        return masked(inner, of_persons).to_string();
    }
    let is_word = text.chars().all(|c| c.is_ascii_graphic());
    let is_time = text.len() <= 30 && text.chars().all(|c| c.is_ascii_digit() || "-:.+ TZ".contains(c));
    match (of_persons, is_word || is_time) {
        (false, true) => shown(),
        (true, true) if is_time && text.len() <= 5 => shown(),
        (true, true) => match AccountNumber::iban(text) {
            Some(number) => number.masked(),
            None if text.contains('@') => masked_token(text),
            None => masked_words(text),
        },
        (_, false) => match AccountNumber::iban(text) {
            Some(number) => number.masked(),
            None => masked_words(text),
        },
    }
}

fn is_form(text: &str) -> bool {
    let first = text.split(['&', '\n']).next().unwrap_or_default();
    !text.trim().contains(char::is_whitespace)
        && first.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.%[]".contains(c))
        })
}

/// One field a line, as it reads decoded.
fn masked_form(text: &str) -> String {
    let fields = text.trim().split('&').map(|field| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let (name, value) = (decoded(name), decoded(value));
        format!("{name} = {}", masked_value(&value, is_of_persons(&name)))
    });
    fields.collect::<Vec<_>>().join("\n")
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let ahead = rest.clone();
                let digits: Vec<u8> = ahead.take(2).collect();
                let value = std::str::from_utf8(&digits)
                    .ok()
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                if let Some(value) = value.filter(|_| digits.len() == 2) {
                    bytes.push(value);
                    rest.nth(1);
                } else {
                    bytes.push(byte);
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Tags as they are; what is between them by the name of the innermost.
fn masked_xml(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        let (between, from) = rest.split_at(begin);
        masked.push_str(&masked_between(between, &open));
        let end = from.find('>').map_or(from.len(), |end| end + 1);
        let (tag, after) = from.split_at(end);
        let name = tag
            .trim_start_matches(['<', '/'])
            .split(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .next()
            .unwrap_or_default();
        if tag.starts_with("</") {
            open.pop();
        } else if !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!") {
            open.push(name);
        }
        // Attributes may hold anything; those of statements hold currencies.
        match tag.split_once(char::is_whitespace) {
            Some((head, _)) if tag.len() > 200 => {
                masked.push_str(head);
                masked.push_str(" …>");
            }
            _ => masked.push_str(&masked_text(tag)),
        }
        rest = after;
    }
    masked.push_str(&masked_between(rest, &open));
    masked
}

fn masked_between(text: &str, open: &[&str]) -> String {
    if text.trim().is_empty() {
        return text.to_owned();
    }
    masked_value(text, open.last().is_some_and(|name| is_of_persons(name)))
}

/// A line of a statement: what begins with a tag keeps it.
fn masked_words_of_line(line: &str) -> String {
    let (tag, said) = match line.strip_prefix(':').and_then(|rest| rest.split_once(':')) {
        Some((tag, said)) => (format!(":{tag}:"), said),
        None => (String::new(), line),
    };
    let is_free = tag.is_empty() || tag == ":86:";
    let said = if is_free { masked_words(said) } else { masked_text(said) };
    format!("{tag}{said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const IBAN: &str = "NL91ABNA0417164300";

    #[test]
    fn no_shape_of_a_body_shows_a_name_an_account_or_an_address() {
        let bodies = [
            format!(
                r#"{{"id":"tr_1","amount":{{"value":"0.01","currency":"EUR"}},"details":{{"consumerName":"Bakkerij Jansen","consumerAccount":"{IBAN}"}},"description":"van P. Jansen"}}"#
            ),
            format!(
                r#"{{"payload":"{{\"debtor\":{{\"value\":\"Jansen\"}},\"x\":\"{IBAN}\"}}","to":"p.jansen@example.nl"}}"#
            ),
            format!("BRQ_PAYMENT=1&BRQ_SERVICE_IDEAL_CONSUMERNAME=P.+Jansen&brq_x={IBAN}&mail=p.jansen%40example.nl"),
            format!(
                "<Doc><NtryRef>1</NtryRef><Dbtr><Nm>Jansen</Nm></Dbtr><Id><IBAN>{IBAN}</IBAN></Id><Ustrd>van P. Jansen</Ustrd></Doc>"
            ),
            format!(":20:REF\n:61:2603100310C0,01NTRFNONREF\n:86:/IBAN/{IBAN}/NAME/P. Jansen/REMI/dank"),
        ];
        for body in bodies {
            let shown = masked_body(body.as_bytes());
            for never in ["Jansen", "0417164300", "p.jansen"] {
                assert!(!shown.contains(never), "{body}: {shown}");
            }
        }
    }

    #[test]
    fn what_decides_is_shown() {
        let shown = masked_body(
            br#"{"id":"tr_1","status":"paid","createdAt":"2026-03-10T09:00:00+00:00","amount":{"value":"0.01"}}"#,
        );
        for seen in ["tr_1", "paid", "2026-03-10T09:00:00+00:00", "0.01"] {
            assert!(shown.contains(seen), "{seen}: {shown}");
        }
        assert!(masked_body(b"id=tr_1").contains("tr_1"));
        assert!(masked_body(b"<Doc><Amt Ccy=\"EUR\">0.01</Amt></Doc>").contains("<Amt Ccy=\"EUR\">0.01</Amt>"));
    }

    #[test]
    fn an_error_that_quotes_an_address_is_told_without_it() {
        let told = masked_text("550 <p.jansen@example.nl>: no such user; NL91ABNA0417164300.");
        assert_eq!(told, "550 <p***@example.nl>: no such user; NL** **** **** **43 00.");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_shown_without_a_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = masked_body(&body);
        }
    }
}
