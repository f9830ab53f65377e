//! What a person typed of an organisation, checked: all problems at once, each with its field.

use eencent_invoices::text::{NotAText, Text};

use crate::identifier::Identifier;
use crate::personal::EmailAddress;
use crate::refused::{FieldProblem, Kind, Refused};
use crate::register::{LONGEST_NAME, MOST_TRADE_NAMES};
use crate::views::{AddressView, CreatorView};

use super::organisations::{NewAddress, NewCreator, NewIdentifier};

/// Most identifiers.
const MOST_IDENTIFIERS: usize = 20;

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Problems(Vec<FieldProblem>);

impl Problems {
    pub(super) fn add(
        &mut self,
        field: impl Into<String>,
        code: &'static str,
        text: impl Into<String>,
        text_nl: impl Into<String>,
    ) {
        self.0.push(FieldProblem {
            field: field.into(),
            code,
            text: text.into(),
            text_nl: text_nl.into(),
        });
    }

    pub(super) fn done(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }

    /// The refusal that names them.
    pub(super) fn refusal(self) -> Refused {
        let mut refused = Refused::new(
            Kind::Invalid,
            "invalid",
            "Some fields are missing or wrong; each is named.",
            "Sommige velden ontbreken of kloppen niet; elk is genoemd.",
        );
        refused.fields = self.0;
        refused
    }

    /// A text that has to be there: trimmed, without control characters, of at most `longest` characters.
    pub(super) fn text(&mut self, field: &str, value: Option<&str>, longest: usize) -> Option<String> {
        let value = value.map(str::trim).unwrap_or_default();
        // What nobody can see is nothing: a name of it could be on no invoice, nor be compared.
        if matches!(Text::parse(value), Err(NotAText::Empty)) {
            self.add(field, "required", "Fill this in.", "Vul dit in.");
        } else if value.chars().count() > longest {
            self.add(
                field,
                "too_long",
                format!("Write at most {longest} characters."),
                format!("Schrijf hooguit {longest} tekens."),
            );
        } else if value.chars().any(char::is_control) {
            self.add(
                field,
                "control_characters",
                "Leave out line ends and other control characters.",
                "Laat regeleinden en andere besturingstekens weg.",
            );
        } else {
            return Some(value.to_owned());
        }
        None
    }

    /// All of an address, or none of it.
    pub(super) fn address(&mut self, address: Option<&NewAddress>) -> Option<AddressView> {
        let address = address?;
        let street = self.text("address.street", address.street.as_deref(), 200);
        let postcode = self.text("address.postcode", address.postcode.as_deref(), 20);
        let city = self.text("address.city", address.city.as_deref(), 100);
        Some(AddressView {
            street: street?,
            postcode: postcode?,
            city: city?,
        })
    }

    pub(super) fn name(&mut self, field: &str, value: Option<&str>) -> Option<String> {
        self.text(field, value, LONGEST_NAME)
    }

    pub(super) fn trade_names(&mut self, names: &[String]) -> Vec<String> {
        if names.len() > MOST_TRADE_NAMES {
            self.add(
                "trade_names",
                "too_many",
                format!("Give at most {MOST_TRADE_NAMES} trade names."),
                format!("Geef hooguit {MOST_TRADE_NAMES} handelsnamen."),
            );
            return Vec::new();
        }
        let all = names.iter().enumerate();
        all.filter_map(|(at, name)| self.name(&format!("trade_names[{at}]"), Some(name)))
            .collect()
    }

    pub(super) fn country(&mut self, value: Option<&str>) -> Option<String> {
        let value = value.map(str::trim).unwrap_or_default().to_ascii_uppercase();
        if value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()) {
            return Some(value);
        }
        self.add(
            "country",
            "country",
            "Write the country as two letters, such as NL or BE (ISO 3166-1).",
            "Schrijf het land als twee letters, zoals NL of BE (ISO 3166-1).",
        );
        None
    }

    /// `register` or `entered`; entered when it isn't said, because only a register's names may decide.
    pub(super) fn names_source(&mut self, value: Option<&str>) -> Option<String> {
        match value.unwrap_or("entered") {
            known @ ("register" | "entered") => Some(known.to_owned()),
            _ => {
                self.add(
                    "names_source",
                    "names_source",
                    "Write `register` if the names were taken from a register, otherwise `entered`.",
                    "Schrijf `register` als de namen uit een register komen, anders `entered`.",
                );
                None
            }
        }
    }

    pub(super) fn identifiers(&mut self, written: &[NewIdentifier]) -> Vec<Identifier> {
        if written.len() > MOST_IDENTIFIERS {
            self.add(
                "identifiers",
                "too_many",
                format!("Give at most {MOST_IDENTIFIERS} identifiers."),
                format!("Geef hooguit {MOST_IDENTIFIERS} identifiers."),
            );
            return Vec::new();
        }
        let mut all: Vec<Identifier> = Vec::new();
        for (at, one) in written.iter().enumerate() {
            match Identifier::parse(&one.scheme, &one.value) {
                Ok(identifier) if all.contains(&identifier) => {}
                Ok(identifier) => all.push(identifier),
                Err(error) => {
                    let (text, text_nl) = (sentence(&error.to_string()), sentence(error.dutch()));
                    self.add(format!("identifiers[{at}]"), "identifier", text, text_nl);
                }
            }
        }
        all
    }

    pub(super) fn creator(&mut self, written: Option<&NewCreator>) -> Option<CreatorView> {
        let Some(written) = written else {
            self.add(
                "creator",
                "required",
                "Say who registers it.",
                "Vermeld wie de organisatie registreert.",
            );
            return None;
        };
        let name = self.text("creator.name", written.name.as_deref(), 200);
        let email = match EmailAddress::parse(written.email.as_deref().unwrap_or_default().trim()) {
            Ok(address) => Some(String::from(address)),
            Err(_) => {
                self.add(
                    "creator.email",
                    "email",
                    "Write one e-mail address, such as name@example.nl.",
                    "Schrijf één e-mailadres, zoals naam@voorbeeld.nl.",
                );
                None
            }
        };
        let language = match written.language.as_deref().unwrap_or("nl") {
            known @ ("nl" | "en") => Some(known.to_owned()),
            _ => {
                self.add(
                    "creator.language",
                    "language",
                    "Write `nl` or `en`.",
                    "Schrijf `nl` of `en`.",
                );
                None
            }
        };
        let role = self.text("creator.role", written.role.as_deref(), 100);
        Some(CreatorView {
            name: name?,
            email: email?,
            language: language?,
            role: role?,
        })
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}

/// Only an administrator of the environment may add an organisation.
pub(super) fn administrator(creator: &CreatorView) -> Result<(), Refused> {
    let role = creator.role.to_lowercase();
    if ["administrator", "admin", "beheerder"].contains(&role.as_str()) {
        return Ok(());
    }
    Err(Refused::new(
        Kind::Forbidden,
        "administrator_required",
        "Only an administrator of the environment may add an organisation; ask an administrator to do it.",
        "Alleen een beheerder van de omgeving mag een organisatie toevoegen; vraag een beheerder om dit te doen.",
    ))
}
