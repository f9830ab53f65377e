//! How somebody is told no: a stable code, and a sentence that says what to do, in English and Dutch.

use serde::Serialize;

use crate::store::StoreError;
use crate::views::ActivationView;

/// Of which nature a refusal is; the program maps it to a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request can't be carried out as it is written.
    Invalid,
    /// Whoever asks may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// Not in the state that it is in.
    Conflict,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field, such as `creator.email` or `identifiers[0].value`.
    pub field: String,
    /// Stable code.
    pub code: &'static str,
    /// What to do, in English.
    pub text: String,
    /// What to do, in Dutch.
    pub text_nl: String,
}

/// A refusal. Nothing was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Its nature.
    pub kind: Kind,
    /// Stable code, such as `organisation_limit_reached`.
    pub code: &'static str,
    /// What to do, in English.
    pub text: String,
    /// What to do, in Dutch.
    pub text_nl: String,
    /// Which fields are wrong, all of them at once.
    pub fields: Vec<FieldProblem>,
    /// The activation as it is now, where the one that was acted on was out of date.
    pub activation: Option<Box<ActivationView>>,
}

impl Refused {
    pub(crate) fn new(kind: Kind, code: &'static str, text: impl Into<String>, text_nl: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            text: text.into(),
            text_nl: text_nl.into(),
            fields: Vec::new(),
            activation: None,
        }
    }

    pub(crate) fn no_organisation() -> Self {
        Self::new(
            Kind::NotFound,
            "organisation_not_found",
            "There is no organisation with this id; check the id that registering it answered.",
            "Er is geen organisatie met dit id; controleer het id dat bij het registreren is teruggegeven.",
        )
    }

    pub(crate) fn no_activation() -> Self {
        Self::new(
            Kind::NotFound,
            "activation_not_found",
            "There is no activation with this id; check the id that starting it answered.",
            "Er is geen activering met dit id; controleer het id dat bij het starten is teruggegeven.",
        )
    }
}

/// The desk could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// It won't: the answer says why and what to do. Nothing was changed.
    #[error("{}", .0.text)]
    Refused(Box<Refused>),
    /// It can't: the store doesn't do its part. Nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refused> for DeskError {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

impl From<sqlx::Error> for DeskError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<crate::entropy::NoEntropy> for DeskError {
    fn from(error: crate::entropy::NoEntropy) -> Self {
        Self::Store(error.into())
    }
}
