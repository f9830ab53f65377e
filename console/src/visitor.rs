//! Who asks for a page: somebody who has signed in, and what they may do.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use eencent_activations::desk::Actor;
use eencent_activations::language::Language;
use eencent_activations::people::{Permission, Person};
use eencent_activations::refused::Refused;

use crate::Console;
use crate::sent::token_of;
use crate::trouble::Trouble;

/// The cookie that holds the session. Its prefix makes browsers keep it to this host, this path, and TLS.
pub(crate) const COOKIE: &str = "__Host-eencent";

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Who.
    pub person: Person,
    /// What their forms carry.
    pub form_token: String,
    /// The secret of the session; for ending it.
    pub(crate) session: String,
}

impl Visitor {
    pub(crate) async fn of(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let Some(session) = session(&parts.headers) else {
            return Err(Trouble::signed_out(&parts.method, &parts.uri));
        };
        match console.desk.person_of(&session, console.limits()).await? {
            Some(person) => Ok(Self {
                form_token: token_of(&session),
                person,
                session,
            }),
            None => Err(Trouble::signed_out(&parts.method, &parts.uri)),
        }
    }

    /// Goes on only if the person may do that. Else there is no such page: what isn't theirs isn't told of.
    ///
    /// # Errors
    /// Then.
    pub fn must(&self, what: Permission) -> Result<(), Trouble> {
        if self.person.may(what) {
            return Ok(());
        }
        tracing::info!(account = self.person.account, ?what, "not allowed");
        Err(Trouble::NotFound)
    }

    /// How history and audit name them.
    pub fn actor(&self) -> Actor {
        Actor::signed_in(&self.person)
    }

    /// Why they are refused something, in their language.
    pub(crate) fn told(&self, refused: &Refused) -> String {
        match self.language() {
            Language::English => refused.text.clone(),
            Language::Dutch => refused.text_nl.clone(),
        }
    }

    /// In which language they read.
    pub fn language(&self) -> Language {
        self.person.language
    }
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        Self::of(parts, console).await
    }
}

/// The session that a browser sends.
pub(crate) fn session(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE, 100)
}

/// What a browser sends under this name, of so many characters at most; nothing where two are sent: one of them is
/// somebody else's.
pub(crate) fn cookie(headers: &HeaderMap, name: &str, longest: usize) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(sent, _)| *sent == name).map(|(_, value)| value);
    match (ours.next(), ours.next()) {
        (Some(value), None) if (20..=longest).contains(&value.len()) => Some(value.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn fault_63_of_two_sessions_at_once_neither_counts() {
        let of = |cookies: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookies.parse().unwrap());
            session(&headers)
        };
        let token = "a".repeat(43);
        assert_eq!(of(&format!("x=y; {COOKIE}={token}")), Some(token.clone()));
        assert_eq!(of(&format!("{COOKIE}={token}; {COOKIE}={token}")), None);
        assert_eq!(of(&format!("{COOKIE}=short")), None);
        assert_eq!(of(&format!("eencent={token}")), None);
    }
}
