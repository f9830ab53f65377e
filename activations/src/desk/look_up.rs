//! Registering an organisation by its number alone: everything else comes from its register.
//!
//! In two steps, because asking a register takes its time and no transaction waits for it: what can be refused without
//! asking is refused first, and what the register said is then registered as if it had been typed.

use super::checks::{Problems, administrator};
use super::organisations::{NewAddress, NewIdentifier, NewOrganisation};
use super::{Actor, Desk};
use crate::identifier::Identifier;
use crate::refused::{DeskError, Kind, Refused};
use crate::register::{Entry, Standing};
use crate::views::OrganisationView;

impl NewOrganisation {
    /// The number that is to be looked up before it can be registered; `None` when everything was typed.
    ///
    /// # Errors
    /// Refused when the number can't be one, when something was typed beside it, or when it couldn't be registered
    /// whatever the register says.
    pub fn to_look_up(&self) -> Result<Option<Identifier>, Refused> {
        let Some(kvk) = &self.kvk else { return Ok(None) };
        let mut problems = Problems::default();
        problems.text("environment", self.environment.as_deref(), 200);
        let identifier = Identifier::parse("NL:KVK", kvk)
            .map_err(|error| {
                problems.add(
                    "kvk",
                    "kvk",
                    error.to_string(),
                    "Een KvK-nummer heeft 8 cijfers, zoals `12345678`.",
                );
            })
            .ok();
        let typed = [
            ("legal_name", self.legal_name.is_some()),
            ("trade_names", !self.trade_names.is_empty()),
            ("legal_form", self.legal_form.is_some()),
            ("country", self.country.is_some()),
            ("address", self.address.is_some()),
            ("names_source", self.names_source.is_some()),
            ("identifiers", !self.identifiers.is_empty()),
        ];
        for (field, _) in typed.into_iter().filter(|(_, typed)| *typed) {
            problems.add(
                field,
                "from_register",
                "Leave this out: with `kvk` it comes from the trade register. To enter it by hand, leave `kvk` out.",
                "Laat dit weg: met `kvk` komt het uit het handelsregister. Laat `kvk` weg om het zelf in te voeren.",
            );
        }
        let creator = problems.creator(self.creator.as_ref());
        problems.done()?;
        creator.as_ref().map(administrator).transpose()?;
        Ok(identifier)
    }
}

impl Desk {
    /// Registers an organisation with everything that its register says of it.
    ///
    /// # Errors
    /// As [`Desk::register`]; also when the register says that it is not registered any more.
    pub async fn register_found(
        &self,
        actor: &Actor,
        new: NewOrganisation,
        entry: &Entry,
    ) -> Result<OrganisationView, DeskError> {
        if entry.standing == Standing::Ended {
            return Err(Refused::new(
                Kind::Invalid,
                "register_ended",
                "The register says that this organisation is not registered any more; check the number.",
                "Het register zegt dat deze organisatie niet meer is ingeschreven; controleer het nummer.",
            )
            .into());
        }
        let found = NewOrganisation {
            legal_name: Some(entry.legal_name.clone()),
            trade_names: entry.trade_names.clone(),
            legal_form: entry.legal_form.clone(),
            address: entry.address.clone().map(|address| NewAddress {
                street: Some(address.street),
                postcode: Some(address.postcode),
                city: Some(address.city),
            }),
            country: Some(entry.identifier.scheme().country().to_owned()),
            names_source: Some("register".to_owned()),
            identifiers: vec![NewIdentifier {
                scheme: entry.identifier.scheme().to_string(),
                value: entry.identifier.value().to_owned(),
            }],
            environment: new.environment,
            creator: new.creator,
            kvk: None,
        };
        let why = format!("looked up in the register at {}", entry.fetched_at);
        self.register_as_of(actor, found, entry.fetched_at, &why).await
    }
}
