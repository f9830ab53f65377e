//! Who acts, and what an act carries.

use std::fmt;

use serde::Deserialize;

use crate::people::Person;
use crate::refused::{FieldProblem, Kind, Refused};

/// Who does something: a key to the API, the command line, and possibly the person behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    key: String,
    person: Option<String>,
    /// The account that the person signed in by: names and addresses change, this doesn't.
    account: Option<String>,
}

impl Actor {
    /// A key to the platform API, by its name.
    pub fn key(name: &str) -> Self {
        Self {
            key: format!("key {name}"),
            person: None,
            account: None,
        }
    }

    /// Somebody at the command line of the machine.
    pub fn command_line() -> Self {
        Self {
            key: "command line".to_owned(),
            person: None,
            account: None,
        }
    }

    /// A console, on which persons work who have signed in.
    pub fn console() -> Self {
        Self {
            key: "console".to_owned(),
            person: None,
            account: None,
        }
    }

    /// An identity provider, whose groups say what people may.
    pub(crate) fn identity_provider() -> Self {
        Self {
            key: "identity provider".to_owned(),
            person: None,
            account: None,
        }
    }

    /// Whoever may write in the folder that is watched for bank statements.
    pub fn watched_folder() -> Self {
        Self {
            key: "watched folder".to_owned(),
            person: None,
            account: None,
        }
    }

    /// A register, which said what was written.
    pub(crate) fn register() -> Self {
        Self {
            key: "register".to_owned(),
            person: None,
            account: None,
        }
    }

    /// The person behind it, where there is one.
    pub fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }

    /// Somebody who has signed in to a console.
    pub fn signed_in(person: &Person) -> Self {
        Self {
            person: Some(person.signature()),
            account: Some(person.account.clone()),
            ..Self::console()
        }
    }

    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The same, with the person who it acts for.
    #[must_use]
    pub fn as_person(&self, person: &str) -> Self {
        Self {
            key: self.key.clone(),
            person: Some(person.to_owned()),
            account: self.account.clone(),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.person {
            Some(person) => write!(f, "{person} ({})", self.key),
            None => f.write_str(&self.key),
        }
    }
}

/// A support employee's act on an activation.
#[derive(Debug, Clone, Deserialize)]
pub struct Act {
    /// The version of the activation that was looked at.
    pub version: i64,
    /// Who acts.
    pub actor: String,
    /// Why; with a request for information, what is asked; with a rejection, what the creator is told.
    pub reason: String,
}

impl Act {
    /// Longest reason, in characters.
    const LONGEST: usize = 4_000;

    /// Both texts are there, and fit.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        let mut fields = Vec::new();
        for (field, value) in [("actor", &self.actor), ("reason", &self.reason)] {
            if value.trim().is_empty() {
                fields.push(FieldProblem {
                    field: field.to_owned(),
                    code: "required",
                    text: format!("Say {}.", if field == "actor" { "who acts" } else { "why" }),
                    text_nl: format!("Vermeld {}.", if field == "actor" { "wie handelt" } else { "waarom" }),
                });
            } else if value.chars().count() > Self::LONGEST || value.contains('\0') {
                fields.push(FieldProblem {
                    field: field.to_owned(),
                    code: "too_long",
                    text: format!(
                        "Write at most {} characters, without control characters.",
                        Self::LONGEST
                    ),
                    text_nl: format!("Schrijf hooguit {} tekens, zonder besturingstekens.", Self::LONGEST),
                });
            }
        }
        if fields.is_empty() {
            return Ok(());
        }
        let mut refused = Refused::new(
            Kind::Invalid,
            "invalid",
            "Some fields are missing or wrong; each is named.",
            "Sommige velden ontbreken of kloppen niet; elk is genoemd.",
        );
        refused.fields = fields;
        Err(refused)
    }
}

/// When an approval by a person takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once if the office is open at the moment of deciding, otherwise when it opens.
    OfficeHours,
    /// At once.
    Now,
}
