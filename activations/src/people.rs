//! The people who work in the consoles: what each may do, and what they sign in with.
//!
//! - [`Role`] and [`Permission`]: the one table of who may what.
//! - [`password`]: what a password must be, and what is kept of it.
//! - [`second_factor`]: the codes of an authenticator app.
//! - [`trip`]: what binds the way back from an identity provider to the way out.
//!
//! Accounts and sessions are rows; [`Desk`](crate::desk::Desk) keeps them (`desk/accounts.rs`, `desk/sessions.rs`).

pub mod password;
pub mod second_factor;
pub mod trip;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::language::Language;

/// What somebody is there for. Several may be one person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides on activations under review.
    Support,
    /// The same, and confirms what takes two persons.
    Lead,
    /// Keeps the queues healthy.
    Operations,
    /// Says who else may.
    Administrator,
    /// Looks, and does nothing.
    ReadOnly,
}

/// What can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Sees activations, payments and e-mails.
    ReadCases,
    /// Decides on them, and asks for what is masked.
    Decide,
    /// Confirms what another person proposed, where it takes two.
    Confirm,
    /// Sees queues, deliveries, schedules and the audit.
    ReadOperations,
    /// Retries, drops, pauses, replays.
    Operate,
    /// Adds people, changes what they may do, ends their sessions.
    Administer,
}

impl Role {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Support,
        Self::Lead,
        Self::Operations,
        Self::Administrator,
        Self::ReadOnly,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Lead => "lead",
            Self::Operations => "operations",
            Self::Administrator => "administrator",
            Self::ReadOnly => "read_only",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    /// Whether it allows that. Nothing else does.
    pub const fn may(self, what: Permission) -> bool {
        use Permission::{Administer, Confirm, Decide, Operate, ReadCases, ReadOperations};
        match self {
            Self::Support => matches!(what, ReadCases | Decide),
            Self::Lead => matches!(what, ReadCases | Decide | Confirm | ReadOperations),
            Self::Operations => matches!(what, ReadOperations | Operate),
            Self::Administrator => matches!(what, Administer),
            Self::ReadOnly => matches!(what, ReadCases | ReadOperations),
        }
    }
}

/// Reads the roles of a row; a name that no version knows allows nothing.
pub(crate) fn roles(text: &str) -> Vec<Role> {
    text.split(' ').filter_map(Role::parse).collect()
}

/// Somebody who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account's id.
    pub account: String,
    /// As others know them.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// What they are there for.
    pub roles: Vec<Role>,
    /// In which they read.
    pub language: Language,
}

impl Person {
    /// Whether one of their roles allows that.
    pub fn may(&self, what: Permission) -> bool {
        self.roles.iter().any(|role| role.may(what))
    }

    /// How history and audit name them: names may be two people's, addresses aren't.
    pub fn signature(&self) -> String {
        format!("{} <{}>", self.name, self.email)
    }
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// What its person signs in with.
    pub email: String,
    /// The person.
    pub name: String,
    /// What they are there for.
    pub roles: Vec<Role>,
    /// `nl` or `en`.
    pub language: String,
    /// `password`, `identity_provider`, or `invited`: nothing was chosen yet.
    pub signs_in_by: &'static str,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when nobody gets in by it.
    pub disabled_at: Option<Timestamp>,
    /// Until when it is locked, after too many failures.
    pub locked_until: Option<Timestamp>,
    /// When somebody last signed in by it.
    pub signed_in_at: Option<Timestamp>,
}

/// Where somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// The browser, as it calls itself.
    pub agent: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_does_nothing_and_who_decides_does_not_say_who_else_may() {
        use Permission::{Administer, Confirm, Decide, Operate};
        for what in [Decide, Confirm, Operate, Administer] {
            assert!(!Role::ReadOnly.may(what), "{what:?}");
        }
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(*role));
            assert!(!(role.may(Decide) && role.may(Administer)), "{role:?}");
            assert!(!(role.may(Decide) && role.may(Operate)), "{role:?}");
        }
    }
}
