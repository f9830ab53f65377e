//! Personal data as types: what a bank says of a person or an account, which prints masked.
//!
//! `Debug` never shows the whole value, so that a log line or a panic message can't; whoever needs
//! the value asks for it by name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::links::{Finding, LinksKey};

/// The name that a bank or scheme reports for the paying account; never what a payer typed.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HolderName(String);

impl HolderName {
    /// Longest name that is kept, in characters; banks report at most 140.
    pub const MAX_CHARS: usize = 1_000;

    /// Keeps the name as it came, cut at [`Self::MAX_CHARS`], with NUL (which a database refuses)
    /// replaced; `None` when there is nothing but white space.
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        let kept = text.chars().take(Self::MAX_CHARS);
        Some(Self(kept.map(|c| if c == '\0' { '\u{FFFD}' } else { c }).collect()))
    }

    /// The name as the bank wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked_words(&self.0))
    }
}

/// First letter of each word, the rest as stars: enough to recognise, too little to tell.
pub fn masked_words(text: &str) -> String {
    let mut masked = String::new();
    for word in text.split_whitespace() {
        if !masked.is_empty() {
            masked.push(' ');
        }
        masked.extend(word.chars().take(1));
        masked.push_str("***");
    }
    masked
}

/// What is known of the paying account's number.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountNumber {
    /// A whole IBAN with right check digits, without spaces.
    Iban(String),
    /// Only its last digits, as some providers tell it.
    LastDigits(String),
}

impl AccountNumber {
    /// A valid IBAN (ISO 13616), with or without spaces; `None` otherwise.
    pub fn iban(text: &str) -> Option<Self> {
        use iban::IbanLike;
        let iban: iban::Iban = text.trim().parse().ok()?;
        Some(Self::Iban(iban.electronic_str().to_owned()))
    }

    /// The last two to eight characters of an account number; `None` for anything else.
    pub fn last_digits(text: &str) -> Option<Self> {
        let fits = (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self::LastDigits(text.to_owned()))
    }

    /// By what payments from the same account are found; `None` where not all of the number is known.
    pub(crate) fn found_by(&self, key: &LinksKey) -> Option<String> {
        match self {
            Self::Iban(iban) => Some(key.finding(Finding::Account, iban)),
            Self::LastDigits(_) => None,
        }
    }

    /// `NL** **** **** **43 00`, or `****4300` where only that is known.
    pub fn masked(&self) -> String {
        match self {
            Self::Iban(iban) => {
                let length = iban.chars().count();
                let mut masked = String::new();
                for (at, c) in iban.chars().enumerate() {
                    if at > 0 && at % 4 == 0 {
                        masked.push(' ');
                    }
                    masked.push(if at < 2 || at + 4 >= length { c } else { '*' });
                }
                masked
            }
            Self::LastDigits(digits) => format!("****{digits}"),
        }
    }
}

impl fmt::Debug for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// An e-mail address that is right by syntax; whether anybody reads it, only a mail can tell.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text isn't an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address such as name@example.nl")]
pub struct NotAnEmailAddress;

impl EmailAddress {
    /// Reads `local@domain` without display name, comments or quotes; at most 254 characters
    /// (RFC 5321), the local part at most 64.
    ///
    /// # Errors
    /// [`NotAnEmailAddress`] when it isn't that.
    pub fn parse(text: &str) -> Result<Self, NotAnEmailAddress> {
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnEmailAddress)?;
        let local_fits = !local.is_empty()
            && local.len() <= 64
            && local.split('.').all(|part| !part.is_empty())
            && local
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
        let label_fits = |label: &str| {
            !label.is_empty()
                && label.chars().count() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let domain_fits = domain.contains('.') && domain.split('.').all(label_fits);
        if local_fits && domain_fits && text.len() <= 254 {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnEmailAddress)
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `a***@example.nl`.
    pub fn masked(&self) -> String {
        let domain = self.0.rsplit_once('@').map_or("", |(_, domain)| domain);
        format!("{}***@{domain}", self.0.chars().next().unwrap_or('*'))
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NotAnEmailAddress;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn fault_69_debug_output_shows_neither_names_nor_accounts() {
        let shown = format!(
            "{:?} {:?} {:?}",
            HolderName::parse("Bakkerij De Korenaar").unwrap(),
            AccountNumber::iban("NL91 ABNA 0417 1643 00").unwrap(),
            EmailAddress::parse("jansen@example.nl").unwrap()
        );
        assert_eq!(shown, "B*** D*** K*** NL** **** **** **43 00 j***@example.nl");
    }

    #[test]
    fn fault_57_only_plain_addresses_are_taken() {
        for good in ["a@b.nl", "info+x@café.example", "o'brien@sub.example.org"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.nl",
            "a@",
            "a b@c.nl",
            "\"a\"@c.nl",
            "a@b.nl\r\nBcc: x@y.nl",
            "a@-b.nl",
            "a..b@c.nl",
            "Jan <a@b.nl>",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_iban_with_a_wrong_check_digit_is_no_iban() {
        assert!(AccountNumber::iban("NL92ABNA0417164300").is_none());
    }
}
