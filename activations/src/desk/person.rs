//! All that is stored of one person: exported, and erased.
//!
//! | file | what it holds |
//! |---|---|
//! | `concerned` | which rows are theirs |
//! | `words` | by what they are recognised in texts |
//! | `exporting` | everything as JSON (GDPR, article 15 and 20) |
//! | `foreseen` | what erasing would take and leave, and what stands in its way |
//! | `erasing` | doing it (article 17), a small transaction at a time |
//! | `parts` | what of an activation is erased: each table, and how |
//! | `rows` | single rows without their person |
//! | `texts` | where else somebody can have written of them |
//! | `blanking` | JSON without them, in the shape that it had |
//!
//! A person is known by an e-mail address (of the creator of an organisation: all activations of it are theirs) or by an
//! account number (of a payer: their payments are theirs, the activations that they paid for are the creator's). Both
//! are found through the keyed hashes that support's search uses.
//!
//! What is kept, on which ground and for how long, says `docs/personal-data.md`; a test holds that page to the schema.

mod blanking;
mod concerned;
mod erasing;
mod exporting;
mod foreseen;
mod parts;
mod rows;
mod texts;
mod words;

use serde_json::{Value, json};

pub use erasing::{Erased, File};
pub use exporting::Exported;
pub use foreseen::{Foreseen, Kept, Obstacle, Taken};

use super::Desk;
use crate::links::Finding;
use crate::personal::{AccountNumber, EmailAddress};
use crate::refused::{Kind, Refused};
use crate::views::CreatorView;

/// Stands where something of a person stood: in Dutch and English, since pages show it as it is.
pub const ERASED: &str = "[gewist / erased]";

/// Stands for the address of a creator. Nothing that is sent there arrives (RFC 2606).
pub const ERASED_ADDRESS: &str = "erased@erased.invalid";

/// Longest name to look for.
const LONGEST_NAME: usize = 200;

/// By what a person is known.
#[derive(Clone)]
enum By {
    Email(EmailAddress),
    Iban(String),
}

/// Whose data it is about.
#[derive(Clone)]
pub struct Whose {
    by: By,
    names: Vec<String>,
}

impl std::fmt::Debug for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Whose {
    /// Who registered organisations under this address, whatever its case.
    ///
    /// # Errors
    /// Refused when it isn't an address.
    pub fn email(address: &str) -> Result<Self, Refused> {
        let address = EmailAddress::parse(address.trim()).map_err(|_| {
            Refused::new(
                Kind::Invalid,
                "person_unreadable",
                "This is not an e-mail address; write it as in jansen@example.nl.",
                "Dit is geen e-mailadres; schrijf het zoals jansen@example.nl.",
            )
        })?;
        Ok(Self {
            by: By::Email(address),
            names: Vec::new(),
        })
    }

    /// Who paid from this account.
    ///
    /// # Errors
    /// Refused when it isn't an IBAN with right check digits.
    pub fn iban(number: &str) -> Result<Self, Refused> {
        match AccountNumber::iban(number) {
            Some(AccountNumber::Iban(iban)) => Ok(Self {
                by: By::Iban(iban),
                names: Vec::new(),
            }),
            _ => Err(Refused::new(
                Kind::Invalid,
                "person_unreadable",
                "This is not an IBAN; write all of it, with or without spaces.",
                "Dit is geen IBAN; schrijf het hele nummer, met of zonder spaties.",
            )),
        }
    }

    /// Also where somebody wrote this name of theirs.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.names.extend(
            Some(name.trim())
                .filter(|name| !name.is_empty())
                .map(|name| name.chars().take(LONGEST_NAME).collect()),
        );
        self
    }

    /// `a***@example.nl`, or the IBAN with its middle hidden.
    pub fn masked(&self) -> String {
        match &self.by {
            By::Email(address) => address.masked(),
            By::Iban(iban) => AccountNumber::Iban(iban.clone()).masked(),
        }
    }

    /// For the person themselves.
    fn told(&self) -> Value {
        match &self.by {
            By::Email(address) => json!({ "email": address.as_str(), "names": self.names }),
            By::Iban(iban) => json!({ "iban": iban, "names": self.names }),
        }
    }

    fn words(&self) -> words::Words {
        let mut words = words::Words::of(match &self.by {
            By::Email(address) => address.as_str(),
            By::Iban(iban) => iban,
        });
        self.names.iter().for_each(|name| words.given(name));
        words
    }
}

impl Desk {
    fn hash_of_person(&self, whose: &Whose) -> String {
        match &whose.by {
            By::Email(address) => self.creator_hash(address.as_str()),
            By::Iban(iban) => self.rules.links_key.finding(Finding::Account, iban),
        }
    }

    /// How the audit names a person: a part of the hash under our key, by which who knows the address or number can
    /// find the entry, and nobody else.
    fn subject_of(&self, whose: &Whose) -> String {
        let hash = self.hash_of_person(whose);
        format!("person {}", hash.get(..16).unwrap_or_default())
    }
}

/// Who stands in the place of a creator who was erased.
fn nobody(language: &str) -> CreatorView {
    CreatorView {
        name: ERASED.to_owned(),
        email: ERASED_ADDRESS.to_owned(),
        language: language.to_owned(),
        role: "administrator".to_owned(),
    }
}
