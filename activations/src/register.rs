//! What a register says of an organisation, and how it is asked.
//!
//! The border with `registers`, which knows the registers there are and owns the way to them; a job asks through it,
//! and the composition hands one to the other. Whatever comes through here has names that fit an organisation's row.

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::identifier::Identifier;
use crate::views::AddressView;

/// Longest name, in characters; the Dutch trade register allows 625.
pub(crate) const LONGEST_NAME: usize = 700;
/// Most trade names; some organisations have hundreds.
pub(crate) const MOST_TRADE_NAMES: usize = 1_000;
/// Longest wording of a legal form.
const LONGEST_FORM: usize = 200;

/// Whether an organisation is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is registered.
    Registered,
    /// It was dissolved, or taken out of the register.
    Ended,
}

/// An organisation as its register has it. Made by [`Entry::new`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its number.
    pub identifier: Identifier,
    /// Statutory name; where there is none, the name that it trades under first.
    pub legal_name: String,
    /// All its other names, each once, in the register's order.
    pub trade_names: Vec<String>,
    /// The register's own wording.
    pub legal_form: Option<String>,
    /// Where it is.
    pub place: Option<String>,
    /// The whole of its address, where all of it is known.
    pub address: Option<AddressView>,
    /// The number of the legal person, where it has one.
    pub rsin: Option<Identifier>,
    /// Whether it is still there.
    pub standing: Standing,
    /// When the register said so.
    pub fetched_at: Timestamp,
}

impl Entry {
    /// An entry of these names, the first of which is the statutory one, without what can't be seen, and without
    /// repetitions. `None` when there is no name among them that can be used.
    pub fn new<N: AsRef<str>>(
        identifier: Identifier,
        names: impl IntoIterator<Item = N>,
        standing: Standing,
        fetched_at: Timestamp,
    ) -> Option<Self> {
        let mut distinct: Vec<String> = Vec::new();
        for name in names {
            if let Some(name) = tidy(name.as_ref(), LONGEST_NAME)
                && distinct.len() <= MOST_TRADE_NAMES
                && !distinct.contains(&name)
            {
                distinct.push(name);
            }
        }
        let mut names = distinct.into_iter();
        Some(Self {
            identifier,
            legal_name: names.next()?,
            trade_names: names.collect(),
            legal_form: None,
            place: None,
            address: None,
            rsin: None,
            standing,
            fetched_at,
        })
    }

    /// The same, in this legal form.
    #[must_use]
    pub fn of_form(self, legal_form: Option<&str>) -> Self {
        let legal_form = legal_form.and_then(|form| tidy(form, LONGEST_FORM));
        Self { legal_form, ..self }
    }

    /// The same, at this address; one of which a part is missing isn't kept.
    #[must_use]
    pub fn at_address(self, street: Option<&str>, postcode: Option<&str>, city: Option<&str>) -> Self {
        let whole = |text: Option<&str>| text.and_then(|text| tidy(text, LONGEST_NAME));
        let address = match (whole(street), whole(postcode), whole(city)) {
            (Some(street), Some(postcode), Some(city)) => Some(AddressView { street, postcode, city }),
            _ => None,
        };
        Self { address, ..self }
    }

    /// The same, at this place.
    #[must_use]
    pub fn at_place(self, place: Option<&str>) -> Self {
        let place = place.and_then(|place| tidy(place, LONGEST_NAME));
        Self { place, ..self }
    }

    /// The same, with this number of its legal person; one that can't be an RSIN is left out.
    #[must_use]
    pub fn with_rsin(self, rsin: Option<&str>) -> Self {
        let rsin = rsin.and_then(|number| Identifier::parse("NL:RSIN", number).ok());
        Self { rsin, ..self }
    }
}

/// One line of visible text: control characters become spaces, spaces become one. `None` when nothing is left, or
/// too much.
pub fn tidy(text: &str, longest: usize) -> Option<String> {
    let spaced = text.replace(char::is_control, " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let text = words.join(" ");
    (!text.is_empty() && text.chars().count() <= longest).then_some(text)
}

/// Why there is no entry. None of the texts repeats what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEntry {
    /// No register is set up for it.
    #[error("no register is configured for this; set register.kvk_key")]
    NotConfigured,
    /// It can't be reached, takes too long, or is in trouble.
    #[error("the register can't be reached: {0}")]
    Down(String),
    /// It doesn't take our key.
    #[error("the register refuses the key ({0}); check register.kvk_key, and what the key is a subscription to")]
    KeyRefused(String),
    /// We ask too much of it: by its own word, or by the rate of the settings.
    #[error("the register is asked too much; again in {} s", .retry_after.as_secs())]
    Limited {
        /// When it may be asked again.
        retry_after: Duration,
    },
    /// It can't make sense of the question.
    #[error("the register doesn't take the question ({0})")]
    NotTaken(String),
    /// It answers, and has no such number.
    #[error("the register has no such number")]
    Unknown,
    /// It answers, but not in a way that can be read. Says where, never what stands there.
    #[error("the register's answer can't be read: {0}")]
    Unreadable(String),
}

/// The registers there are, asked by number.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// What the register of this number says, or has said a short while ago.
    ///
    /// # Errors
    /// [`NoEntry`] says why it says nothing.
    async fn entry(&self, identifier: &Identifier) -> Result<Entry, NoEntry>;
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use proptest::prelude::*;

    fn entry(names: &[&str]) -> Option<Entry> {
        let number = Identifier::parse("NL:KVK", "12345678").unwrap();
        Entry::new(number, names, Standing::Registered, Timestamp::from_micros(0))
    }

    #[test]
    fn names_are_told_once_in_order_and_without_what_can_not_be_seen() {
        let entry = entry(&["", "A\u{0}  B", " A B ", "C\r\n", "A B", "D"]).unwrap();
        assert_eq!(
            (entry.legal_name.as_str(), &entry.trade_names[..]),
            ("A B", &["C".to_owned(), "D".to_owned()][..])
        );
    }

    proptest! {
        #[test]
        fn whatever_a_register_says_fits_an_organisation(names in proptest::collection::vec(any::<String>(), 0..20)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if let Some(entry) = entry(&names) {
                for name in std::iter::once(&entry.legal_name).chain(&entry.trade_names) {
                    prop_assert!(!name.trim().is_empty() && !name.chars().any(char::is_control));
                    prop_assert!(name.chars().count() <= LONGEST_NAME);
                }
            }
        }
    }
}
